"""Sessions of the REST API, those of one worker: a nonce that waits for its proof, and then who proved it.

The id is 128 random bits and as good as a password, so it is bound to no address: a browser may change networks. The
nonce stays as long as the session (vector 14 proves one several times): who could replay a proof within the session
has its id, which is enough already, and outside of it the nonce is another one. The session ends with its key.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from resolver.authentication.claims import Claim
from resolver.authentication.fair_table import FairTable
from resolver.authentication.networks import network_of
from resolver.authentication.session_ids import NONCE_OCTETS, SessionIds
from resolver.authentication.sessions import SESSIONS_MAX_DEFAULT, SessionLimits

WEB_SESSION_SECONDS: Final = 1_800.0
"""Ours: how long an idle session is kept; the reference leaves it to its servlet container, which takes as long."""


@dataclass(frozen=True, slots=True)
class WebSession:
    """One session.

    Attributes:
        id: names it, and proves that one may use it.
        nonce: 16 octets that are to be proved.
        claim: who it is, once that was proved.
        expires_at: seconds of the monotonic clock.
    """

    id: str = field(repr=False)
    nonce: bytes
    claim: Claim | None
    expires_at: float


class WebSessions:
    """The web sessions of one worker. Times are seconds of one monotonic clock, given by the caller.

    Args:
        ids: where ids come from.
        limits: what is kept at most.
        draw_octets: returns that many random octets.
    """

    def __init__(
        self,
        ids: SessionIds,
        limits: SessionLimits | None = None,
        draw_octets: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._ids = ids
        self._limits = limits or SessionLimits(WEB_SESSION_SECONDS, SESSIONS_MAX_DEFAULT)
        self._draw_octets = draw_octets
        self._table: FairTable[str, WebSession] = FairTable(self._limits.entries_max)

    def __len__(self) -> int:
        return len(self._table)

    def open(self, address: str, now: float) -> WebSession:
        """Open a session for somebody at `address`, who is nobody yet."""
        expires_at = now + self._limits.seconds_max
        session = WebSession(self._ids.draw_web_id(), self._draw_octets(NONCE_OCTETS), None, expires_at)
        self._table.put(session.id, session, network_of(address))
        return session

    def find(self, session_id: str, now: float) -> WebSession | None:
        """Return a session, which is being used thereby; None when there is none, or no longer."""
        session = self._table.get(session_id)
        if session is None:
            return None
        if session.expires_at <= now:
            self._table.pop(session_id)
            return None
        return self._keep(replace(session, expires_at=now + self._limits.seconds_max))

    def log_in(self, session_id: str, claim: Claim, now: float) -> WebSession | None:
        """Note who a session is; None when it went away meanwhile."""
        session = self.find(session_id, now)
        return None if session is None else self._keep(replace(session, claim=claim))

    def close(self, session_id: str) -> None:
        """Forget a session."""
        self._table.pop(session_id)

    def _keep(self, session: WebSession) -> WebSession:
        self._table.replace(session.id, session)
        return session
