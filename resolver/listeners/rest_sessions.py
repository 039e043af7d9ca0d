"""Sessions and verifications of the REST API: who somebody is, proved once or for others (recorded: vector 14)."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
from typing import Final
from urllib.parse import unquote

import msgspec

from handle_protocol.codes import ResponseCode
from handle_protocol.value import ValueReference
from resolver.authentication.claims import Proof
from resolver.authentication.evidence import Evidence
from resolver.authentication.web_logins import SessionView, WebLogins
from resolver.listeners.http_messages import READING_METHODS, WebRequest, WebResponse
from resolver.listeners.http_responses import json_headers
from resolver.listeners.rest_identity import Asker, RestIdentity
from resolver.translation.authorization import (
    UnreadableAuthorization,
    read_handle_credentials,
    read_identity,
    read_nonce,
    read_session_cookie,
    read_web_proof,
)
from resolver.translation.parameters import Parameters
from resolver.translation.rest import RestAnswer, failure
from resolver.translation.rest_bodies import UnreadableJson, read_fields
from resolver.translation.rest_commands import BUSY, TOO_MANY, RefusedRequest, refusal

THIS: Final = "/api/sessions/this"

_FORBIDDEN: Final = WebResponse(HTTPStatus.FORBIDDEN)
_MISSING: Final = "Missing parameters in verification request 缺少验证参数"
_UNKNOWN: Final = "Unknown algorithm or unusable proof 算法未知或证明无效"

_PROOFS: Final = {
    Proof.VALID: True,
    Proof.WRONG: False,
    Proof.UNKNOWN: False,
}
_REFUSALS: Final = {
    Proof.BUSY: BUSY,
    Proof.TOO_MANY: TOO_MANY,
    Proof.TOO_WEAK: refusal(ResponseCode.INVALID_CREDENTIAL, "Algorithm is off by setting 该算法已停用"),
    Proof.UNUSABLE: failure(ResponseCode.PROTOCOL_ERROR, message=_UNKNOWN),
}

Say = Callable[[WebRequest, RestAnswer, Parameters, Asker], WebResponse]


class RestSessions:
    """Serves what tells who somebody is.

    Args:
        logins: the way to every web session; None = there are none.
        identity: finds out who asks.
        say: makes a response.
    """

    def __init__(self, logins: WebLogins | None, identity: RestIdentity, say: Say) -> None:
        self._logins = logins
        self._identity = identity
        self._say = say

    async def serve_new(self, request: WebRequest, _: str, asker: Asker) -> WebResponse:
        """/api/sessions: a new session, over TLS; without a word otherwise, as the reference does."""
        if self._logins is None or not request.is_secure or request.method != "POST":
            return _FORBIDDEN
        session = self._logins.open(request.address, asker.login)
        said = _session_response(request, session, HTTPStatus.CREATED)
        return replace(said, headers={**said.headers, "Location": THIS})

    async def serve_this(self, request: WebRequest, _: str, asker: Asker) -> WebResponse:
        """/api/sessions/this: looked at, proved to be somebody's, or ended."""
        if self._logins is None or not request.is_secure:
            return _FORBIDDEN
        if request.method == "PUT":
            return await self._log_in(request, asker)
        if asker.session is None or asker.failure is not None:
            return _FORBIDDEN
        if request.method == "DELETE":
            await self._logins.close(asker.session.id, request.address)
            return WebResponse(HTTPStatus.NO_CONTENT)
        return _session_response(request, asker.session) if request.method in READING_METHODS else _FORBIDDEN

    async def serve_verification(self, request: WebRequest, escaped: str, asker: Asker) -> WebResponse:
        """/api/verifications/{index}:{handle}: whether a proof was made with that key, for those who asked for it."""
        if request.method not in READING_METHODS | {"POST"} or self._logins is None:
            raise RefusedRequest(failure(ResponseCode.OPERATION_NOT_SUPPORTED))
        parameters = request.readable_parameters()
        identity, evidence = _read_verification(escaped, parameters)
        verified = await self._logins.authentication.verifier.verify(identity, evidence, request.address)
        answer = _REFUSALS.get(verified.proof)
        if answer is None:
            members: dict[str, object] = {"isValid": _PROOFS[verified.proof], "handle": identity.handle}
            answer = RestAnswer(ResponseCode.SUCCESS, members)
        return self._say(request, answer, parameters, asker)

    async def _log_in(self, request: WebRequest, asker: Asker) -> WebResponse:
        """Let a session be somebody's by a proof in the body; the header may have done so already."""
        if request.body:
            named = asker.session.id if asker.session else read_session_cookie(request.headers.get("Cookie", ""))
            try:
                credentials = read_handle_credentials(read_fields(request.body))
            except (UnreadableAuthorization, UnreadableJson) as error:
                raise RefusedRequest(failure(ResponseCode.PROTOCOL_ERROR, message=str(error))) from None
            asker = await self._identity.log_in(credentials, named, request)
        if asker.session is None and asker.failure is not Proof.BUSY:
            return _FORBIDDEN
        if asker.failure is not None:
            return self._refuse(request, asker)
        assert asker.session is not None, "a session without failure is there"
        return _session_response(request, asker.session)

    def _refuse(self, request: WebRequest, asker: Asker) -> WebResponse:
        if asker.failure in {Proof.BUSY, Proof.TOO_MANY}:
            return self._say(request, _REFUSALS[asker.failure], Parameters(), asker)
        return WebResponse(HTTPStatus.UNAUTHORIZED, headers=self._identity.challenge(request, asker))


def _session_response(request: WebRequest, session: SessionView, status: HTTPStatus = HTTPStatus.OK) -> WebResponse:
    """Show a session; no cache keeps it."""
    members: dict[str, object] = {"sessionId": session.id, "nonce": base64.b64encode(session.nonce).decode()}
    if session.identity is not None:
        members |= {"authenticated": True, "id": str(session.identity)}
    headers = {**json_headers(request), "Cache-Control": "no-store"}
    return WebResponse(status, msgspec.json.encode(members), headers)


def _read_verification(escaped: str, parameters: Parameters) -> tuple[ValueReference, Evidence | Proof]:
    fields = dict(parameters.pairs)
    try:
        identity = read_identity(unquote(escaped, errors="strict"))
        proof = read_web_proof(fields, identity)
        nonce = read_nonce(fields)
    except ValueError as error:
        raise RefusedRequest(failure(ResponseCode.PROTOCOL_ERROR, message=str(error))) from None
    if proof is None or not nonce or not proof.client_nonce:
        raise RefusedRequest(failure(ResponseCode.PROTOCOL_ERROR, message=_MISSING))
    return identity, proof.evidence(nonce)
