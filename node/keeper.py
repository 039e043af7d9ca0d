"""Keeping a process alive: whatever ends unasked is started again, more slowly the more often it ends at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, Generic, Protocol, TypeVar

import structlog

from node.errors import NodeError

FIRST_DELAY_SECONDS: Final = 0.1
DELAY_SECONDS_MAX: Final = 30.0
"""A full disk or a broken set-up must not become a busy loop."""

STEADY_SECONDS: Final = 10.0
"""Who lived this long gets the first, short delay again."""


class Keepable(Protocol):
    """A process that can be kept: each instance is started once."""

    @property
    def pid(self) -> int | None:
        """Its process id, None before the start."""

    async def start(self) -> None:
        """Start it and return when it may be used. Raises NodeError or OSError when it does not start."""

    async def wait(self) -> int:
        """Wait until it has ended and return its exit status."""

    async def stop(self) -> None:
        """End it within its deadlines, if it has not ended already, and give back what it held."""


Kept = TypeVar("Kept", bound=Keepable)


class Keeper(Generic[Kept]):
    """Keeps one process; its successors are made by `make`.

    Attributes:
        name: in logs, such as postgres or worker.
        running: the process of the moment.
    """

    def __init__(self, name: str, make: Callable[[], Kept], first: Kept | None = None) -> None:
        """Keep `first`, not started yet, or the first that `make` makes; it may raise as a start does."""
        self.name = name
        self.running = first or make()
        self._make = make
        self._replaced: Kept | None = None
        self._task: asyncio.Task[None] | None = None
        self._delay_seconds = FIRST_DELAY_SECONDS
        self._started_at = 0.0

    async def start(self, tasks: asyncio.TaskGroup) -> None:
        """Start the process for the first time and keep it from then on.

        Raises:
            NodeError: it does not start.
            OSError: the same.
        """
        await self.running.start()
        self._note_start()
        self._task = tasks.create_task(self._keep(), name=f"keep {self.name}")

    async def replace(self, successor: Kept) -> None:
        """Let `successor`, which runs already, take the place; then end the one before."""
        replaced, self._replaced, self.running = self.running, self.running, successor
        self._note_start()
        await replaced.stop()
        self._replaced = None

    async def stop(self) -> None:
        """End the process and do not start it again; end also the one whose replacement was interrupted."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
        await asyncio.gather(*(process.stop() for process in (self.running, self._replaced) if process))

    async def _keep(self) -> None:
        while True:
            watched = self.running
            status = await watched.wait()
            if watched is self.running:  # otherwise it was replaced
                _logger().warning("process_ended", kept=self.name, pid=watched.pid, status=status)
                await self._start_again()

    async def _start_again(self) -> None:
        now = asyncio.get_running_loop().time
        while True:
            if now() - self._started_at > STEADY_SECONDS:
                self._delay_seconds = FIRST_DELAY_SECONDS
            await asyncio.sleep(self._delay_seconds)
            self._delay_seconds = min(self._delay_seconds * 2, DELAY_SECONDS_MAX)
            self._started_at = now()
            try:
                ended, self.running = self.running, self._make()
                await ended.stop()  # only now, so that what it held on the status board is never held by nobody
                await self.running.start()
            except (NodeError, OSError) as error:
                _logger().error("process_not_started", kept=self.name, reason=str(error))
            else:
                self._note_start()
                return

    def _note_start(self) -> None:
        self._started_at = asyncio.get_running_loop().time()
        _logger().info("process_started", kept=self.name, pid=self.running.pid)


def _logger() -> structlog.typing.FilteringBoundLogger:
    logger: structlog.typing.FilteringBoundLogger = structlog.get_logger()
    return logger
