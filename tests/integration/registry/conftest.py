"""A migrated database for each test, and what the tests need from it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from handle_protocol.handle import Prefix
from registry.database import Database
from registry.migrate import migrate
from registry.prefixes import PrefixStore
from registry.records import RecordReader, RecordStore

NOW = 1_790_000_000


@pytest_asyncio.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A database with our schema, open for writing."""
    async with Database.open(database_url) as opened:
        await migrate(opened)
        yield opened


@pytest_asyncio.fixture
async def reading(database: Database, database_url: str) -> AsyncIterator[Database]:
    """The same database, open for reading alone."""
    assert database
    async with Database.open(database_url, is_read_only=True) as opened:
        yield opened


@pytest_asyncio.fixture
async def prefixes(database: Database) -> PrefixStore:
    """The prefixes, with 88.118 hosted here."""
    store = PrefixStore(database)
    await store.add(Prefix("88.118"), enterprise="江西省标识解析二级节点")
    return store


@pytest_asyncio.fixture
async def store(database: Database, prefixes: PrefixStore) -> RecordStore:
    """Where records below 88.118 can be put; its clock stands at NOW."""
    assert prefixes
    return RecordStore(database, clock=lambda: NOW)


@pytest_asyncio.fixture
async def reader(reading: Database) -> RecordReader:
    """Where they can be read."""
    return RecordReader(reading)
