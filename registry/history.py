"""Who changed which records: what some identities did since a time can be listed, and undone.

Only decided changes have an author; what is imported has none. Nothing here is ever deleted: how long the history is
kept is the operator's decision.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from handle_protocol.handle import Handle
from handle_protocol.record import ChangeResult
from registry.changing import Decided, identity_key, write
from registry.database import Database
from registry.placement import HOLD_STILL
from registry.queries import queries

if TYPE_CHECKING:
    import asyncpg

PAGE_ENTRIES: Final = 500
"""Entries read, or undone in one transaction: some 150 kB as a rule, 128 MB if each were as long as can be."""

UNDOING: Final = b"undo"
"""In whose name something is undone; no identity of the wire looks like this."""

_SQL: Final = queries("history")
_BEGINNING: Final = (datetime.min.replace(tzinfo=UTC), 0)

_Place = tuple[datetime, int]


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One change of one record.

    Attributes:
        at: when, Unix seconds.
        handle: as it was spelled before the change, or else as its key.
        revision: of the record after the change.
        former_value_list: the values before the change; None = there was no record.
    """

    at: float
    handle: Handle
    revision: int
    former_value_list: bytes | None


class UndoResult(StrEnum):
    """What became of a record whose changes were to be undone."""

    RESTORED = "restored"
    """It is as it was before, or deleted if it was not there."""
    SAME = "same"
    """It was so already."""
    CONFLICT = "conflict"
    """Somebody else changed it since then, so it was left as it is."""


class HistoryReader:
    """Reads who changed what. Raises ConnectionError or TimeoutError in an outage."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def walk(self, identities: Iterable[str], since: float) -> AsyncIterator[HistoryEntry]:
        """Yield what `identities`, such as 300:0.NA/88.118.8, changed from `since` (Unix seconds) on, oldest first."""
        place: _Place = _BEGINNING
        who = list(map(identity_key, identities))
        while rows := await self._database.fetch(_SQL["entries"], who, since, *place, PAGE_ENTRIES):
            for row in rows:
                handle = _handle(row["key"], row["spelling"])
                yield HistoryEntry(row["at_seconds"], handle, row["revision"], row["value_list"])
            place = _place(rows)


class Undoing:
    """Gives records the values back that they had before some identities changed them.

    Raises ConnectionError or TimeoutError in an outage; doing it again goes on where it ended. It asks for no prefix:
    whoever has to undo something has mostly suspended it.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def undo(self, identities: Iterable[str], since: float) -> AsyncIterator[tuple[Handle, UndoResult]]:
        """Undo what `identities` changed from `since` (Unix seconds) on, and yield each record and what became of it.

        They are one party, with whatever was undone of it before: a record goes back to what it was before the first
        of them. Each record comes once, with the page that has its first change. What they change meanwhile may or
        may not be undone: suspend their prefix first.
        """
        place: _Place = _BEGINNING
        who = list(map(identity_key, identities))
        while rows := await self._database.fetch(_SQL["touched"], who, since, *place, PAGE_ENTRIES):
            for undone in await self._undo_page(who, since, rows):
                yield undone
            place = _place(rows)

    async def _undo_page(
        self, identities: Sequence[bytes], since: float, rows: Sequence[asyncpg.Record]
    ) -> Sequence[tuple[Handle, UndoResult]]:
        keys, numbers = {row["key"] for row in rows}, [row["number"] for row in rows]
        async with self._database.transaction(HOLD_STILL) as transaction:
            spans = await transaction.fetch(_SQL["spans"], list(keys), identities, since, numbers, UNDOING)
            results = {span["key"]: _first_look(span) for span in spans}
            to_restore = [span for span in spans if results[span["key"]] is UndoResult.RESTORED]
            written = await write(transaction, map(_restored, to_restore))
        for key, (result, _) in written.items():
            if result is not ChangeResult.DONE:
                results[key] = UndoResult.CONFLICT
        return [
            (_handle(span["key"], span["former_spelling"] or span["spelling"]), results[span["key"]]) for span in spans
        ]


def _first_look(span: asyncpg.Record) -> UndoResult:
    if span["value_list"] == span["former_value_list"]:
        return UndoResult.SAME
    return UndoResult.RESTORED if span["is_by_one"] else UndoResult.CONFLICT


def _restored(span: asyncpg.Record) -> Decided:
    expected_revision = 0 if span["value_list"] is None else span["revision"]
    return Decided(span["key"], span["former_spelling"], span["former_value_list"], expected_revision, UNDOING)


def _place(rows: Sequence[asyncpg.Record]) -> _Place:
    return rows[-1]["at"], rows[-1]["number"]


def _handle(key: bytes, spelling: bytes | None) -> Handle:
    return Handle((spelling or key).decode())
