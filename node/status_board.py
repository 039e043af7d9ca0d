"""Which workers are ready: a small file that every process of a node maps into its memory.

One octet for each place; a worker process has one place as long as it lives. A load balancer that asks any one of the
processes hears about all of them.
"""

from __future__ import annotations

import mmap
from enum import IntEnum
from pathlib import Path
from typing import Final

PLACES: Final = 1024
"""More workers than any machine has cores for, those included that are being replaced."""


class WorkerState(IntEnum):
    """What the process at a place is doing. The numbers are what stands in the file."""

    ABSENT = 0
    EXPECTED = 1
    """It is being started; the node is not ready without it."""
    READY = 2
    DRAINING = 3
    """It finishes what is in flight and takes nothing new."""
    SPARE = 4
    """It is being started beside the one it will replace; nobody waits for it."""


class StatusBoard:
    """The board of one node. Single octets are written, so processes need no lock."""

    def __init__(self, octets: mmap.mmap) -> None:
        self._octets = octets

    @classmethod
    def create(cls, path: Path) -> StatusBoard:
        """Make an empty board in place of the one that may be there.

        Raises:
            OSError: the file cannot be written.
        """
        path.unlink(missing_ok=True)  # processes of an earlier run keep their own
        path.write_bytes(bytes(PLACES))
        return cls.open(path)

    @classmethod
    def open(cls, path: Path) -> StatusBoard:
        """Look at a board that exists.

        Raises:
            OSError: there is none.
            ValueError: it has another size.
        """
        with path.open("r+b") as file:
            return cls(mmap.mmap(file.fileno(), PLACES))

    def set_state(self, place: int, state: WorkerState) -> None:
        """Say what the process at `place` is doing."""
        self._octets[place] = state

    def set_ready(self, place: int) -> None:
        """Say that the worker at `place` serves."""
        self.set_state(place, WorkerState.READY)

    def state(self, place: int) -> WorkerState:
        """Return what the process at `place` is doing."""
        return WorkerState(self._octets[place])

    def claim(self, state: WorkerState) -> int:
        """Give the first free place to a process that is in `state`. Only the supervisor does so.

        Raises:
            LookupError: there are as many processes as places.
        """
        place = self._octets.find(bytes([WorkerState.ABSENT]))
        if place < 0:
            raise LookupError("no place is left on the status board")
        self.set_state(place, state)
        return place

    def are_all_ready(self) -> bool:
        """Tell whether the node serves with every worker that it should have."""
        states = self._octets[:]
        return WorkerState.READY in states and WorkerState.EXPECTED not in states
