"""Open sessions, those of one worker (RFC 3652 §3.7): who holds which session key, and for how long.

A session is set up before anybody is known (the reference challenges once in it), so it has a claim only later. What
comes in a session proves itself with the session key; its counters are used up one by one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from handle_protocol.security.replay_window import ReplayWindow
from handle_protocol.value import ValueReference
from resolver.authentication.claims import Claim
from resolver.authentication.fair_table import FairTable
from resolver.authentication.networks import network_of
from resolver.authentication.session_ids import SessionIds
from resolver.authentication.verification import PresentedClaim

SESSION_SECONDS_MAX_DEFAULT: Final = 86_400.0
"""Reference: how long an idle session is kept at most."""

SESSIONS_MAX_DEFAULT: Final = 10_000


@dataclass(slots=True, eq=False)
class Session:
    """One session.

    Attributes:
        id: stands in the envelope of everything that belongs to it.
        key: octets of the session key.
        algorithm: how it encrypts, as the wire numbers it.
        address: from where it must be used.
        identity: who was named at set-up; None = nobody.
        idle_seconds: how long it is kept without being used.
        expires_at: seconds of the monotonic clock.
        window: the counters that were used.
        claim: who it is, once that was proved in it.
        challenged_request_id: which request in it was challenged last.
    """

    id: int
    key: bytes = field(repr=False)
    algorithm: int
    address: str
    identity: ValueReference | None
    idle_seconds: float
    expires_at: float
    window: ReplayWindow = field(default_factory=ReplayWindow, repr=False)
    claim: Claim | None = None
    challenged_request_id: int = 0

    @property
    def is_authenticated(self) -> bool:
        """Whether somebody proved in it who they are."""
        return self.claim is not None


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """Bounds of what is kept.

    Attributes:
        seconds_max: how long an idle session is kept, whatever its client wishes.
        entries_max: how many there are; beyond them those go that were not used for the longest time.
    """

    seconds_max: float = SESSION_SECONDS_MAX_DEFAULT
    entries_max: int = SESSIONS_MAX_DEFAULT


class SessionTable:
    """The sessions of one worker. Times are seconds of one monotonic clock, given by the caller."""

    def __init__(self, ids: SessionIds, limits: SessionLimits | None = None) -> None:
        self._ids = ids
        self._limits = limits or SessionLimits()
        self._table: FairTable[int, Session] = FairTable(self._limits.entries_max)

    def __len__(self) -> int:
        return len(self._table)

    def open(
        self,
        key: bytes,
        algorithm: int,
        identity: ValueReference | None,
        address: str,
        now: float,
        *,
        wished_seconds: float = 0.0,
    ) -> Session:
        """Open a session.

        Args:
            key: octets of the session key, agreed upon already.
            algorithm: how it encrypts, as the wire numbers it.
            identity: who is named at set-up.
            address: from where it will be used.
            now: seconds of the monotonic clock.
            wished_seconds: how long it should be kept without being used; 0 = as long as may be.
        """
        idle_seconds = min(wished_seconds, self._limits.seconds_max) if wished_seconds > 0 else self._limits.seconds_max
        session_id = self._ids.draw_session_id(self._table.__contains__)
        session = Session(session_id, key, algorithm, address, identity, idle_seconds, now + idle_seconds)
        self._table.put(session_id, session, network_of(address))
        return session

    def gives(self, session_id: int) -> bool:
        """Tell whether a session could have this id; a challenge outside of sessions never has it."""
        return self._ids.is_session(session_id)

    def find(self, session_id: int, address: str, now: float) -> Session | None:
        """Return a session that is used from its address; None when there is none, or no longer.

        Looking keeps nothing alive: see `touch`.
        """
        session = self._table.get(session_id)
        if session is None or session.address != address:
            return None
        if session.expires_at <= now:
            self._table.pop(session_id)
            return None
        return session

    def touch(self, session: Session, now: float) -> None:
        """Note that a session was used: something came in it that its key proves."""
        if self._table.get(session.id) is session:
            session.expires_at = now + session.idle_seconds
            self._table.replace(session.id, session)

    def note_proof(self, session: Session, claim: PresentedClaim, *, is_coded: bool) -> None:
        """Remember who a session is, when that was proved in it by whoever was named at its set-up.

        Args:
            session: in which it was proved.
            claim: who it is said to be.
            is_coded: whether the proof came with the session's code; one without may be anybody's, and never takes
                the place of an earlier one.
        """
        proved = claim.proved
        if session.claim is not None and not is_coded:
            return
        if proved is not None and (session.identity is None or session.identity.covers(proved.identity)):
            session.claim = proved

    def close(self, session_id: int) -> None:
        """Forget a session."""
        self._table.pop(session_id)
