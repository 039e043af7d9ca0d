"""Who has logged in on a connection (operations 2000 and 2001 of the industrial-internet SDKs, vector file 15).

These clients choose the session id of the envelope themselves, or leave it 0, so a login belongs to its connection:

state           begin (2001)    take (200)     succeed (2000, 200)
logged out      challenged      408            logged in
challenged      challenged      logged out     logged in
logged in       407             408            407

A challenge is used up when its answer is taken, before anything is verified; a new one takes the place of an old one.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

from handle_protocol.bodies.digest import RequestDigest
from handle_protocol.value import ValueReference
from resolver.authentication.challenges import CHALLENGE_SECONDS_DEFAULT
from resolver.authentication.claims import Claim
from resolver.authentication.session_ids import NONCE_OCTETS


class LoginRefusal(IntEnum):
    """Why a step is not taken: the response codes that CAICT adds."""

    ALREADY_LOGGED_IN = 407
    LOG_IN_FIRST = 408


@dataclass(frozen=True, slots=True)
class LoggedOut:
    """Nobody is known here."""


@dataclass(frozen=True, slots=True)
class Challenged:
    """Somebody said who they are, and was asked to prove it.

    Attributes:
        identity: who it is said to be.
        nonce: 16 octets that are never used again.
        digest: of the login request.
        expires_at: seconds of the monotonic clock.
        session_id: as the envelope of the login request had it.
    """

    identity: ValueReference
    nonce: bytes
    digest: RequestDigest
    expires_at: float
    session_id: int = 0


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """Somebody proved who they are."""

    claim: Claim


class ConnectionLogin:
    """The login of one connection. Times are seconds of one monotonic clock, given by the caller.

    Args:
        seconds: how long a challenge waits.
        draw_octets: returns that many random octets.

    Attributes:
        state: LoggedOut, Challenged or LoggedIn.
    """

    __slots__ = ("_draw_octets", "_seconds", "state")

    def __init__(
        self, seconds: float = CHALLENGE_SECONDS_DEFAULT, draw_octets: Callable[[int], bytes] = secrets.token_bytes
    ) -> None:
        self._seconds = seconds
        self._draw_octets = draw_octets
        self.state: LoggedOut | Challenged | LoggedIn = LoggedOut()

    @property
    def claim(self) -> Claim | None:
        """Who is logged in."""
        return self.state.claim if isinstance(self.state, LoggedIn) else None

    def begin(
        self, identity: ValueReference, digest: RequestDigest, now: float, session_id: int = 0
    ) -> Challenged | LoginRefusal:
        """Challenge somebody who says to be `identity`, in a request with this session id."""
        if isinstance(self.state, LoggedIn):
            return LoginRefusal.ALREADY_LOGGED_IN
        self.state = Challenged(identity, self._draw_octets(NONCE_OCTETS), digest, now + self._seconds, session_id)
        return self.state

    def take(self, now: float) -> Challenged | LoginRefusal:
        """Return the challenge that is answered, for the first and last time."""
        if not isinstance(self.state, Challenged):
            return LoginRefusal.LOG_IN_FIRST
        challenged, self.state = self.state, LoggedOut()
        return challenged if now < challenged.expires_at else LoginRefusal.LOG_IN_FIRST

    def succeed(self, claim: Claim) -> LoginRefusal | None:
        """Log in; whoever is logged in stays."""
        if isinstance(self.state, LoggedIn):
            return LoginRefusal.ALREADY_LOGGED_IN
        self.state = LoggedIn(claim)
        return None
