"""Challenges that wait for their answer, those of one worker.

A request that needs an identity is kept, octet for octet, and answered with a nonce and its digest (402, RFC 3652
§3.5.2). Who answers the nonce has *that* request performed, whatever else the answer says. A challenge is used up by
the first answer that comes from its address, before anything about the answer is verified.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from handle_protocol.bodies.digest import RequestDigest
from resolver.authentication.fair_table import FairTable
from resolver.authentication.networks import network_of
from resolver.authentication.session_ids import NONCE_OCTETS, SessionIds

CHALLENGE_SECONDS_DEFAULT: Final = 20.0
"""Reference: how long a challenge waits."""

CHALLENGES_MAX_DEFAULT: Final = 10_000

CHALLENGED_OCTETS_MAX: Final = 8 * 2**20
"""Ours: requests that are kept for their challenges, in one worker: 32 of the longest, all of 10 000 usual ones."""

_Key = tuple[int, int]
"""Session id and request id; 0 outside of sessions."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A challenge that waits.

    Attributes:
        session_id: stands in the envelope of the challenge and of its answer.
        nonce: 16 octets that are never used again.
        digest: of the request's header and body as they came.
        request: envelope and message as they came; this is what will be performed.
        address: from where the answer must come, on whichever connection.
        expires_at: seconds of the monotonic clock.
    """

    session_id: int
    nonce: bytes
    digest: RequestDigest
    request: bytes = field(repr=False)
    address: str
    expires_at: float


@dataclass(frozen=True, slots=True)
class ChallengeLimits:
    """Bounds of what waits.

    Attributes:
        seconds: how long a challenge waits.
        entries_max, octets_max: how many, and how many octets of requests; beyond them the oldest are forgotten.
    """

    seconds: float = CHALLENGE_SECONDS_DEFAULT
    entries_max: int = CHALLENGES_MAX_DEFAULT
    octets_max: int = CHALLENGED_OCTETS_MAX


class PendingChallenges:
    """The challenges of one worker. Times are seconds of one monotonic clock, given by the caller.

    Args:
        ids: where session ids come from.
        limits: what is kept at most.
        draw_octets: returns that many random octets.
    """

    def __init__(
        self,
        ids: SessionIds,
        limits: ChallengeLimits | None = None,
        draw_octets: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._ids = ids
        self._limits = limits or ChallengeLimits()
        self._draw_octets = draw_octets
        self._table: FairTable[_Key, Pending] = FairTable(self._limits.entries_max, self._limits.octets_max)

    def __len__(self) -> int:
        return len(self._table)

    def __contains__(self, session_id: int) -> bool:
        return (session_id, 0) in self._table

    @property
    def octets(self) -> int:
        """How many octets of requests are kept."""
        return self._table.octets

    def issue(
        self, request: bytes, digest: RequestDigest, address: str, now: float, within: tuple[int, int] = (0, 0)
    ) -> Pending:
        """Keep `request` until its challenge is answered.

        Args:
            request: envelope and message as they came.
            digest: of its header and body, see handle_protocol.bodies.digest.
            address: from where it came.
            now: seconds of the monotonic clock.
            within: the session and the request's id in it, when it came in a session: the challenge has the id of
                the session then, and its answer the id of the request. A repeated request id gets a new challenge.
        """
        self._expire(now)
        session_id, request_id = within
        if not session_id:
            session_id, request_id = self._ids.draw_challenge_id(self.__contains__), 0
        expires_at = now + self._limits.seconds
        pending = Pending(session_id, self._draw_octets(NONCE_OCTETS), digest, request, address, expires_at)
        self._table.put((session_id, request_id), pending, network_of(address), len(request))
        return pending

    def take(self, session_id: int, address: str, now: float, request_id: int = 0) -> Pending | None:
        """Return the challenge that is answered, for the first and last time; None when there is none, or no longer.

        An answer from another address does not use it up.

        Args:
            session_id: as the answer's envelope has it.
            address: from where the answer came.
            now: seconds of the monotonic clock.
            request_id: as the answer's envelope has it, when `session_id` is that of a session; else 0.
        """
        self._expire(now)
        pending = self._table.get((session_id, request_id))
        if pending is None or pending.address != address:
            return None
        return self._table.pop((session_id, request_id))

    def _expire(self, now: float) -> None:
        """Drop what is too old: each entry once, and all wait equally long, so that the oldest expires first."""
        while (oldest := self._table.oldest()) is not None and oldest[1].expires_at <= now:
            self._table.pop(oldest[0])
