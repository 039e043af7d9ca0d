"""Decided changes travel to the register together, so that many of them share one transaction and its fsync.

One transaction is under way at a time; what is decided meanwhile waits and forms the next. Changes of one key follow
one another in the order in which they came.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, NamedTuple

from resolver.sources import ChangeResult, RecordChange, RecordWriter

BATCH_CHANGES_MAX: Final = 128
"""Changes in one transaction: beyond it the cost of an fsync for each is below a tenth of the rest."""

WAITING_CHANGES_MAX: Final = 4_096
"""Changes that wait in one worker, some seconds of work; more are told to come later."""

Applied = tuple[ChangeResult, int]
"""What became of a change, and the revision of its record now."""


class _Waiting(NamedTuple):
    key: bytes
    change: RecordChange
    applied: asyncio.Future[Applied]


class Changes:
    """Applies changes in batches.

    Args:
        writer: the register.
        changed: told of every key that was changed, before those who wait for it are.
        tell_others: likewise, for whoever remembers records elsewhere; never raises, and takes little time.
    """

    def __init__(
        self,
        writer: RecordWriter,
        changed: Callable[[Sequence[bytes]], None],
        tell_others: Callable[[Sequence[bytes]], Awaitable[None]] | None = None,
    ) -> None:
        self._writer = writer
        self._changed = changed
        self._tell_others = tell_others
        self._waiting: deque[_Waiting] = deque()
        self._writing: asyncio.Task[None] | None = None

    async def apply(self, key: bytes, change: RecordChange) -> Applied:
        """Apply `change` to the record under `key` and return what became of it.

        Who is cancelled before its turn has changed nothing.

        Raises:
            ConnectionError: the register cannot be reached, or too much is waiting for it.
            TimeoutError: it did not answer in time.
        """
        if len(self._waiting) >= WAITING_CHANGES_MAX:
            raise ConnectionError("too many changes are waiting")
        loop = asyncio.get_running_loop()
        applied: asyncio.Future[Applied] = loop.create_future()
        self._waiting.append(_Waiting(key, change, applied))
        if self._writing is None:
            self._writing = loop.create_task(self._write())
        return await applied

    async def _write(self) -> None:
        try:
            while self._waiting:
                await self._write_batch(self._next_batch())
        finally:
            self._writing = None

    def _next_batch(self) -> Sequence[_Waiting]:
        """Take the first changes that wait, one for each key; the others keep their order."""
        batch: dict[bytes, _Waiting] = {}
        postponed: list[_Waiting] = []
        while self._waiting and len(batch) < BATCH_CHANGES_MAX:
            waiting = self._waiting.popleft()
            if waiting.applied.done():  # Given up.
                continue
            if batch.setdefault(waiting.key, waiting) is not waiting:
                postponed.append(waiting)
        self._waiting.extendleft(reversed(postponed))
        return tuple(batch.values())

    async def _write_batch(self, batch: Sequence[_Waiting]) -> None:
        try:
            results = await self._writer.apply([waiting.change for waiting in batch]) if batch else ()
        except Exception as error:  # noqa: BLE001 - every one of them gets it, and tells an outage from a bug
            # Nobody knows what was stored; and whoever waits would only wait as long again for the same.
            self._changed([waiting.key for waiting in batch])
            everybody = (*batch, *self._waiting)
            self._waiting.clear()
            _fail(everybody, error)
        else:
            await self._land(batch, results)
        finally:
            for waiting in batch:
                waiting.applied.cancel()  # Does nothing to one that has its result.

    async def _land(self, batch: Sequence[_Waiting], results: Sequence[Applied]) -> None:
        pairs = tuple(zip(batch, results, strict=True))
        changed = [waiting.key for waiting, (result, _) in pairs if result is ChangeResult.DONE]
        self._changed(changed)
        if changed and self._tell_others is not None:
            await self._tell_others(changed)
        for waiting, result in pairs:
            if not waiting.applied.done():
                waiting.applied.set_result(result)


def _fail(everybody: Sequence[_Waiting], error: Exception) -> None:
    for waiting in everybody:
        if not waiting.applied.done():
            waiting.applied.set_exception(error)
