"""The connections to Postgres: how they are opened, how long they wait, and how they are given up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Final, TypeAlias

import asyncpg
from asyncpg.connect_utils import SessionAttribute

from registry.errors import Refusal, SettingUnsafe
from registry.failures import Meaning
from registry.queries import queries

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    Connection: TypeAlias = asyncpg.Connection[asyncpg.Record]
    AnyConnection: TypeAlias = Connection | PoolConnectionProxy[asyncpg.Record]
    Pool: TypeAlias = asyncpg.Pool[asyncpg.Record]
    Connect: TypeAlias = Callable[..., Coroutine[object, object, Connection]]

READ_TIMEOUT_SECONDS: Final = 2.0
"""With as long a wait for a connection, whoever asks hears of an outage within 4 s."""

WRITE_TIMEOUT_SECONDS: Final = 5.0
"""One statement of a change, waiting for other writers and for the disk included."""

ACQUIRE_TIMEOUT_SECONDS: Final = 2.0
"""Waiting for a free connection, or for a new one."""

CLOSE_TIMEOUT_SECONDS: Final = 2.0
"""For polite farewells; then the connections are cut."""

IDLE_IN_TRANSACTION_SECONDS: Final = 30
"""After this Postgres ends the transaction of a client that froze, so that its locks are free again."""

CONNECTIONS_MAX: Final = 4
"""Ours: what arrives while all are busy forms the next batch, so more of them only make smaller batches."""

DURABLE: Final[Mapping[str, tuple[str, ...]]] = {
    "fsync": ("on",),
    "full_page_writes": ("on",),
    "synchronous_commit": ("on", "remote_apply"),
}
"""With any other value, what was acknowledged may be gone after a power loss."""

OUTAGE: Final = (ConnectionError, TimeoutError)

_SQL: Final = queries("database")


class Database:
    """A few connections to one database, opened when needed and again after an outage.

    Statements raise ConnectionError while Postgres cannot be reached, TimeoutError when it does not answer in time,
    DatabaseUnfit when an operator has to mend something.
    """

    def __init__(self, pool: Pool, connect: Connect) -> None:
        self._pool = pool
        self._connect = connect

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        url: str,
        *,
        is_read_only: bool = False,
        connections_max: int = CONNECTIONS_MAX,
        timeout_seconds: float | None = None,
    ) -> AsyncIterator[Database]:
        """Give access to the database at `url`, also when Postgres is not there yet.

        Args:
            url: as for libpq; among several hosts, writing finds the primary.
            is_read_only: whether Postgres itself is to refuse every change.
            connections_max: statements that may run at the same time.
            timeout_seconds: for one statement; None = 2 s for reading, 5 s for writing.

        Raises:
            DatabaseUnfit: Postgres is there, but must not be used like this.
        """
        default_seconds = READ_TIMEOUT_SECONDS if is_read_only else WRITE_TIMEOUT_SECONDS
        connect = _connector(url, is_read_only=is_read_only, timeout_seconds=timeout_seconds or default_seconds)
        pool = asyncpg.create_pool(
            connect=connect,
            min_size=0,  # The driver logs a traceback for each failed attempt to keep a minimum.
            max_size=connections_max,
            init=None if is_read_only else _check_durability,
            reset=_leave_as_it_is,
        )
        await pool
        database = cls(pool, connect)
        try:
            with suppress(*OUTAGE):
                await database.fetch(_SQL["ping"])
            yield database
        finally:
            with suppress(*OUTAGE):  # A Postgres that has gone needs no farewell.
                async with asyncio.timeout(CLOSE_TIMEOUT_SECONDS):
                    await pool.close()

    async def fetch(self, query: str, *arguments: object) -> Sequence[asyncpg.Record]:
        """Run one statement on its own and return its rows."""
        async with self._connection() as connection:
            return await connection.fetch(query, *arguments)

    @asynccontextmanager
    async def transaction(self, first: str = "") -> AsyncIterator[Transaction]:
        """Run what happens inside as one transaction; committed and on disk when the block has been left.

        Args:
            first: statements without arguments, such as the taking of a lock, which travel with its beginning.

        Anything that is raised inside undoes it. When leaving the block raises ConnectionError or TimeoutError,
        nobody knows whether it was committed.
        """
        async with self._connection() as connection:
            try:
                await connection.execute(_SQL["begin"] + ";\n" + first)
                yield Transaction(connection)
            except Exception as error:
                if not isinstance(error, OUTAGE):
                    await connection.execute(_SQL["rollback"])
                raise
            await connection.execute(_SQL["commit"])

    @asynccontextmanager
    async def listen(self, channel: str) -> AsyncIterator[Listener]:
        """Open a connection of its own that is woken by notifications of `channel`."""
        with Meaning(lambda: True):
            connection = await self._connect()
        listener = Listener(connection)
        try:
            with Meaning(connection.is_closed):
                await connection.add_listener(channel, listener.wake)
            yield listener
        finally:
            connection.terminate()

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[AnyConnection]:
        with Meaning(self._pool.is_closing):
            connection = await self._pool.acquire(timeout=ACQUIRE_TIMEOUT_SECONDS)
        try:
            with Meaning(partial(_is_gone, connection)):
                yield connection
        except BaseException as error:
            # Cut, not tidied up: a server that does not answer would be waited for again, and one that has become
            # read-only must not be met again. Postgres undoes what was begun.
            if isinstance(error, OUTAGE) or not isinstance(error, Exception):
                _cut(connection)
            raise
        finally:
            await self._pool.release(connection)


class Transaction:
    """What can be done between begin and commit."""

    def __init__(self, connection: AnyConnection) -> None:
        self._connection = connection

    async def fetch(self, query: str, *arguments: object) -> Sequence[asyncpg.Record]:
        """Run a statement and return its rows."""
        with Meaning(partial(_is_gone, self._connection)):
            return await self._connection.fetch(query, *arguments)

    async def execute(self, query: str, *arguments: object, timeout_seconds: float | None = None) -> int:
        """Run a statement, or several without arguments, and return how many rows the last one wrote."""
        with Meaning(partial(_is_gone, self._connection)):
            status = await self._connection.execute(query, *arguments, timeout=timeout_seconds)
        count = status.rpartition(" ")[2]
        return int(count) if count.isdecimal() else 0

    @asynccontextmanager
    async def attempt(self) -> AsyncIterator[None]:
        """Undo just what happens inside if it is refused, and let the refusal out; the transaction can go on."""
        await self.execute(_SQL["set_mark"])
        try:
            yield
        except Refusal:
            await self.execute(_SQL["return_to_mark"])
            raise
        await self.execute(_SQL["forget_mark"])

    async def copy(
        self, table: str, columns: Sequence[str], rows: Iterable[Sequence[object]], *, timeout_seconds: float
    ) -> None:
        """Append `rows` to a table, as they are produced."""
        with Meaning(partial(_is_gone, self._connection)):
            async with _while_connected(self._connection, timeout_seconds):
                await self._connection.copy_records_to_table(
                    table, records=rows, columns=columns, timeout=timeout_seconds
                )


class Listener:
    """A connection that a notification can wake."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._bell = asyncio.Event()
        connection.add_termination_listener(self.wake)

    def wake(self, *_: object) -> None:
        """Ring the bell: a notification has come, or the connection is gone."""
        self._bell.set()

    async def wait(self, seconds: float) -> None:
        """Return at the next notification, or one that came since the last look, or after `seconds`.

        Raises:
            ConnectionError: the connection is gone.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._bell.wait()
        self._bell.clear()
        if self._connection.is_closed():
            raise ConnectionError("Postgres closed the connection")

    async def fetch(self, query: str, *arguments: object) -> Sequence[asyncpg.Record]:
        """Run one statement on its own and return its rows."""
        with Meaning(self._connection.is_closed):
            return await self._connection.fetch(query, *arguments)


def _connector(url: str, *, is_read_only: bool, timeout_seconds: float) -> Connect:
    settings = {
        "application_name": "idnode",
        "statement_timeout": str(round(timeout_seconds * 1000)),
        "idle_in_transaction_session_timeout": str(IDLE_IN_TRANSACTION_SECONDS * 1000),
        "enable_seqscan": "off",  # A plan made while a table was small must not be kept when it has grown.
        "jit": "off",  # Compiling takes longer than any of our statements.
    }

    if is_read_only:
        settings["default_transaction_read_only"] = "on"

    async def connect(*_: object, **_of_the_pool: object) -> Connection:
        return await asyncpg.connect(
            url,
            timeout=ACQUIRE_TIMEOUT_SECONDS,
            command_timeout=timeout_seconds,
            max_cached_statement_lifetime=0,
            server_settings=settings,
            target_session_attrs=None if is_read_only else SessionAttribute.read_write,
        )

    return connect


@asynccontextmanager
async def _while_connected(connection: AnyConnection, timeout_seconds: float) -> AsyncIterator[None]:
    """End what happens inside at its deadline, or when the connection is lost.

    The driver looks at neither while its COPY waits for room to write (asyncpg 0.32, Protocol.copy_in).

    Raises:
        ConnectionError: the connection was lost.
        TimeoutError: the deadline has passed.
    """
    deadline = asyncio.timeout(timeout_seconds)

    def end(_: object) -> None:
        with suppress(RuntimeError):  # It has ended already.
            deadline.reschedule(0)

    connection.add_termination_listener(end)
    try:
        async with deadline:
            yield
    except TimeoutError:
        if _is_gone(connection):
            raise ConnectionError("Postgres closed the connection") from None
        raise
    finally:
        with suppress(asyncpg.InterfaceError):  # The pool has taken a lost connection back already.
            connection.remove_termination_listener(end)


async def _check_durability(connection: AnyConnection) -> None:
    for name, value in await connection.fetch(_SQL["settings"], list(DURABLE)):
        if value not in DURABLE[name]:
            raise SettingUnsafe(name, value)


async def _leave_as_it_is(_connection: AnyConnection) -> None:
    """Nothing here outlives a transaction, so the round trip of the driver's reset is saved."""


def _is_gone(connection: AnyConnection) -> bool:
    try:
        return connection.is_closed()
    except asyncpg.InterfaceError:  # The pool has taken a lost connection back already.
        return True


def _cut(connection: AnyConnection) -> None:
    with suppress(asyncpg.InterfaceError):  # The same.
        connection.terminate()
