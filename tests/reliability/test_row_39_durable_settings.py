"""Row 39: a node refuses a Postgres that would lose acknowledged changes in a power loss."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from node.embedded import postgres
from node.embedded.postgres import EmbeddedPostgres
from node.embedded.postgres_settings import DURABILITY
from registry.database import DURABLE
from tests.reliability.scale import IS_LONG
from tests.started_node import StartedNode, free_ports

REFUSED_SECONDS = 60.0


@asynccontextmanager
async def started(data_dir: Path) -> AsyncIterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(data_dir)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


async def refusal_of(folder: Path, database_url: str) -> str:
    """Start a node on a database, wait for its end, and return what it said."""
    node = StartedNode(folder, folder / "output", *free_ports(3), settings={"IDNODE_DATABASE_URL": database_url})
    node.launch()
    try:
        assert await asyncio.to_thread(node.process.wait, REFUSED_SECONDS) == 1
    finally:
        node.process.kill()
    return node.printed()


@pytest.mark.parametrize("name", ["fsync", "full_page_writes"] if IS_LONG else ["fsync"])
async def test_a_server_that_does_not_write_through(data_dir: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(postgres, "DURABILITY", DURABILITY | {name: "off"})
    async with started(data_dir) as server:
        said = await refusal_of(data_dir / "node", server.url)
    assert name in said
    assert "Traceback" not in said


async def test_a_database_that_acknowledges_too_early(data_dir: Path) -> None:
    async with started(data_dir) as server:
        connection = await asyncpg.connect(server.url, timeout=10)
        for value in ("off", "local", "remote_write") if IS_LONG else ("off",):
            await connection.execute(f"ALTER DATABASE idnode SET synchronous_commit = {value}")
            assert "synchronous_commit" in await refusal_of(data_dir / value, server.url)
        await connection.close()


async def test_the_bundled_server_is_durable_whatever_somebody_sets(fragile: StartedNode) -> None:
    connection = await asyncpg.connect(fragile.database_url, timeout=10)
    try:
        for name in DURABLE:
            await connection.execute(f"ALTER SYSTEM SET {name} = off")
        await connection.execute("ALTER SYSTEM SET work_mem = '17MB'")
        await connection.execute("SELECT pg_reload_conf()")
        async with asyncio.timeout(20):
            while await connection.fetchval("SHOW work_mem") != "17MB":
                pass
        assert {name: await connection.fetchval(f"SHOW {name}") for name in DURABLE} == dict.fromkeys(DURABLE, "on")
    finally:
        await connection.execute("ALTER SYSTEM RESET ALL")
        await connection.execute("SELECT pg_reload_conf()")
        await connection.close()
