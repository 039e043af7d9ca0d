"""What becomes of a database that is away, frozen, full or wrongly set up, on each real Postgres."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from node.embedded.postgres import EmbeddedPostgres
from node.embedded.programs import installed_postgres
from registry.database import Database
from registry.errors import AccessRefused, SettingUnsafe


def with_name(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def name_of(url: str) -> str:
    return urlsplit(url).path.removeprefix("/")


async def answers(database: Database) -> bool:
    ((one,),) = await database.fetch("select 1")
    return bool(one)


@pytest.mark.parametrize("is_read_only", [False, True])
async def test_a_server_that_is_not_there_is_an_outage_not_an_answer(tmp_path: Path, *, is_read_only: bool) -> None:
    for host in (str(tmp_path), "127.0.0.1&port=1"):
        async with Database.open(f"postgresql://a@/b?host={host}", is_read_only=is_read_only) as database:
            with pytest.raises(ConnectionError):
                await database.fetch("select 1")
            with pytest.raises(ConnectionError):
                async with database.transaction():
                    pass
            with pytest.raises(ConnectionError):
                async with database.listen("bell"):
                    pass


async def test_a_server_that_comes_later_and_comes_back_is_found(data_dir: Path) -> None:
    server = EmbeddedPostgres(data_dir, next(iter(installed_postgres())))
    await server.start()
    url = server.url
    await server.stop()
    async with Database.open(url, is_read_only=True) as database:
        with pytest.raises(ConnectionError):
            await database.fetch("select 1")
        for _ in range(2):
            await server.start()
            assert await answers(database)
            await server.stop()
            with pytest.raises(ConnectionError):
                await database.fetch("select 1")


async def test_a_killed_connection_is_replaced(database: Database, reading: Database) -> None:
    ((pid,),) = await reading.fetch("select pg_backend_pid()")
    await database.fetch("select pg_terminate_backend($1)", pid)

    try:
        await reading.fetch("select 1")
    except ConnectionError:
        assert await answers(reading)


async def test_a_connection_that_dies_in_a_transaction_is_an_outage(database: Database) -> None:
    async def die() -> None:
        async with database.transaction() as transaction:
            ((pid,),) = await transaction.fetch("select pg_backend_pid()")
            await database.fetch("select pg_terminate_backend($1)", pid)
            await asyncio.sleep(0.1)
            await transaction.execute("select 1")

    with pytest.raises(ConnectionError):
        await die()
    assert await answers(database)


async def test_a_frozen_connection_is_given_up_within_its_deadline(database: Database, reading: Database) -> None:
    assert database
    ((pid,),) = await reading.fetch("select pg_backend_pid()")
    os.kill(pid, signal.SIGSTOP)
    try:
        started_at = time.monotonic()
        with pytest.raises(TimeoutError):
            await reading.fetch("select 1")
        assert time.monotonic() - started_at < 2.5
        assert await answers(reading)
    finally:
        os.kill(pid, signal.SIGCONT)


async def test_a_slow_statement_ends_at_its_deadline(database_url: str) -> None:
    async with Database.open(database_url, timeout_seconds=0.3) as database:
        with pytest.raises(TimeoutError):
            await database.fetch("select pg_sleep(5)")
        with pytest.raises(TimeoutError):
            async with database.transaction() as transaction:
                await transaction.execute("select pg_sleep(5)")
        assert await answers(database)


async def test_waiting_for_a_free_connection_has_a_deadline(database_url: str) -> None:
    async with Database.open(database_url, connections_max=1) as database, database.transaction():
        started_at = time.monotonic()
        with pytest.raises(TimeoutError):
            await database.fetch("select 1")
        assert time.monotonic() - started_at < 2.5


async def test_a_cancelled_statement_leaves_the_pool_usable(database_url: str) -> None:
    async with Database.open(database_url, connections_max=1) as database:
        asking = asyncio.create_task(database.fetch("select pg_sleep(5)"))
        await asyncio.sleep(0.1)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert await answers(database)


@pytest.mark.parametrize("code", ["53100", "53300", "57P01", "57P03", "08006", "25006"])
async def test_what_postgres_says_in_an_outage_is_an_outage(database: Database, code: str) -> None:
    with pytest.raises(ConnectionError):
        await database.fetch(f"do $$ begin raise exception 'away' using errcode = '{code}'; end $$")


async def test_a_reading_database_changes_nothing(database: Database, reading: Database) -> None:
    with pytest.raises(ConnectionError):
        await reading.fetch("insert into enterprise values ('1', '甲')")
    assert await database.fetch("select from enterprise") == []


async def test_a_server_that_became_read_only_takes_no_changes(database_url: str) -> None:
    async with Database.open(database_url) as database:
        await database.fetch(f"alter database {name_of(database_url)} set default_transaction_read_only = on")
    async with Database.open(database_url) as database:
        with pytest.raises(ConnectionError):
            async with database.transaction() as transaction:
                await transaction.execute("create table late ()")


@pytest.mark.parametrize("value", ["off", "local", "remote_write"])
async def test_a_server_that_may_forget_is_refused(database_url: str, value: str) -> None:
    owner = await asyncpg.connect(database_url)
    await owner.execute(f"alter database {name_of(database_url)} set synchronous_commit = {value}")
    await owner.close()

    with pytest.raises(SettingUnsafe) as refused:
        async with Database.open(database_url):
            pass
    assert (refused.value.setting, refused.value.value) == ("synchronous_commit", value)
    async with Database.open(database_url, is_read_only=True) as reading:
        assert await answers(reading)


async def test_a_wrong_address_is_not_retried(database_url: str) -> None:
    for url in (with_name(database_url, "nowhere"), database_url.replace("//idnode@", "//nobody@"), "mysql://a@b/c"):
        with pytest.raises(AccessRefused):
            async with Database.open(url):
                pass


async def test_leaving_a_transaction_early_undoes_it(database: Database) -> None:
    async def leave() -> None:
        async with database.transaction() as transaction:
            await transaction.execute("insert into enterprise values ('1', '甲')")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await leave()
    assert await database.fetch("select from enterprise") == []
