"""The ids of challenges and sessions: which numbers there are, and which worker of the node knows about one.

On the wire (RFC 3652 §2.2.1) an id is a u32; clients in the field read it as a signed one, so 1 to 2³¹-1. That is too
short to be a secret: whatever has an id is bound to an address as well, and proved by a nonce of 128 bits or a key.

The id of a web session is text, and as long as a secret must be.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

SESSION_ID_MAX: Final = 2**31 - 1

NONCE_OCTETS: Final = 16
"""Reference: the size of every nonce."""

DRAWS_MAX: Final = 64
"""Random ids that are tried: even if every second id were taken, one of these is free but once in 10¹⁹ times."""

WEB_SESSION_BITS: Final = 128
"""What cannot be guessed (OWASP ASVS 5, 7.2.3)."""

WEB_SESSION_CHARACTERS_MAX: Final = 32
"""A longer text is no id of ours, and is not looked into. 1 024 places and 128 bits take 27."""

_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class SessionIds:
    """Draws ids that belong to one worker.

    Attributes:
        place: which worker this is; one that takes over from another has another place until that one has ended.
        places: how many there can be, the same for every worker that the node ever has.
        draw: returns a random number below its argument.
    """

    place: int = 0
    places: int = 1
    draw: Callable[[int], int] = secrets.randbelow

    def owner(self, session_id: int) -> int:
        """Return the place of the worker that knows about `session_id`, if any does."""
        return session_id % self.places

    def is_session(self, session_id: int) -> bool:
        """Tell whether an id, if it is one of ours, is that of a session."""
        return session_id // self.places % 2 == 1

    def draw_challenge_id(self, is_taken: Callable[[int], bool]) -> int:
        """Return an id for a challenge that is not taken, nor to be guessed from others. No session ever has it."""
        return self._draw_id(0, is_taken)

    def draw_session_id(self, is_taken: Callable[[int], bool]) -> int:
        """Return an id for a session that is not taken, nor to be guessed from others. No challenge ever has it."""
        return self._draw_id(1, is_taken)

    def _draw_id(self, kind: int, is_taken: Callable[[int], bool]) -> int:
        """Draw from the even multiples of the number of places, or from the odd ones."""
        stride = 2 * self.places
        first = kind * self.places + self.place
        for _ in range(DRAWS_MAX):
            session_id = first + stride * self.draw((SESSION_ID_MAX - first) // stride + 1)
            if session_id and not is_taken(session_id):
                return session_id
        raise RuntimeError("no free session id was found")

    def owner_of_web(self, session_id: str) -> int | None:
        """Return the place of the worker that knows about a web session; None when the text is no id of ours."""
        if not session_id or len(session_id) > WEB_SESSION_CHARACTERS_MAX or not set(session_id) <= set(_DIGITS):
            return None
        return int(session_id, 36) % self.places

    def draw_web_id(self) -> str:
        """Return an id for a web session: 128 random bits, to base 36. It is never drawn twice."""
        number = self.draw(2**WEB_SESSION_BITS) * self.places + self.place
        digits = ""
        while number:
            number, digit = divmod(number, 36)
            digits = _DIGITS[digit] + digits
        return digits or "0"
