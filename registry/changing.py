"""Decided changes of records: stored if the record is still the one that was decided upon, and remembered by author.

Nothing is decided here. Who changes a record says which revision it had, and looks again when it has another one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from handle_protocol.handle import Handle
from handle_protocol.record import ChangeResult, RecordChange
from registry.database import Database, Transaction
from registry.outcomes import Outcome, RefusalReason
from registry.placement import HOLD_STILL, Placement, place
from registry.queries import queries
from registry.value_lists import is_too_long

CHANGES_MAX: Final = 1_000
"""Changes in one transaction: of the longest records still 260 MB, of usual ones 50 ms."""

_SQL: Final = queries("history")

_RESULTS: Final[Mapping[RefusalReason | None, ChangeResult]] = {
    None: ChangeResult.CONFLICT,
    RefusalReason.NOT_OURS: ChangeResult.NOT_OURS,
    RefusalReason.SUSPENDED: ChangeResult.SUSPENDED,
    RefusalReason.DELEGATED: ChangeResult.DELEGATED,
    RefusalReason.TOO_LONG: ChangeResult.TOO_LONG,
    RefusalReason.DUPLICATE: ChangeResult.CONFLICT,  # The first one has changed the revision.
}


class Decided(NamedTuple):
    """A change as the database gets it: the columns of its statement."""

    key: bytes
    spelling: bytes | None
    value_list: bytes | None
    expected_revision: int
    identity: bytes


class RecordWriter:
    """Applies decided changes, many in one transaction; what is DONE is on disk.

    Everything raises ConnectionError or TimeoutError in an outage. Then it may or may not have been stored; doing it
    again is safe, because the revision tells. It never waits in a circle with RecordStore: both insert, then lock.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def apply(self, changes: Sequence[RecordChange]) -> Sequence[tuple[ChangeResult, int]]:
        """Store what still fits and return for each change its result and the revision of its record.

        Four round trips, however many changes there are. The revision is the new one when DONE, and in a CONFLICT
        that of the last change or deletion, 0 where nothing is known of it.

        Args:
            changes: at most CHANGES_MAX. Value lists are stored as they are. Of several changes of one handle the
                first counts, the others conflict; so does a deletion of what is not there.

        Raises:
            ValueError: there are more.
        """
        if len(changes) > CHANGES_MAX:
            raise ValueError(f"at most {CHANGES_MAX} changes in one transaction, not {len(changes)}")
        if not changes:
            return ()
        too_long = {position for position, change in enumerate(changes) if is_too_long(change.value_list or b"")}
        async with self._database.transaction(HOLD_STILL) as transaction:
            placement = await place(transaction, [change.handle for change in changes])
            placement = placement.without(too_long, RefusalReason.TOO_LONG) if too_long else placement
            written = await write(transaction, _decided(changes, placement))
        results = [(_result(outcome), 0) for outcome in placement.outcomes]
        for key, position in placement.positions.items():
            results[position] = written[key]
        return results


async def write(transaction: Transaction, decided: Iterable[Decided]) -> Mapping[bytes, tuple[ChangeResult, int]]:
    """Store changes, in the order of their keys, and return what became of each: DONE or CONFLICT, see `apply`."""
    columns = tuple(zip(*decided, strict=True))
    rows = await transaction.fetch(_SQL["write"], *columns) if columns else ()
    return {row["key"]: _written(row["new_revision"], row["found_revision"]) for row in rows}


def identity_key(identity: str) -> bytes:
    """Return the octets under which is kept what `identity` did; those of 300:88.118.8 are 300:0.NA/88.118.8."""
    index, colon, name = identity.partition(":")
    return f"{index}:".encode() + Handle(name).key() if colon else identity.encode()


def _written(new_revision: int | None, found_revision: int | None) -> tuple[ChangeResult, int]:
    if new_revision is None:
        return ChangeResult.CONFLICT, found_revision or 0
    return ChangeResult.DONE, new_revision


def _decided(changes: Sequence[RecordChange], placement: Placement) -> Iterable[Decided]:
    for key, position in placement.positions.items():
        change = changes[position]
        spelling = change.handle.spelling.encode()
        identity = identity_key(change.identity)
        yield Decided(key, None if spelling == key else spelling, change.value_list, change.expected_revision, identity)


def _result(outcome: Outcome) -> ChangeResult:
    return _RESULTS[outcome.reason]
