"""Everything one worker knows about who somebody is, put together."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from handle_protocol.value import ValueReference
from resolver.authentication.challenges import ChallengeLimits, PendingChallenges
from resolver.authentication.claims import Proof
from resolver.authentication.evidence import Evidence
from resolver.authentication.guessing import FAILURES_MAX_DEFAULT, Guess, Guessing
from resolver.authentication.keys import KeySource, RemoteKeys
from resolver.authentication.logins import ConnectionLogin
from resolver.authentication.session_ids import SessionIds
from resolver.authentication.sessions import SESSIONS_MAX_DEFAULT, SessionLimits, SessionTable
from resolver.authentication.verification import PresentedClaim, VerificationLimits, Verifier
from resolver.authentication.web_sessions import WEB_SESSION_SECONDS, WebSessions
from resolver.metrics import CHALLENGE_OCTETS, CHALLENGE_RECORDS, SESSION_RECORDS


@dataclass(frozen=True, slots=True)
class AuthenticationLimits:
    """Bounds of authentication, for each worker.

    Attributes:
        challenges: what waits for an answer.
        sessions, web_sessions: what is kept open, of either kind.
        verification: what is verified, and how much at once.
        failures_max: wrong proofs a minute for one key from one network.
    """

    challenges: ChallengeLimits = field(default_factory=ChallengeLimits)
    sessions: SessionLimits = field(default_factory=SessionLimits)
    web_sessions: SessionLimits = field(
        default_factory=lambda: SessionLimits(WEB_SESSION_SECONDS, SESSIONS_MAX_DEFAULT)
    )
    verification: VerificationLimits = field(default_factory=VerificationLimits)
    failures_max: int = FAILURES_MAX_DEFAULT


class Authentication:
    """The challenges, sessions and proofs of one worker.

    Args:
        keys: of our own handles, see RegisterKeys.
        ids: which worker this is, of how many.
        limits: what is kept and verified.
        remote: keys of other handles; None = nobody else can prove anything.
        tell: told of every wrong proof, so that the other workers can hear of it (`guessing.hear`).

    Attributes:
        ids: whose a session id is.
        clock: monotonic, seconds; what `now` is taken from.
        challenges, sessions, web_sessions: what is kept.
        guessing: who may not try any more.
        verifier: of proofs.
    """

    def __init__(
        self,
        keys: KeySource,
        ids: SessionIds,
        limits: AuthenticationLimits,
        remote: RemoteKeys | None = None,
        tell: Callable[[Guess], None] = lambda _: None,
    ) -> None:
        self.ids = ids
        self.clock = time.monotonic
        self.challenges = PendingChallenges(ids, limits.challenges)
        self.sessions = SessionTable(ids, limits.sessions)
        self.web_sessions = WebSessions(ids, limits.web_sessions)
        self.guessing = Guessing(limits.failures_max, tell)
        self.verifier = Verifier(keys, self.guessing, limits.verification, remote)
        self._challenge_seconds = limits.challenges.seconds

    def present(self, identity: ValueReference, evidence: Evidence | Proof, address: str) -> PresentedClaim:
        """Return the claim of somebody at `address` to be `identity`, to be proved when it matters."""
        return PresentedClaim(self.verifier, identity, evidence, address)

    def new_login(self) -> ConnectionLogin:
        """Return the login of a new connection."""
        return ConnectionLogin(self._challenge_seconds)

    def flush(self) -> None:
        """Hand the numbers over to Prometheus."""
        CHALLENGE_RECORDS.set(len(self.challenges))
        CHALLENGE_OCTETS.set(self.challenges.octets)
        SESSION_RECORDS.labels("native").set(len(self.sessions))
        SESSION_RECORDS.labels("web").set(len(self.web_sessions))

    def close(self) -> None:
        """Verify nothing more."""
        self.verifier.close()
