"""One flight per key: questions to the register travel together.

While queries are under way, what else is asked for waits and forms the next batch; so batches form by themselves,
without a timer, and the busier the node the larger they are. Whoever asks for a key that is already on its way
waits for the same answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from handle_protocol.record import HandleRecord
from resolver.sources import RecordSource

BATCH_KEYS_MAX: Final = 256
"""Keys in one query: beyond some hundred the cost per key no longer falls (measured)."""

Landing = asyncio.Future[HandleRecord | None]


class Flights:
    """Fetches records in batches.

    Args:
        source: the register.
        arrived: told of every key whose result may be remembered; a deleted record is told here alone.
        failed: told why a query brought nothing, before those who wait for it are.
        queries_max: how many batches may be under way at once.
    """

    def __init__(
        self,
        source: RecordSource,
        arrived: Callable[[bytes, HandleRecord | None], None],
        failed: Callable[[Exception], None],
        queries_max: int,
    ) -> None:
        self._source = source
        self._arrived = arrived
        self._failed = failed
        self._queries_max = queries_max
        self._waiting: dict[bytes, Landing] = {}
        self._flying: dict[bytes, Landing] = {}
        self._queries: set[asyncio.Task[None]] = set()

    def fetch(self, key: bytes) -> Landing:
        """Return the landing of `key`: the record as stored, None when there is none.

        Wait for it under asyncio.shield when the waiting may be cancelled: others wait for the same.

        Raises, when awaited:
            ConnectionError: the register cannot be reached.
            TimeoutError: it did not answer in time.
        """
        landing = self._waiting.get(key) or self._flying.get(key)
        if landing is None:
            landing = self._waiting[key] = asyncio.get_running_loop().create_future()
            if len(self._queries) < self._queries_max:
                query = asyncio.get_running_loop().create_task(self._fly())
                self._queries.add(query)
                query.add_done_callback(self._queries.discard)
        return landing

    def ground(self, key: bytes) -> None:
        """Note that `key` changed: a result already under way is no longer remembered, nor shared with new askers."""
        self._flying.pop(key, None)

    def ground_all(self) -> None:
        """Do so for every key."""
        self._flying.clear()

    async def _fly(self) -> None:
        while self._waiting:
            await self._fly_batch(self._board())

    def _board(self) -> dict[bytes, Landing]:
        if len(self._waiting) <= BATCH_KEYS_MAX:
            batch, self._waiting = self._waiting, {}
        else:
            keys = [key for key, _ in zip(self._waiting, range(BATCH_KEYS_MAX), strict=False)]
            batch = {key: self._waiting.pop(key) for key in keys}
        self._flying.update(batch)
        return batch

    async def _fly_batch(self, batch: dict[bytes, Landing]) -> None:
        try:
            records = await self._source.fetch(tuple(batch))
        except Exception as error:  # noqa: BLE001 - every asker gets it, and tells an outage from a bug
            self._failed(error)
            # Whoever waits for the next batch would only wait as long again for the same.
            waiting, self._waiting = self._waiting, {}
            _fail((*batch.values(), *waiting.values()), error)
        else:
            for key, landing in batch.items():
                self._land(key, landing, records.get(key))
        finally:
            for key, landing in batch.items():
                landing.cancel()  # Does nothing to one that has landed.
                if self._flying.get(key) is landing:
                    del self._flying[key]

    def _land(self, key: bytes, landing: Landing, record: HandleRecord | None) -> None:
        if self._flying.get(key) is landing:
            self._arrived(key, record)
        if not landing.done():
            landing.set_result(None if record is None or record.is_deleted else record)


def _fail(landings: Sequence[Landing], error: Exception) -> None:
    for landing in landings:
        if not landing.done():
            landing.set_exception(error)
            landing.exception()  # Seen: nobody may be waiting any more.
