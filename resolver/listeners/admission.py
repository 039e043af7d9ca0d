"""Who may be connected, and for how long without doing anything: the same for every door that has connections."""

from __future__ import annotations

import asyncio
import time
from collections import Counter as Tally
from typing import Final, Protocol

from resolver.metrics import DoorTally

WATCH_SECONDS: Final = 0.5
"""How often deadlines are looked at."""


class Connection(Protocol):
    """An open connection.

    Attributes:
        deadline: when it is cut unless something happens, in seconds of the monotonic clock.
    """

    deadline: float

    def abort(self) -> None:
        """Cut it: closing would wait for a peer that does not read."""


class Admission:
    """The open connections of one door, bounded in all and for each address.

    Attributes:
        open: those that were taken in.
        tally: counts those that were not, and those that were cut.
    """

    def __init__(self, connections_max: int, per_address_max: int, tally: DoorTally) -> None:
        self._connections_max = connections_max
        self._per_address_max = per_address_max
        self._addresses: Tally[str] = Tally()
        self._is_empty = asyncio.Event()
        self.open: set[Connection] = set()
        self.tally = tally

    def admit(self, connection: Connection, address: str) -> bool:
        """Take a new connection in, unless there are too many."""
        if len(self.open) >= self._connections_max:
            self.tally.discarded["too_many_connections"] += 1
            return False
        if self._addresses[address] >= self._per_address_max:
            self.tally.discarded["too_many_connections_of_address"] += 1
            return False
        self.open.add(connection)
        self._addresses[address] += 1
        self._is_empty.clear()
        return True

    def dismiss(self, connection: Connection, address: str) -> None:
        """Forget a connection that was taken in."""
        self.open.discard(connection)
        self._addresses[address] -= 1
        if not self._addresses[address]:
            del self._addresses[address]
        if not self.open:
            self._is_empty.set()

    async def watch(self) -> None:
        """Cut every connection that is past its deadline, until cancelled."""
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            now = time.monotonic()
            for connection in [each for each in self.open if each.deadline < now]:
                self.tally.discarded["too_slow"] += 1
                connection.abort()

    async def empty(self, seconds: float) -> None:
        """Wait `seconds` for the last connection to end, then cut those that are left."""
        if self.open:
            try:
                async with asyncio.timeout(seconds):
                    await self._is_empty.wait()
            except TimeoutError:
                for connection in tuple(self.open):
                    connection.abort()
