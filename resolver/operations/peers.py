"""Who speaks, as far as a door knows, and the order in which what they asked is done."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass, field

from resolver.authentication.logins import Challenged, ConnectionLogin
from resolver.operations.replies import Answered

Step = asyncio.Future[Answered]
"""Something that was asked and is not done yet."""


@dataclass(slots=True)
class Peer:
    """One who asks: a connection with what happened on it so far, or the sender of a single message.

    Answers leave a connection in the order of the questions, so waiting for an earlier question costs nobody anything:
    whoever changes a record and reads it in one breath reads what was written.

    Attributes:
        address: the IP address.
        login: who it is, when it has logged in on this connection; None where nothing lasts.
        changes: what is being changed for it, and of which record.
        turning_point: the last thing asked that everything after it depends on, such as a login.
    """

    address: str = ""
    login: ConnectionLogin | None = None
    changes: dict[Step, bytes] = field(default_factory=dict)
    turning_point: Step | None = None

    @property
    def is_idle(self) -> bool:
        """Whether nothing is under way that a further question would have to wait for."""
        return not self.changes and (self.turning_point is None or self.turning_point.done())

    @property
    def is_logging_in(self) -> bool:
        """Whether a challenge to log in waits for its answer on this connection."""
        return self.login is not None and isinstance(self.login.state, Challenged)

    def is_logging_in_with(self, session_id: int) -> bool:
        """Tell whether that challenge came with this session id: the SDKs that log in choose them, or leave them 0."""
        state = None if self.login is None else self.login.state
        return isinstance(state, Challenged) and state.session_id == session_id

    def begin_change(self, change: Awaitable[Answered], subject: bytes) -> Step:
        """Start a change after the last turning point and earlier changes of the same record; others overtake it."""
        same = (step for step, other in self.changes.items() if other == subject)
        step = _begin((*self._turning_points(), *same), change)
        self.changes[step] = subject
        step.add_done_callback(self.changes.pop)
        return step

    def begin_turn(self, turn: Awaitable[Answered]) -> Step:
        """Start something that everything asked later depends on, after everything asked earlier."""
        self.turning_point = _begin((*self._turning_points(), *self.changes), turn)
        return self.turning_point

    def begin_question(self, question: Awaitable[Answered]) -> Step:
        """Start a question, after everything asked earlier."""
        return _begin((*self._turning_points(), *self.changes), question)

    def _turning_points(self) -> tuple[Step, ...]:
        return () if self.turning_point is None or self.turning_point.done() else (self.turning_point,)


def _begin(earlier: Iterable[Step], work: Awaitable[Answered]) -> Step:
    return asyncio.ensure_future(_after(tuple(earlier), work))


async def _after(earlier: tuple[Step, ...], work: Awaitable[Answered]) -> Answered:
    if earlier:
        await asyncio.wait(earlier)
    return await work
