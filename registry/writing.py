"""How placed records get into their table: inserted if new, else compared, and rewritten only if they differ.

No two writers wait for each other in a circle. Each inserts first and then locks what existed, both in key order.
Whoever still inserts may wait for anybody, but holds only rows that nobody else can see yet; whoever locks waits only
for others that lock.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from typing import Final, NamedTuple

from handle_protocol.record import HandleRecord
from registry.database import Transaction
from registry.errors import RecordExists
from registry.outcomes import OutcomeKind
from registry.placement import Placement
from registry.queries import queries
from registry.value_lists import are_equal_but_for_stamps, keep_stamps, stamp

FEW_RECORDS: Final = 100
"""So many go in one statement, which for one record takes half the time of the way through a table; more of them
take two thirds of the time when copied."""

STATEMENT_ROWS: Final = 500
"""Rows read back or rewritten at a time: as a rule 150 kB, at most 128 MB."""

BULK_TIMEOUT_SECONDS: Final = 60.0
"""For copying and inserting the largest change on a slow disk."""

TABLE: Final = "record"
STAGING: Final = "staging"

_SQL: Final = queries("records")


class Row(NamedTuple):
    """A record as it is stored; a spelling of None is that of the key, a value list of None a tombstone."""

    key: bytes
    spelling: bytes | None
    value_list: bytes | None


class Put:
    """Records on their way into the table, within one transaction."""

    def __init__(
        self, records: Sequence[HandleRecord], placement: Placement, now: int | None, *, expects_new: bool
    ) -> None:
        """Take `records` to the places they have.

        Args:
            records: what to store.
            placement: and where.
            now: Unix seconds, the stamp of values without one; None = all have theirs.
            expects_new: whether all of them are probably new: then it is tried to copy them straight into the table.
        """
        self._expects_new = expects_new
        self._records = records
        self._placement = placement
        self._now = now

    async def run(self, transaction: Transaction) -> Sequence[bytes]:
        """Store the records, note what became of each, and return the keys that were written.

        Copying straight into the table takes half of Postgres' time, but ends at the first record that is there
        already; then all go through the staging table.

        Raises:
            MalformedMessage: a value list is none.
        """
        positions = self._placement.positions
        inserted = await self._insert(transaction)
        self._placement.note(positions, OutcomeKind.CREATED)
        same: set[bytes] = set()
        if inserted < len(positions):
            for keys in _in_parts(positions):
                same.update(await self._settle(transaction, keys))
            self._placement.note(same, OutcomeKind.SAME)
        return [key for key in positions if key not in same]

    async def _insert(self, transaction: Transaction) -> int:
        """Insert what is new, in key order, and return how many that were."""
        count = len(self._placement.positions)
        if count <= FEW_RECORDS:
            return await _write(transaction, "insert", self._rows())
        await transaction.execute(_SQL["allow_time"])
        if self._expects_new:
            with suppress(RecordExists):
                async with transaction.attempt():
                    await self._copy(transaction, TABLE)
                return count
        await transaction.execute(_SQL["prepare_staging"])
        await self._copy(transaction, STAGING)
        return await transaction.execute(_SQL["insert_staged"], timeout_seconds=BULK_TIMEOUT_SECONDS)

    async def _copy(self, transaction: Transaction, table: str) -> None:
        await transaction.copy(table, Row._fields, self._rows(), timeout_seconds=BULK_TIMEOUT_SECONDS)

    def _rows(self) -> Iterator[tuple[bytes, bytes | None, bytes]]:
        return (self._row(key, position) for key, position in self._placement.positions.items())

    async def _settle(self, transaction: Transaction, keys: Sequence[bytes]) -> Iterable[bytes]:
        """Rewrite the rows that existed before and differ, and return the keys of those that stay as they are.

        They are compared twice, because locking a row writes to it: of a million equal rows none is touched.
        """
        existing = [Row(*row) for row in await transaction.fetch(_SQL["existing"], keys)]
        differing = [row.key for row in existing if not self._is_same(row)]
        if not differing:
            return {row.key for row in existing}
        locked = [Row(*row) for row in await transaction.fetch(_SQL["lock"], differing)]
        outdated = [row for row in locked if not self._is_same(row)]
        await _write(transaction, "update", map(self._merged, outdated))
        self._placement.note((row.key for row in outdated if row.value_list is not None), OutcomeKind.CHANGED)
        return {row.key for row in existing} - {row.key for row in outdated}

    def _row(self, key: bytes, position: int) -> tuple[bytes, bytes | None, bytes]:
        record = self._records[position]
        spelling = record.handle.spelling.encode()
        value_list = record.value_list if self._now is None else stamp(record.value_list, self._now)
        return key, None if spelling == key else spelling, value_list

    def _is_same(self, stored: Row) -> bool:
        given = self._records[self._placement.positions[stored.key]]
        return stored.value_list is not None and are_equal_but_for_stamps(given.value_list, stored.value_list)

    def _merged(self, stored: Row) -> Row:
        """Return the row that replaces `stored`: a living record keeps its spelling and the stamps of equal values."""
        given = Row(*self._row(stored.key, self._placement.positions[stored.key]))
        if given.value_list is None or stored.value_list is None:
            return given
        return Row(stored.key, stored.spelling, keep_stamps(given.value_list, stored.value_list))


async def bury(transaction: Transaction, placement: Placement) -> Sequence[bytes]:
    """Make tombstones of the placed records, note what became of each, and return the keys that were written."""
    buried: list[bytes] = []
    for keys in _in_parts(placement.positions):
        locked = [Row(*row) for row in await transaction.fetch(_SQL["lock"], keys)]
        alive = [row.key for row in locked if row.value_list is not None]
        await _write(transaction, "update", (Row(key, None, None) for key in alive))
        buried += alive
    placement.note(placement.positions, OutcomeKind.MISSING)
    placement.note(buried, OutcomeKind.DELETED)
    return buried


async def _write(transaction: Transaction, query: str, rows: Iterable[Sequence[bytes | None]]) -> int:
    columns = tuple(zip(*rows, strict=True))
    return await transaction.execute(_SQL[query], *columns) if columns else 0


def _in_parts(keys: Iterable[bytes]) -> Iterator[Sequence[bytes]]:
    remaining = iter(keys)
    while part := list(islice(remaining, STATEMENT_ROWS)):
        yield part
