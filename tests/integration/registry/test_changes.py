"""The change feed: nothing is missed, whatever overtakes, breaks or freezes, on each real Postgres."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, suppress
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from handle_protocol.handle import Handle, Prefix
from handle_protocol.record import HandleRecord
from node.embedded.postgres import EmbeddedPostgres
from node.embedded.programs import installed_postgres
from registry.changes import RESUME_SECONDS_MAX, Change, ChangeFeed, purge
from registry.database import Database
from registry.migrate import migrate
from registry.prefixes import PrefixStore
from registry.records import RecordStore

WRITE = "insert into change (record_keys, has_prefixes) values ($1, false)"
FOLLOWER = "select pid from pg_stat_activity where datname = current_database() and query like '%pg_snapshot_xip%'"


def record(name: str) -> HandleRecord:
    return HandleRecord.of(Handle(name), ())


async def next_changes(batches: AsyncGenerator[Sequence[Change], None], count: int) -> list[Change]:
    changes: list[Change] = []
    async with asyncio.timeout(10):
        while len(changes) < count:
            changes += await anext(batches)
    return changes


async def follower_pid(database: Database) -> int:
    ((pid,),) = await database.fetch(FOLLOWER + " and pid <> pg_backend_pid()")
    assert isinstance(pid, int)
    return pid


async def test_each_transaction_is_one_change_with_the_keys_really_written(
    store: RecordStore, prefixes: PrefixStore, reading: Database
) -> None:
    async with aclosing(ChangeFeed(reading).follow()) as batches:
        assert list(await anext(batches)) == []
        await store.put([record("88.118/b"), record("88.118/a"), record("99/x")])
        await store.put([record("88.118/a"), record("88.118/c")])
        await store.put([record("88.118/a")])
        await store.delete([Handle("88.118/a"), Handle("88.118/z")])
        await prefixes.suspend(Prefix("88.118"))
        await prefixes.suspend(Prefix("88.118"))
        assert await next_changes(batches, 4) == [
            Change([b"88.118/a", b"88.118/b"]),
            Change([b"88.118/c"]),
            Change([b"88.118/a"]),
            Change([], has_prefixes=True),
        ]


async def test_the_bell_brings_a_change_long_before_the_second_is_over(store: RecordStore, reading: Database) -> None:
    delays = []
    async with aclosing(ChangeFeed(reading).follow()) as batches:
        await anext(batches)
        for number in range(5):
            asking = asyncio.create_task(next_changes(batches, 1))
            await asyncio.sleep(0.05)
            await store.put([record(f"88.118/{number}")])
            stored_at = time.monotonic()
            await asking
            delays.append(time.monotonic() - stored_at)
    assert min(delays) < 0.1


async def test_without_a_bell_the_feed_looks_every_second(database: Database, reading: Database) -> None:
    async with aclosing(ChangeFeed(reading).follow()) as batches:
        await anext(batches)
        await database.fetch(WRITE, [b"silent"])
        assert await next_changes(batches, 1) == [Change([b"silent"])]
        assert list(await anext(batches)) == []


async def test_a_change_that_is_overtaken_is_not_missed(
    database: Database, database_url: str, reading: Database
) -> None:
    slow = await asyncpg.connect(database_url)
    async with aclosing(ChangeFeed(reading).follow()) as batches:
        await anext(batches)
        slow_transaction = slow.transaction()
        await slow_transaction.start()
        await slow.execute(WRITE, [b"slow"])
        for number in range(3):
            await database.fetch(WRITE, [b"quick %d" % number])
        expected = [Change([b"quick %d" % number]) for number in range(3)]
        assert await next_changes(batches, 3) == expected
        assert list(await anext(batches)) == []
        await slow_transaction.commit()
        assert await next_changes(batches, 1) == [Change([b"slow"])]
        assert list(await anext(batches)) == []
    await slow.close()


async def test_many_writers_and_a_follower_agree_about_everything(
    database_url: str, prefixes: PrefixStore, reading: Database
) -> None:
    async def write(writer: int) -> None:
        async with Database.open(database_url) as database:
            for number in range(40):
                await RecordStore(database).put([record(f"88.118/{writer}-{number}")])

    assert prefixes
    async with aclosing(ChangeFeed(reading).follow()) as batches:
        await anext(batches)
        writing = asyncio.gather(*map(write, range(6)))
        changes = await next_changes(batches, 240)
        await writing
    keys = [key for change in changes for key in change.record_keys]
    assert sorted(keys) == sorted(f"88.118/{writer}-{number}".encode() for writer in range(6) for number in range(40))


async def test_a_lost_feed_resumes_where_it_was(database: Database, reading: Database) -> None:
    feed = ChangeFeed(reading)
    async with aclosing(feed.follow()) as batches:
        await anext(batches)
        await database.fetch(WRITE, [b"seen"])
        await next_changes(batches, 1)
        await anext(batches)
        await database.fetch("select pg_terminate_backend($1)", await follower_pid(database))
        await database.fetch(WRITE, [b"missed"])
        with pytest.raises(ConnectionError):
            await next_changes(batches, 1)

    async with aclosing(feed.follow()) as batches:
        assert list(await anext(batches)) == []
        assert list(await anext(batches)) == [Change([b"missed"])]


async def test_a_follower_that_fails_over_a_batch_gets_it_again(database: Database, reading: Database) -> None:
    feed = ChangeFeed(reading)
    async with aclosing(feed.follow()) as batches:
        await anext(batches)
        await database.fetch(WRITE, [b"again"])
        await next_changes(batches, 1)

    async with aclosing(feed.follow()) as batches:
        await anext(batches)
        assert list(await anext(batches)) == [Change([b"again"])]


async def test_a_frozen_server_is_noticed_within_seconds(database: Database, reading: Database) -> None:
    feed = ChangeFeed(reading)
    async with aclosing(feed.follow()) as batches:
        await anext(batches)
        await anext(batches)
        pid = await follower_pid(database)
        os.kill(pid, signal.SIGSTOP)
        try:
            frozen_at = time.monotonic()
            with pytest.raises((ConnectionError, TimeoutError)):
                await next_changes(batches, 1)
            assert time.monotonic() - frozen_at < 4
        finally:
            os.kill(pid, signal.SIGCONT)


async def test_a_feed_that_has_not_looked_for_too_long_starts_afresh(database: Database, reading: Database) -> None:
    now = 1_000.0
    feed = ChangeFeed(reading, clock=lambda: now)
    async with aclosing(feed.follow()) as batches:
        await anext(batches)
    await database.fetch(WRITE, [b"lost"])

    now += RESUME_SECONDS_MAX + 1
    async with aclosing(feed.follow()) as batches:
        with pytest.raises(LookupError):
            await anext(batches)
    async with aclosing(feed.follow()) as batches:
        await anext(batches)
        assert list(await anext(batches)) == []


@pytest_asyncio.fixture
async def own_server(data_dir: Path) -> AsyncGenerator[EmbeddedPostgres, None]:
    """A Postgres that one test may do with what it wants."""
    server = EmbeddedPostgres(data_dir, next(iter(installed_postgres())))
    await server.start()
    yield server
    await server.stop()


async def test_after_a_failover_the_feed_starts_afresh(own_server: EmbeddedPostgres, data_dir: Path) -> None:
    async with Database.open(own_server.url) as database:
        await migrate(database)
        await database.fetch("alter system set restore_command = '/bin/false'")
        feed = ChangeFeed(database)
        async with aclosing(feed.follow()) as batches:
            await anext(batches)
        await own_server.stop()
        begin_another_timeline(data_dir / "postgres")
        await own_server.start()
        await until_writable(database)

        async with aclosing(feed.follow()) as batches:
            with pytest.raises(LookupError):
                await anext(batches)
        async with aclosing(feed.follow()) as batches:
            await anext(batches)
            assert list(await anext(batches)) == []


async def until_writable(database: Database) -> None:
    async with asyncio.timeout(30):
        while True:
            with suppress(ConnectionError):
                await database.fetch("select 1")
                return
            await asyncio.sleep(0.05)


def begin_another_timeline(data: Path) -> None:
    """Let the server do at its next start what a standby does when it takes over."""
    request = data / "recovery.signal"
    request.touch()
    owner = (data / "PG_VERSION").stat()
    os.chown(request, owner.st_uid, owner.st_gid)


async def test_old_changes_are_purged_and_young_ones_are_not(database: Database) -> None:
    for age in (7_200, 3_700, 3_500, 0):
        await database.fetch(
            "insert into change (record_keys, has_prefixes, committed_at) "
            "values ('{}', false, now() - make_interval(secs => $1))",
            age,
        )

    assert await purge(database) == 2
    assert await purge(database, older_than_seconds=0) == 2
