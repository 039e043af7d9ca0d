"""What an operation gives a door to send."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Continued:
    """The beginning of an answer in several messages, and how to make the rest, when there is room for it."""

    octets: bytes
    make_rest: Callable[[], Awaitable[Answered]]


Answered: TypeAlias = bytes | Continued
"""An answer. Over a connection it may be several messages, one after another."""

Reply: TypeAlias = bytes | Awaitable[Answered] | None
"""An answer, one that will come, or none at all."""
