"""Sessions on the wire: set up, used, ended (RFC 3652 §3.8). What comes in one carries a code that its key makes.

set-up (400) ─▶ both know a key ─▶ requests with code and counter ─▶ answers with a code ─▶ end (401), or silence
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Final

from handle_protocol.bodies.error import ErrorBody
from handle_protocol.bodies.raw import RawBody
from handle_protocol.bodies.session import ExchangeMode, SessionSetupRequest, SessionSetupResponse
from handle_protocol.codes import OpCode, ResponseCode
from handle_protocol.envelope import decode_envelope
from handle_protocol.errors import ProtocolError
from handle_protocol.flags import OpFlag
from handle_protocol.message import Message, answer_to, answer_version, encode_message, encode_sealed, open_sealed
from handle_protocol.octets import OctetReader
from handle_protocol.security.message_authentication import MACED, mac_message, verify_mac
from handle_protocol.security.session_keys import SessionAlgorithm, SessionKey, answer_key_agreement
from resolver.authentication.authentication import Authentication
from resolver.authentication.evidence import STRONG_SINCE
from resolver.authentication.sessions import Session
from resolver.operations.asked import Answering, Asked

AGREEMENTS_WAITING_MAX: Final = 16
"""Set-ups that wait for a thread: in the largest group each takes some 60 ms, and others wait meanwhile."""


_TOO_OLD: Final = "too old a version 协议版本过旧"


class SessionOperations:
    """Sets sessions up and ends them, and reads and writes what is sent in them.

    Args:
        authentication: keeps the sessions.
        threads: where keys are agreed upon.
        unix_clock: seconds of the world.
        accepts_legacy: whether sessions of versions below 2.7 are accepted, with SHA-1 and, before 2.4, DES.
    """

    def __init__(
        self,
        authentication: Authentication,
        threads: ThreadPoolExecutor,
        unix_clock: Callable[[], float],
        *,
        accepts_legacy: bool = False,
    ) -> None:
        self._authentication = authentication
        self._accepts_legacy = accepts_legacy
        self._threads = threads
        self._unix_clock = unix_clock
        self._agreeing = 0

    async def set_up(self, asked: Asked) -> Answering:
        """Agree upon a key, by Diffie-Hellman: the one mode that peers in the field can do (reference: 9.2.0)."""
        body = asked.request.body
        assert isinstance(body, SessionSetupRequest), "the codec reads this operation so"
        if body.mode != ExchangeMode.DIFFIE_HELLMAN:
            return self._refuse(asked, ResponseCode.SESSION_FAILED, "Diffie-Hellman only 仅支持 Diffie-Hellman")
        if self._agreeing >= AGREEMENTS_WAITING_MAX:
            return self._refuse(asked, ResponseCode.SERVER_TOO_BUSY)
        version = answer_version(asked.request)
        if version < STRONG_SINCE and not self._accepts_legacy:
            return self._refuse(asked, ResponseCode.SESSION_FAILED, _TOO_OLD)
        self._agreeing += 1
        try:
            loop = asyncio.get_running_loop()
            key, data = await loop.run_in_executor(self._threads, answer_key_agreement, body.public_key, version)
        except ProtocolError as error:
            return self._refuse(asked, ResponseCode.INVALID_SESSION_SETUP, str(error))
        finally:
            self._agreeing -= 1
        session = self._keep(asked, body, key)
        response = SessionSetupResponse(body.mode, data, body.has_spare_octets)
        answer = answer_to(asked.request, ResponseCode.SUCCESS, response, now=self._unix_clock())
        return Answering((replace(answer, session_id=session.id),))

    async def exchange_key(self, asked: Asked) -> Answering:
        """Refuse a key that is handed over: no mode that needs it was set up."""
        return self._refuse(asked, ResponseCode.INVALID_SESSION_SETUP)

    async def terminate(self, asked: Asked) -> Answering:
        """End the session in which this was asked."""
        if asked.session is None:
            return self._refuse(asked, ResponseCode.SESSION_TIMEOUT)
        self._authentication.sessions.close(asked.session.id)
        return Answering((answer_to(asked.request, ResponseCode.SUCCESS, RawBody(), now=self._unix_clock()),))

    def find(self, session_id: int, address: str) -> Session | None:
        """Return the session that something from `address` belongs to."""
        return self._authentication.sessions.find(session_id, address, self._authentication.clock())

    def is_meant(self, asked: Asked) -> bool:
        """Tell whether a request says that it comes in a session: by its code or, if it answers a challenge, by its id.

        The reference's client makes no code for such answers: the proof in them stands for itself.
        """
        if has_session_code(asked.request):
            return True
        session_id = asked.request.session_id
        is_proof = _is_uncoded_proof(asked.request) and not asked.peer.is_logging_in_with(session_id)
        return is_proof and self._authentication.sessions.gives(session_id)

    def check(self, request: Message, session: Session) -> ResponseCode | None:
        """Return why a request does not belong to `session`, or None; then its counter is used up.

        502 where the code is missing or wrong, 505 where the counter was used before (reference). Codes of versions
        below 2.7 are made with SHA-1 and do not cover the counter, so that whoever hears one could send it again.
        """
        if _is_uncoded_proof(request):
            return None
        credential = request.credential
        is_too_old = request.version < STRONG_SINCE and not self._accepts_legacy
        if credential is None or is_too_old or not verify_mac(request, _key(session)):
            return ResponseCode.INVALID_SESSION_KEY
        if not session.window.accept(credential.signer_index):
            return ResponseCode.SESSION_MESSAGE_REJECTED
        self._authentication.sessions.touch(session, self._authentication.clock())
        return None

    def open(self, octets: bytes, session: Session) -> bytes:
        """Return an encrypted message as it would be without encryption.

        Raises:
            MalformedMessage: it was not encrypted with this session's key.
        """
        version = decode_envelope(OctetReader(octets)).version
        return open_sealed(octets, lambda content: _key(session).decrypt(version, content))

    def encode(self, answer: Message, asked: Asked) -> bytes:
        """Return the octets of an answer with the session's code, encrypted where that was asked for."""
        session, credential = asked.session, asked.request.credential
        assert session is not None, "who calls this looked"
        counter = 0 if credential is None else credential.signer_index
        coded = mac_message(answer, _key(session), counter)
        if asked.is_sealed or answer.has_flag(OpFlag.ENCRYPT):
            return encode_sealed(coded, lambda content: _key(session).encrypt(coded.version, content))
        return encode_message(coded)

    def _keep(self, asked: Asked, body: SessionSetupRequest, key: SessionKey) -> Session:
        return self._authentication.sessions.open(
            key.secret,
            key.algorithm,
            body.identity if body.identity.handle else None,
            asked.peer.address,
            self._authentication.clock(),
            wished_seconds=body.timeout_seconds,
        )

    def _refuse(self, asked: Asked, code: ResponseCode, text: str = "") -> Answering:
        return Answering((answer_to(asked.request, code, ErrorBody(text), now=self._unix_clock()),))


def has_session_code(request: Message) -> bool:
    """Tell whether a request says that it comes in a session."""
    return request.session_id != 0 and request.credential is not None and request.credential.credential_type == MACED


def _key(session: Session) -> SessionKey:
    return SessionKey(SessionAlgorithm(session.algorithm), session.key)


def _is_uncoded_proof(request: Message) -> bool:
    return request.header.op_code == OpCode.CHALLENGE_ANSWER and request.credential is None
