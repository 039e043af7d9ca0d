"""Logging in to sessions of the REST API, whichever worker of the node keeps them.

A session id says which worker that is (see session_ids). What a session is needed for is asked of its keeper: through
the relay (kind 2, MessagePack of a question and an answer) when that is another one, else at once.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

import msgspec

from handle_protocol.value import ValueReference
from resolver.authentication.authentication import Authentication
from resolver.authentication.claims import Proof
from resolver.authentication.verification import PresentedClaim
from resolver.authentication.web_proofs import WebProof
from resolver.authentication.web_sessions import WebSession

WEB_SESSION: Final = 2
"""The kind of question, see resolver.operations.other_workers."""

Ask = Callable[[int, int, str, bytes], Awaitable[bytes]]
"""Relay.ask: the worker's place, the kind of question, the peer's address, octets."""


@dataclass(frozen=True, slots=True)
class SessionView:
    """What may be known of a session elsewhere.

    Attributes:
        identity: who it is, once that was proved and as long as the key is there; None = nobody.
    """

    id: str = field(repr=False)
    nonce: bytes
    identity: ValueReference | None = None


class _Action(Enum):
    LOOK = "look"
    LOG_IN = "log_in"
    CLOSE = "close"


@dataclass(frozen=True, slots=True)
class _Question:
    action: _Action
    session_id: str
    proof: WebProof | None = None


@dataclass(frozen=True, slots=True)
class LoginAnswer:
    """What the keeper of a session says.

    Attributes:
        session: as it is now; None when there is none, or no longer.
        proof: what was presented is worth that, or what a login before still is; None = nobody was ever proved.
    """

    session: SessionView | None = None
    proof: Proof | None = None


_NO_SESSION: Final = LoginAnswer()
_read_question: Final = msgspec.msgpack.Decoder(_Question).decode
_read_answer: Final = msgspec.msgpack.Decoder(LoginAnswer).decode


class WebLogins:
    """One worker's way to every web session of the node.

    Args:
        authentication: of this worker.
        ask: the way to the other workers; None = there are none.
    """

    def __init__(self, authentication: Authentication, ask: Ask | None = None) -> None:
        self._authentication = authentication
        self._ask_other = ask

    @property
    def authentication(self) -> Authentication:
        """Everything this worker knows about who somebody is."""
        return self._authentication

    def open(self, address: str, claim: PresentedClaim | None = None) -> SessionView:
        """Open a session, of nobody yet or of whoever made a `claim` that was proved."""
        now = self._authentication.clock()
        session = self._authentication.web_sessions.open(address, now)
        proved = None if claim is None else claim.proved
        if proved is None:
            return SessionView(session.id, session.nonce)
        self._authentication.web_sessions.log_in(session.id, proved, now)
        return SessionView(session.id, session.nonce, proved.identity)

    async def look(self, session_id: str, address: str) -> LoginAnswer:
        """Return a session, which is being used thereby, and whether its login still holds: it ends with its key.

        Raises:
            ConnectionError, TimeoutError: its worker cannot be asked.
        """
        return await self._ask(_Question(_Action.LOOK, session_id), address)

    async def log_in(self, session_id: str, proof: WebProof, address: str) -> LoginAnswer:
        """Verify a proof of the session's nonce; the session is theirs when it is true, else it stays as it was.

        Raises as `look`.
        """
        return await self._ask(_Question(_Action.LOG_IN, session_id, proof), address)

    async def close(self, session_id: str, address: str) -> None:
        """Forget a session. Raises as `look`."""
        await self._ask(_Question(_Action.CLOSE, session_id), address)

    async def answer(self, address: str, question: bytes) -> bytes:
        """Answer another worker about a session of this one."""
        return msgspec.msgpack.encode(await self._do(_read_question(question), address))

    async def _ask(self, question: _Question, address: str) -> LoginAnswer:
        owner = self._authentication.ids.owner_of_web(question.session_id)
        if owner is None:
            return _NO_SESSION
        if owner == self._authentication.ids.place or self._ask_other is None:
            return await self._do(question, address)
        try:
            return _read_answer(await self._ask_other(owner, WEB_SESSION, address, msgspec.msgpack.encode(question)))
        except ProcessLookupError:  # The session went with its worker.
            return _NO_SESSION

    async def _do(self, question: _Question, address: str) -> LoginAnswer:
        session = self._authentication.web_sessions.find(question.session_id, self._authentication.clock())
        if session is None:
            return _NO_SESSION
        if question.action is _Action.CLOSE:
            self._authentication.web_sessions.close(session.id)
            return _NO_SESSION
        if question.proof is None:
            return await self._look(session)
        return await self._log_in(session, question.proof, address)

    async def _look(self, session: WebSession) -> LoginAnswer:
        if session.claim is None:
            return LoginAnswer(SessionView(session.id, session.nonce))
        proof = await session.claim.prove()
        if proof is Proof.VALID:
            return LoginAnswer(SessionView(session.id, session.nonce, session.claim.identity), proof)
        if proof is Proof.BUSY:
            return LoginAnswer(SessionView(session.id, session.nonce), proof)
        self._authentication.web_sessions.close(session.id)
        return LoginAnswer(proof=proof)

    async def _log_in(self, session: WebSession, presented: WebProof, address: str) -> LoginAnswer:
        evidence = presented.evidence(session.nonce)
        claim = self._authentication.present(presented.identity, evidence, address)
        proof = await claim.prove()
        proved = claim.proved
        if proved is None:
            return LoginAnswer(SessionView(session.id, session.nonce), proof)
        self._authentication.web_sessions.log_in(session.id, proved, self._authentication.clock())
        return LoginAnswer(SessionView(session.id, session.nonce, proved.identity), proof)
