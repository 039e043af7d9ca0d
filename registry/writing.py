"""How placed records get into their table: inserted if new, else compared, and rewritten only if they differ.

No two writers wait for each other in a circle. Each inserts first, in key order, and then locks what existed, in key
order; it waits while inserting only for rows that another has inserted, and while locking only for rows that another
has locked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Final, NamedTuple

from handle_protocol.record import HandleRecord
from registry.database import Transaction
from registry.outcomes import OutcomeKind
from registry.placement import Placement
from registry.queries import queries
from registry.value_lists import are_equal_but_for_stamps, keep_stamps, stamp

STATEMENT_ROWS: Final = 2_000
STATEMENT_OCTETS: Final = 4 * 1024 * 1024
"""What one statement carries at most, unless a single record is longer."""

_SQL: Final = queries("records")


class Row(NamedTuple):
    """A record as it is stored; a spelling of None is that of the key, a value list of None a tombstone."""

    key: bytes
    spelling: bytes | None
    value_list: bytes | None


class Put:
    """Records on their way into the table, within one transaction."""

    def __init__(self, records: Sequence[HandleRecord], placement: Placement, now: int) -> None:
        """Take `records` to the places they have; `now` (Unix seconds) is the stamp of values without one."""
        self._records = records
        self._placement = placement
        self._now = now

    async def run(self, transaction: Transaction) -> Sequence[bytes]:
        """Store the records, note what became of each, and return the keys that were written.

        Raises:
            MalformedMessage: a value list is none.
        """
        met = [rows for rows in self._parts() if await _write(transaction, "insert", rows) < len(rows)]
        self._placement.note(self._placement.positions, OutcomeKind.CREATED)
        same: set[bytes] = set()
        for rows in met:
            same.update(await self._settle(transaction, {row.key: row for row in rows}))
        self._placement.note(same, OutcomeKind.SAME)
        return [key for key in self._placement.positions if key not in same]

    def _parts(self) -> Iterator[Sequence[Row]]:
        rows, octets = [], 0
        for key, position in self._placement.positions.items():
            record = self._records[position]
            spelling = record.handle.spelling.encode()
            rows.append(Row(key, None if spelling == key else spelling, stamp(record.value_list, self._now)))
            octets += len(record.value_list)
            if len(rows) == STATEMENT_ROWS or octets >= STATEMENT_OCTETS:
                yield rows
                rows, octets = [], 0
        if rows:
            yield rows

    async def _settle(self, transaction: Transaction, given: Mapping[bytes, Row]) -> Iterable[bytes]:
        """Rewrite the rows that existed before and differ, and return the keys of those that stay as they are.

        They are compared twice, because locking a row writes to it: of a million equal rows none is touched.
        """
        existing = [Row(*row) for row in await transaction.fetch(_SQL["existing"], list(given))]
        differing = [row.key for row in existing if not _is_same(given[row.key], row)]
        locked = [Row(*row) for row in await transaction.fetch(_SQL["lock"], differing)]
        outdated = [row for row in locked if not _is_same(given[row.key], row)]
        await _write(transaction, "update", [_merged(given[row.key], row) for row in outdated])
        self._placement.note((row.key for row in outdated if row.value_list is not None), OutcomeKind.CHANGED)
        return {row.key for row in existing} - {row.key for row in outdated}


async def bury(transaction: Transaction, placement: Placement) -> Sequence[bytes]:
    """Make tombstones of the placed records, note what became of each, and return the keys that were written."""
    buried: list[bytes] = []
    keys = iter(placement.positions)
    while part := list(islice(keys, STATEMENT_ROWS)):
        locked = [Row(*row) for row in await transaction.fetch(_SQL["lock"], part)]
        alive = [row.key for row in locked if row.value_list is not None]
        await _write(transaction, "update", [Row(key, None, None) for key in alive])
        buried += alive
    placement.note(placement.positions, OutcomeKind.MISSING)
    placement.note(buried, OutcomeKind.DELETED)
    return buried


async def _write(transaction: Transaction, query: str, rows: Sequence[Row]) -> int:
    if not rows:
        return 0
    return await transaction.execute(_SQL[query], *zip(*rows, strict=True))


def _is_same(given: Row, stored: Row) -> bool:
    if given.value_list is None or stored.value_list is None:
        return given.value_list is stored.value_list
    return are_equal_but_for_stamps(given.value_list, stored.value_list)


def _merged(given: Row, stored: Row) -> Row:
    """Return the row that replaces `stored`: a record that lives keeps its spelling and the stamps of equal values."""
    if given.value_list is None or stored.value_list is None:
        return given
    return Row(stored.key, stored.spelling, keep_stamps(given.value_list, stored.value_list))
