"""What Postgres does bare, to hold the node against: the rows of an import copied, the records of creations committed.

Alone here a load test speaks to Postgres itself; to the node it is a client like any other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from io import BytesIO
from time import perf_counter
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar

import asyncpg

from load_tests.figures import Round

if TYPE_CHECKING:
    Connection: TypeAlias = asyncpg.Connection[asyncpg.Record]

COLUMNS: Final = ("revision", "changed_at", "key", "spelling", "value_list")
VALUE_LIST_OCTETS: Final = 160
"""Of the records that are created over the wire."""

STATEMENT_SECONDS: Final = 600.0

T = TypeVar("T")


def run(work: Coroutine[object, object, T]) -> T:
    """Run one of the functions below to its end."""
    return asyncio.run(work)


async def take_rows(url: str) -> bytes:
    """Return all records as COPY writes them in binary."""
    connection = await _connect(url)
    rows = BytesIO()
    await connection.copy_from_table("record", columns=COLUMNS, format="binary", output=rows)
    await connection.close()
    return rows.getvalue()


async def copy_rows(url: str, rows: bytes, *, has_primary_key: bool) -> float:
    """Copy `rows` into an empty table, with or without a primary key, and return the seconds until they are on disk."""
    connection = await _connect(url)
    including = "including indexes" if has_primary_key else ""
    await connection.execute(f"create table bare (like record including defaults {including})")
    began_at = perf_counter()
    await connection.copy_to_table("bare", columns=COLUMNS, format="binary", source=BytesIO(rows))
    seconds = perf_counter() - began_at
    await connection.execute("drop table bare")
    await connection.close()
    return seconds


async def commit_rows(url: str, seconds: float) -> Round:
    """Insert rows one after another for some seconds, each with a commit of its own that is on disk."""
    connection = await _connect(url)
    await connection.execute("create table bare (like record including defaults including indexes)")
    insert = await connection.prepare("insert into bare (key, value_list) values ($1, $2)")
    began_at, number = perf_counter(), 0
    while perf_counter() - began_at < seconds:
        await insert.fetch(str(number).encode(), bytes(VALUE_LIST_OCTETS))
        number += 1
    took = perf_counter() - began_at
    await connection.execute("drop table bare")
    await connection.close()
    return Round(number / took, 0.0)


async def forget_records(url: str) -> None:
    """Empty the register, so that it can be filled again, and let Postgres write what it has put off."""
    connection = await _connect(url)
    await connection.execute("truncate record, change")
    await connection.execute("checkpoint")
    await connection.close()


async def _connect(url: str) -> Connection:
    return await asyncpg.connect(url, command_timeout=STATEMENT_SECONDS)
