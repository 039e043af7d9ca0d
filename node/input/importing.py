"""Imports a file into the register: the next rows are read while the last are being stored.

Each batch is one durable transaction. An import that was cut off, by whatever, may be run again: rows that are stored
already count as the same, and nothing is doubled.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Final, Protocol

from handle_protocol.handle import Handle
from handle_protocol.limits import VALUE_LIST_OCTETS_MAX
from handle_protocol.record import HandleRecord
from node.errors import NodeError, Text
from node.input.batch import Batch
from node.input.limits import HANDLE_CHARACTERS_SHOWN
from node.input.problems import Problem, RowError, RowProblem
from registry.outcomes import Outcome, OutcomeKind, RefusalReason

OUTAGE_SECONDS_MAX: Final = 60.0
"""How long an import waits for a database that is gone: long enough for a restart or a failover."""

RETRY_SECONDS: Final = (0.25, 0.5, 1.0, 2.0)
"""Pauses between attempts; the last repeats."""

TRANSACTIONS_AT_ONCE: Final = 2
"""While one is with Postgres, the next is being prepared here."""

_PROBLEMS: Final = {
    RefusalReason.NOT_OURS: Problem.PREFIX_NOT_OURS,
    RefusalReason.SUSPENDED: Problem.PREFIX_SUSPENDED,
    RefusalReason.DELEGATED: Problem.PREFIX_DELEGATED,
    RefusalReason.DUPLICATE: Problem.SAME_BUT_FOR_CASE,
    RefusalReason.TOO_LONG: Problem.RECORD_TOO_LONG,
}


class Store(Protocol):
    """Where records are put, see registry.records.RecordStore."""

    async def put(self, records: Sequence[HandleRecord], /, *, are_stamped: bool) -> Sequence[Outcome]:
        """Store records in one transaction and return what became of each."""


@dataclass(slots=True)
class Tally:
    """How many rows of a file ended how, so far.

    Attributes:
        octets_read: how far the file was read.
        is_waiting: the database is gone and the import waits for it.
    """

    created: int = 0
    changed: int = 0
    same: int = 0
    failed: int = 0
    octets_read: int = 0
    is_waiting: bool = False

    @property
    def stored(self) -> int:
        """How many rows are safely in the register."""
        return self.created + self.changed + self.same

    @property
    def rows(self) -> int:
        """How many rows were dealt with."""
        return self.stored + self.failed


class ImportStopped(NodeError):
    """The import ended before its file did."""


class Import:
    """One run of an import.

    Attributes:
        tally: what was done so far.
    """

    def __init__(
        self,
        store: Store,
        note_errors: Callable[[Sequence[RowError]], None],
        note_progress: Callable[[Tally], None] = lambda _: None,
        tally: Tally | None = None,
        outage_seconds_max: float = OUTAGE_SECONDS_MAX,
    ) -> None:
        """Prepare a run.

        Args:
            store: where the records go.
            note_errors: told of the rows that were not imported, at most once a batch, in their order.
            note_progress: told of the tally after each batch, and when waiting begins.
            tally: what to count in; None = a new one.
            outage_seconds_max: how long it waits for a database that is gone.
        """
        self._store = store
        self._note_errors = note_errors
        self._note_progress = note_progress
        self._outage_seconds_max = outage_seconds_max
        self.tally = tally or Tally()

    async def run(self, batches: AsyncGenerator[Batch, None]) -> Tally:
        """Store all batches, and close their source whatever happens.

        Raises:
            ImportStopped: the database was gone for too long.
            UnreadableFile: nothing more of the file can be understood.
        """
        gate = asyncio.Semaphore(TRANSACTIONS_AT_ONCE)
        try:
            async with aclosing(batches), asyncio.TaskGroup() as stores:
                async for batch in batches:
                    await gate.acquire()
                    stores.create_task(self._store_batch(batch)).add_done_callback(lambda _: gate.release())
        except BaseExceptionGroup as failed:
            raise failed.exceptions[0] from None
        return self.tally

    async def _store_batch(self, batch: Batch) -> None:
        outcomes = await self._put(batch.records) if batch.rows else ()
        refused = [
            _refusal(row, spelling, outcome.reason)
            for row, spelling, outcome in zip(batch.rows, batch.spellings, outcomes, strict=True)
            if outcome.reason is not None
        ]
        self._count(outcomes)
        self.tally.failed += len(batch.errors)
        self.tally.octets_read = max(self.tally.octets_read, batch.octets_read)
        if batch.errors or refused:
            self._note_errors(sorted(batch.errors + refused, key=lambda error: error.row))
        self._note_progress(self.tally)

    async def _put(self, records: Sequence[HandleRecord]) -> Sequence[Outcome]:
        """Store one batch, again and again while the database is gone: doing it twice changes nothing."""
        clock = asyncio.get_running_loop().time
        give_up_at = None
        for pause in chain(RETRY_SECONDS, repeat(RETRY_SECONDS[-1])):
            try:
                return await self._store.put(records, are_stamped=True)
            except (ConnectionError, TimeoutError) as error:
                give_up_at = give_up_at or clock() + self._outage_seconds_max
                if clock() >= give_up_at:
                    raise self._stopped() from error
            self.tally.is_waiting = True
            self._note_progress(self.tally)
            await asyncio.sleep(pause)
        raise AssertionError("a repetition has no end")

    def _count(self, outcomes: Sequence[Outcome]) -> None:
        kinds = [outcome.kind for outcome in outcomes]
        self.tally.created += kinds.count(OutcomeKind.CREATED)
        self.tally.changed += kinds.count(OutcomeKind.CHANGED)
        self.tally.same += kinds.count(OutcomeKind.SAME)
        self.tally.failed += kinds.count(OutcomeKind.REFUSED)
        self.tally.is_waiting = False

    def _stopped(self) -> ImportStopped:
        seconds, stored = round(self._outage_seconds_max), self.tally.stored
        return ImportStopped(
            Text(
                f"the database did not answer for {seconds} s; {stored} rows are safely stored",
                f"数据库 {seconds} 秒无响应;已有 {stored} 行安全入库",
            ),
            Text(
                "once it is back, run the same import again: rows that are stored already are not doubled",
                "数据库恢复后重新执行同一导入即可:已入库的行不会重复",
            ),
        )


def _refusal(row: int, spelling: str, reason: RefusalReason) -> RowError:
    problem = RowProblem(_PROBLEMS[reason], "handle", prefix=_prefix(Handle(spelling)), limit=VALUE_LIST_OCTETS_MAX)
    return RowError.of(row, spelling[:HANDLE_CHARACTERS_SHOWN], problem)


def _prefix(handle: Handle) -> str:
    """Return the prefix that decides about a handle: for a prefix handle, the one that it describes."""
    return str(handle.described_prefix or handle.prefix_spelling)
