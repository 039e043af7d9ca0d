"""The real servers that tests run against: each Postgres that is installed, and Valkey, started once a session."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
import pytest_asyncio

from node.embedded.postgres import EmbeddedPostgres
from node.embedded.programs import PostgresPrograms, installed_postgres
from node.embedded.valkey import EmbeddedValkey

_numbers = count(1)


@pytest.fixture(scope="session")
def server_data_dir() -> Iterator[Path]:
    """A folder that the servers' account can reach; pytest's own temporary folders are closed to it under root."""
    folder = Path(tempfile.mkdtemp(prefix="idnode-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """An empty data directory for one test, with a short path that the servers' account can reach."""
    folder = Path(tempfile.mkdtemp(prefix="idnode-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest_asyncio.fixture(
    scope="session", params=list(installed_postgres()), ids=lambda programs: f"postgres-{programs.major}"
)
async def postgres_url(request: pytest.FixtureRequest, server_data_dir: Path) -> AsyncIterator[str]:
    """Where a real, durable, empty Postgres listens: a test using it runs once with each installed version."""
    programs: PostgresPrograms = request.param
    server = EmbeddedPostgres(server_data_dir / str(programs.major), programs)
    await server.start()
    yield server.url
    await server.stop()


@pytest_asyncio.fixture
async def database_url(postgres_url: str) -> AsyncIterator[str]:
    """An empty database of its own for one test, dropped afterwards."""
    name = f"test_{next(_numbers)}"
    connection = await asyncpg.connect(postgres_url, timeout=10)
    await connection.execute(f"CREATE DATABASE {name}")
    yield urlunsplit(urlsplit(postgres_url)._replace(path=f"/{name}"))
    await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await connection.close()


@pytest_asyncio.fixture(scope="session")
async def valkey_url(server_data_dir: Path) -> AsyncIterator[str]:
    """Where a real Valkey listens."""
    server = EmbeddedValkey(server_data_dir)
    await server.start()
    yield server.url
    await server.stop()
