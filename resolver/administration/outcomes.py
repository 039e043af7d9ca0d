"""What can become of a command. Each of these is an ordinary outcome, none is an error."""

from __future__ import annotations

from dataclasses import dataclass

from handle_protocol.codes import ResponseCode
from handle_protocol.handle import Handle
from handle_protocol.record import HandleRecord


@dataclass(frozen=True, slots=True)
class Done:
    """It is done, and on disk.

    Attributes:
        handle: the record that was changed, as it is named now (a minted name in full).
        has_overwritten: whether what was to be made was there before.
        revision: of the record now.
    """

    handle: Handle | None = None
    has_overwritten: bool = False
    revision: int = 0


@dataclass(frozen=True, slots=True)
class ValuesRead:
    """The record with the values that were asked for and may be seen."""

    record: HandleRecord


@dataclass(frozen=True, slots=True)
class Listed:
    """Names in the order of their keys.

    Attributes:
        last_key: to go on after; empty when there are no more.
        total_count: of all there are; None when not asked for.
    """

    handles: tuple[Handle, ...]
    last_key: bytes = b""
    total_count: int | None = None


@dataclass(frozen=True, slots=True)
class IdentityNeeded:
    """Only somebody may do this: who is it?"""


@dataclass(frozen=True, slots=True)
class Refused:
    """It is not done, and nothing was changed.

    Attributes:
        text: for people, often empty.
    """

    code: ResponseCode
    text: str = ""


CommandOutcome = Done | ValuesRead | Listed | IdentityNeeded | Refused
