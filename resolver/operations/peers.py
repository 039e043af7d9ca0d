"""Who speaks, as far as a door knows, and the order in which what they asked is done."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Any

Step = asyncio.Future[Any]
"""Something that was asked and is not done yet."""


@dataclass(slots=True)
class Peer:
    """One who asks: a connection with what happened on it so far, or the sender of a single message.

    Answers leave a connection in the order of the questions, so waiting for an earlier question costs nobody anything:
    whoever changes a record and reads it in one breath reads what was written.

    Attributes:
        address: the IP address.
        is_connection: whether several messages make up one answer, and a login lasts.
        login: who it is, when it has logged in on this connection.
        changes: what is being changed for it.
        turning_point: the last thing asked that everything after it depends on, such as a login.
    """

    address: str = ""
    is_connection: bool = False
    login: object | None = None
    changes: set[Step] = field(default_factory=set)
    turning_point: Step | None = None

    @property
    def is_idle(self) -> bool:
        """Whether nothing is under way that a further question would have to wait for."""
        return not self.changes and (self.turning_point is None or self.turning_point.done())

    def begin_change(self, change: Awaitable[bytes]) -> Step:
        """Start a change, after the last turning point; changes of different records overtake each other."""
        step = asyncio.ensure_future(_after(self._earlier_turning_point(), change))
        self.changes.add(step)
        step.add_done_callback(self.changes.discard)
        return step

    def begin_turn(self, turn: Awaitable[bytes]) -> Step:
        """Start something that everything asked later depends on, after everything asked earlier."""
        self.turning_point = asyncio.ensure_future(_after((*self._earlier_turning_point(), *self.changes), turn))
        return self.turning_point

    async def wait_for_earlier(self) -> None:
        """Return when everything that was asked so far is done."""
        earlier = (*self._earlier_turning_point(), *self.changes)
        if earlier:
            await asyncio.wait(earlier)

    def _earlier_turning_point(self) -> tuple[Step, ...]:
        return () if self.turning_point is None or self.turning_point.done() else (self.turning_point,)


async def _after(earlier: tuple[Step, ...], work: Awaitable[bytes]) -> bytes:
    if earlier:
        await asyncio.wait(earlier)
    return await work
