"""The feed of committed changes, and how its table is kept short.

Numbers and times cannot tell what is new: a transaction that began earlier may commit later. What tells it is the
snapshot of the last look: a change is new exactly when its transaction had not ended for that snapshot.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from registry.database import Database, Listener, Transaction
from registry.queries import queries

RETENTION_SECONDS: Final = 3_600
"""How long changes are kept: longer than any restart of Postgres that a node should ride out with its caches."""

RESUME_SECONDS_MAX: Final = RETENTION_SECONDS // 2
"""A feed that has not looked for so long starts afresh; the other half covers clocks that disagree."""

LOOK_SECONDS: Final = 1.0
"""How often the feed looks when no bell rings."""

PURGE_ROWS: Final = 10_000
"""Changes deleted in one statement: a few milliseconds."""

CHANNEL: Final = "idnode_change"
"""The bell: notified at each commit that wrote a change."""

_SQL: Final = queries("changes")


@dataclass(frozen=True, slots=True)
class Change:
    """What one committed transaction changed.

    Attributes:
        record_keys: keys of the records it created, changed or deleted (see Handle.key).
        has_prefixes: whether it changed any registered prefix.
    """

    record_keys: Sequence[bytes] = ()
    has_prefixes: bool = False


@dataclass(frozen=True, slots=True)
class _Position:
    """Where a feed stands.

    Attributes:
        snapshot: which transactions had ended, as Postgres writes it.
        lineage: in whose history: the identifier of the server and its timeline.
        looked_at: seconds of the feed's clock.
    """

    snapshot: str
    lineage: str
    looked_at: float


class ChangeFeed:
    """Committed changes as they happen. One follower at a time: the feed remembers where it stands."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._clock = clock
        self._position: _Position | None = None

    async def follow(self) -> AsyncGenerator[Sequence[Change], None]:
        """Yield what was committed since the last look, at least once a second, an empty batch when nothing was.

        The first batch is empty and says that the feed is connected: whatever is read after it arrived is covered
        by later batches. Each change comes once, however the commits overtake each other.

        Raises:
            ConnectionError: the feed was lost; follow again to resume after the last batch.
            TimeoutError: the same.
            LookupError: too much time has passed, or this is another server or another history (after a failover
                or a restored backup); following again starts afresh, and everything learned before must be forgotten.
        """
        async with self._database.listen(CHANNEL) as listener:
            changes, position = await self._look(listener, self._position)
            self._position = self._position or position
            yield ()
            while True:
                yield changes
                # Only now has the follower dealt with them: one that failed gets them again.
                self._position = position
                await listener.wait(LOOK_SECONDS)
                changes, position = await self._look(listener, position)

    async def _look(self, listener: Listener, last: _Position | None) -> tuple[Sequence[Change], _Position]:
        began_at = self._clock()
        if last is not None and began_at - last.looked_at > RESUME_SECONDS_MAX:
            self._position = None
            raise LookupError(f"the last look was more than {RESUME_SECONDS_MAX} s ago")
        rows = await listener.fetch(_SQL["since"], None if last is None else last.snapshot)
        position = _Position(rows[0]["snapshot"], rows[0]["lineage"], began_at)
        if last is not None and position.lineage != last.lineage:
            self._position = None
            raise LookupError("this is another history than the one followed so far")
        return [Change(row["record_keys"], row["has_prefixes"]) for row in rows if row["number"] is not None], position


async def announce(transaction: Transaction, record_keys: Sequence[bytes] = (), *, has_prefixes: bool = False) -> None:
    """Write what `transaction` changed into the feed and ring its bell at the commit."""
    await transaction.execute(_SQL["announce"], record_keys, has_prefixes)


async def purge(database: Database, older_than_seconds: int = RETENTION_SECONDS) -> int:
    """Delete changes that no feed needs any more and return how many there were. Raises as Database."""
    deleted = 0
    while True:
        async with database.transaction() as transaction:
            count = await transaction.execute(_SQL["purge"], older_than_seconds, PURGE_ROWS)
        deleted += count
        if count < PURGE_ROWS:
            return deleted
