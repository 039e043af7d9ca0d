"""Logging in on a connection: operations 2000 and 2001 of the industrial SDKs (recorded: vectors, file 15).

Everything asked later on the connection is asked by whoever has logged in; these clients sign nothing more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from handle_protocol.bodies.challenge import Challenge, ChallengeAnswer
from handle_protocol.bodies.error import ErrorBody
from handle_protocol.bodies.login import KeyLoginRequest
from handle_protocol.bodies.raw import RawBody
from handle_protocol.bodies.resolution import ResolutionRequest, ResolutionResponse
from handle_protocol.codes import OpCode, ResponseCode
from handle_protocol.message import Message, answer_to
from handle_protocol.record import NO_VALUES
from handle_protocol.value import ValueReference
from resolver.authentication.authentication import Authentication
from resolver.authentication.claims import Proof
from resolver.authentication.evidence import Password, read_evidence
from resolver.authentication.logins import Challenged, LoginRefusal
from resolver.authentication.verification import PresentedClaim
from resolver.operations.asked import Answering, Asked

_CODE_BY_PROOF: Final = {
    Proof.WRONG: ResponseCode.AUTHENTICATION_FAILED,
    Proof.UNUSABLE: ResponseCode.INVALID_CREDENTIAL,
    Proof.TOO_WEAK: ResponseCode.INVALID_CREDENTIAL,
    Proof.TOO_MANY: ResponseCode.AUTHENTICATION_ERROR,
    Proof.UNKNOWN: ResponseCode.AUTHENTICATION_ERROR,
    Proof.BUSY: ResponseCode.SERVER_TOO_BUSY,
}
_NO_CONNECTION: Final = "log in over TCP 请通过 TCP 登录"
_PASSWORDS_ARE_OFF: Final = (
    "passwords are sent in clear text: off unless legacy_authentication 明文口令登录默认关闭(legacy_authentication)"
)


class Logins:
    """Logs somebody in on a connection.

    Args:
        authentication: verifies proofs.
        unix_clock: seconds of the world.
        accepts_legacy: whether a password may be sent in clear text.
    """

    def __init__(
        self, authentication: Authentication, unix_clock: Callable[[], float], *, accepts_legacy: bool = False
    ) -> None:
        self._authentication = authentication
        self._unix_clock = unix_clock
        self._accepts_legacy = accepts_legacy

    async def begin(self, asked: Asked) -> Answering:
        """Challenge whoever wants to log in with a key (2001)."""
        body = asked.request.body
        assert isinstance(body, KeyLoginRequest), "the codec reads this operation so"
        login = asked.peer.login
        if login is None:
            return self._answer(asked, ResponseCode.OPERATION_NOT_SUPPORTED, _NO_CONNECTION)
        challenged = login.begin(body.identity, asked.digest, self._authentication.clock(), asked.request.session_id)
        if isinstance(challenged, LoginRefusal):
            return self._answer(asked, ResponseCode(challenged))
        challenge = Challenge(challenged.nonce, challenged.digest)
        return self._tell(asked.request, ResponseCode.AUTHENTICATION_NEEDED, challenge)

    async def conclude(self, asked: Asked) -> Answering:
        """Log in whoever answers the challenge rightly (200). The success has operation 2001, as the SDKs expect."""
        login, body = asked.peer.login, asked.request.body
        assert login is not None, "only on a connection a login is begun"
        assert isinstance(body, ChallengeAnswer), "the codec reads this operation so"
        challenged = login.take(self._authentication.clock())
        if isinstance(challenged, LoginRefusal):
            return self._answer(asked, ResponseCode(challenged))
        evidence = read_evidence(body.key_type, body.proof, challenged.nonce, challenged.digest, asked.request.version)
        claim = self._authentication.present(_claimed(body, challenged), evidence, asked.peer.address)
        code = await self._log_in(asked, claim)
        answering = self._answer(asked, code)
        return Answering(tuple(_as_login(each) for each in answering.messages))

    async def log_in_with_password(self, asked: Asked) -> Answering:
        """Log in whoever knows the secret key itself (2000): the handle is the identity, the first type the secret."""
        body, login = asked.request.body, asked.peer.login
        assert isinstance(body, ResolutionRequest), "the codec reads this operation so"
        if login is None:
            return self._answer(asked, ResponseCode.OPERATION_NOT_SUPPORTED, _NO_CONNECTION)
        if not self._accepts_legacy:
            return self._answer(asked, ResponseCode.AUTHENTICATION_ERROR, _PASSWORDS_ARE_OFF)
        secret = body.types[0].encode() if body.types else b""
        identity = ValueReference.parse(body.handle.spelling)
        claim = self._authentication.present(identity, Password(secret), asked.peer.address)
        code = await self._log_in(asked, claim)
        if code is not ResponseCode.SUCCESS:
            return self._answer(asked, code)
        return self._tell(asked.request, code, ResolutionResponse(body.handle, NO_VALUES))

    async def _log_in(self, asked: Asked, claim: PresentedClaim) -> ResponseCode:
        proof = await claim.prove()
        if claim.proved is None:
            return _CODE_BY_PROOF[proof]
        assert asked.peer.login is not None, "only on a connection somebody logs in"
        refusal = asked.peer.login.succeed(claim.proved)
        return ResponseCode.SUCCESS if refusal is None else ResponseCode(refusal)

    def _answer(self, asked: Asked, code: ResponseCode, text: str = "") -> Answering:
        return self._tell(asked.request, code, RawBody() if code is ResponseCode.SUCCESS else ErrorBody(text))

    def _tell(
        self, request: Message, code: ResponseCode, body: RawBody | ErrorBody | Challenge | ResolutionResponse
    ) -> Answering:
        return Answering((answer_to(request, code, body, now=self._unix_clock()),))


def _claimed(body: ChallengeAnswer, challenged: Challenged) -> ValueReference:
    """Return who it is: whoever began must end, and may say more exactly with which key."""
    return body.identity if challenged.identity.covers(body.identity) else challenged.identity


def _as_login(answer: Message) -> Message:
    return replace(answer, header=replace(answer.header, op_code=int(OpCode.KEY_LOGIN)))
