"""The stored records: read by key or walked in key order, and written in transactions of many.

A deleted record leaves a tombstone, a row without values, so that its revision goes on when the handle comes back.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Final

from handle_protocol.handle import Handle, Prefix
from handle_protocol.record import NO_VALUES, HandleRecord
from registry.changes import announce
from registry.database import Database
from registry.outcomes import Outcome, RefusalReason
from registry.placement import HOLD_STILL, place
from registry.queries import queries
from registry.value_lists import is_too_long
from registry.writing import Put, bury

PAGE_RECORDS: Final = 500
"""Records read at a time when walking: some 150 kB as a rule, 128 MB if each were as long as a message can be."""

CHANGE_RECORDS_MAX: Final = 100_000
"""Records in one transaction: the longest import that is all or nothing; some seconds."""

_SQL: Final = queries("records")


class RecordReader:
    """Reads records. Everything raises ConnectionError or TimeoutError in an outage."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def fetch(self, keys: Sequence[bytes]) -> Mapping[bytes, HandleRecord]:
        """Return the records that exist among `keys` (see Handle.key), in one query, with the registered spelling."""
        rows = await self._database.fetch(_SQL["fetch"], keys)
        return {key: _record(key, spelling, value_list, revision) for key, spelling, value_list, revision in rows}

    async def walk(self, prefix: Prefix | None = None) -> AsyncIterator[HandleRecord]:
        """Yield all records, or those below `prefix` and the prefixes derived from it, in the order of their keys.

        Each page is read on its own: what changes during the walk may or may not be met, but nothing comes twice.
        """
        after, before = (b"", None) if prefix is None else key_range(prefix)
        async for record in self._walk(after, before):
            yield record

    async def walk_prefix_handles(self, prefix: Prefix) -> AsyncIterator[HandleRecord]:
        """Yield the records that describe `prefix` and the prefixes derived from it (0.NA/...), as `walk` does."""
        key = prefix.handle.key()
        for record in (await self.fetch([key])).values():
            yield record
        async for record in self._walk(key + b".", key + b"/"):
            yield record

    async def _walk(self, after: bytes, before: bytes | None) -> AsyncIterator[HandleRecord]:
        while rows := await self._database.fetch(_SQL["walk"], after, before, PAGE_RECORDS):
            for row in rows:
                yield _record(*row)
            after = rows[-1]["key"]

    async def estimate_count(self) -> int:
        """Return about how many records there are, deleted ones included, without counting them."""
        (row,) = await self._database.fetch(_SQL["estimate"])
        count: int = row[0]
        return count


class RecordSource:
    """Reads records for those who remember what they read. Raises as RecordReader."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def fetch(self, keys: Sequence[bytes]) -> Mapping[bytes, HandleRecord]:
        """Return the records among `keys` in one query: those that exist, and those that were deleted as such."""
        rows = await self._database.fetch(_SQL["fetch_all"], keys)
        return {key: _record(key, spelling, value_list, revision) for key, spelling, value_list, revision in rows}


class RecordStore:
    """Writes records, many in one transaction; what it returns is on disk.

    Everything raises ConnectionError or TimeoutError in an outage. Then it may or may not have been stored, and doing
    it again is safe. Writers never wait for each other in a circle: keys are inserted, then locked, in their order.
    """

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock
        self._expects_new = True

    async def put(self, records: Sequence[HandleRecord], *, are_stamped: bool = False) -> Sequence[Outcome]:
        """Store `records` (at most CHANGE_RECORDS_MAX) and return what became of each, in their order.

        CREATED, CHANGED, SAME or REFUSED. A value without a stamp gets the present time; one that was stored already
        keeps its stamp, and a record that differs in stamps alone stays as it is. What is not refused is stored, also
        when others are. The first of several records with one key counts.

        Args:
            records: what to store.
            are_stamped: whoever made the value lists has checked them and stamped every value, so that they need not
                be looked through once more; that is half the time of storing.

        Raises:
            MalformedMessage: a value list is none; nothing was stored.
        """
        _check_number(records)
        async with self._database.transaction(HOLD_STILL) as transaction:
            placement = await place(transaction, [record.handle for record in records])
            too_long = {position for position, record in enumerate(records) if is_too_long(record.value_list)}
            if too_long:
                placement = placement.without(too_long, RefusalReason.TOO_LONG)
            now = None if are_stamped else round(self._clock())
            put = Put(records, placement, now, expects_new=self._expects_new)
            written = await put.run(transaction)
            self._expects_new = len(written) == len(placement.positions)
            if written:
                await announce(transaction, written)
        return placement.outcomes

    async def delete(self, handles: Sequence[Handle]) -> Sequence[Outcome]:
        """Delete the records of `handles` (at most CHANGE_RECORDS_MAX) and return what became of each, in their order.

        DELETED, MISSING or REFUSED. What was left behind under a prefix that is delegated may be deleted.
        """
        _check_number(handles)
        async with self._database.transaction(HOLD_STILL) as transaction:
            placement = await place(transaction, handles, tolerated=RefusalReason.DELEGATED)
            deleted = await bury(transaction, placement)
            if deleted:
                await announce(transaction, deleted)
        return placement.outcomes


def key_range(prefix: Prefix) -> tuple[bytes, bytes]:
    """Return between which keys, both excluded, the records below `prefix` and its derived prefixes stand.

    The octets ".", "/" and "0" follow one another: derived prefixes, own handles, and the first key beyond both.
    """
    return prefix.key + b".", prefix.key + b"0"


def _record(key: bytes, spelling: bytes | None, value_list: bytes | None, revision: int) -> HandleRecord:
    handle = Handle((spelling or key).decode())
    return HandleRecord(handle, value_list or NO_VALUES, revision, is_deleted=value_list is None)


def _check_number(changes: Sequence[object]) -> None:
    if len(changes) > CHANGE_RECORDS_MAX:
        raise ValueError(f"at most {CHANGE_RECORDS_MAX} records in one transaction, not {len(changes)}")
