"""The REST API: handles as JSON, read by everybody, changed by those who prove that they may (recorded: vector 14)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Final
from urllib.parse import unquote_to_bytes

from handle_protocol.codes import ResponseCode
from handle_protocol.errors import InvalidHandle
from handle_protocol.handle import Handle
from resolver.administration.administration import Administration
from resolver.administration.commands import Command, Create, ReadValues
from resolver.administration.outcomes import CommandOutcome, Done, IdentityNeeded, ValuesRead
from resolver.answer import Found
from resolver.authentication.claims import Proof
from resolver.authentication.web_logins import WebLogins
from resolver.listeners.http_messages import READING_METHODS, WebRequest, WebResponse
from resolver.listeners.http_responses import json_response, options_response
from resolver.listeners.rest_identity import NOBODY, Asker, RestIdentity, Sign, is_forged
from resolver.listeners.rest_lists import RestLists
from resolver.listeners.rest_sessions import THIS, RestSessions
from resolver.query import Query
from resolver.resolve import Resolver
from resolver.translation import entity_tags, rest
from resolver.translation.parameters import Parameters, UnreadableParameters
from resolver.translation.rest_commands import (
    BUSY,
    STALE,
    TOO_MANY,
    RefusedRequest,
    answer_of,
    check_names,
    delete_command,
    put_command,
    refusal,
)

REFUSED_SECONDS: Final = 60
"""When somebody who guessed too often may try again, see resolver.authentication.guessing."""

SHORT_OCTETS_MAX: Final = 65_536
"""Ours: the longest record that is read at once, in some ms, and of anybody. The longest of all takes a tenth of a
second: it is read of those alone who were proved to be somebody, in a thread, one at a time."""

_ASKING_METHODS: Final = READING_METHODS | {"POST"}
_CHANGING_METHODS: Final = frozenset({"PUT", "DELETE"})
_FORGED: Final = refusal(
    ResponseCode.INSUFFICIENT_PERMISSIONS, "Requests of other origins need a header 跨站请求被拒绝"
)
_NEVER_STORED: Final = {"Cache-Control": "no-store"}
_SEVERAL_TAGS: Final = "Expected one revision in If-Match If-Match 只能给出一个修订号"

_Serve = Callable[[WebRequest, str, Asker], Awaitable[WebResponse]]


class RestApi:
    """Serves everything below /api/.

    Args:
        resolver: who knows the answers.
        administration: does commands; None = nothing can be changed or listed.
        logins: knows who asks; None = nobody can log in.
        sign: the node's own signature for clients that send a nonce; None = there is none.
    """

    def __init__(
        self,
        resolver: Resolver,
        administration: Administration | None = None,
        logins: WebLogins | None = None,
        sign: Sign | None = None,
    ) -> None:
        self._resolver = resolver
        self._administration = administration
        self._identity = RestIdentity(logins, sign)
        self._reading = asyncio.Lock()
        lists = RestLists(self.perform, self.say)
        sessions = RestSessions(logins, self._identity, self.say)
        self._places: Mapping[str, _Serve] = {
            "/api/site": self._serve_site,
            "/api/handles": lists.serve_handles,
            "/api/prefixes": lists.serve_prefixes,
            "/api/sessions": sessions.serve_new,
            THIS: sessions.serve_this,
        }
        self._trees: tuple[tuple[str, _Serve], ...] = (
            ("/api/handles/", self._serve_handle),
            ("/api/prefixes/", lists.serve_prefixes),
            ("/api/verifications/", sessions.serve_verification),
            ("/api/", self._refuse_unknown),
        )

    async def serve(self, request: WebRequest) -> WebResponse:
        """Return the response to `request`, whose path begins with /api/."""
        if request.method == "OPTIONS":
            return options_response(request)
        serve, escaped = self._find(request.path)
        if is_forged(request):
            return json_response(request, _FORGED, Parameters())
        try:
            asker = NOBODY if _wants_script(request) else await self._identity.identify(request)
            if asker.failure is not None and request.path != THIS:
                return self._refuse_login(request, asker)
            response = await serve(request, escaped, asker)
        except RefusedRequest as refused:
            return json_response(request, refused.answer, request.readable_parameters())
        except (ConnectionError, TimeoutError):
            return json_response(request, BUSY, Parameters())
        confidential = {} if asker.claim is None else _NEVER_STORED
        return replace(response, headers={**response.headers, **asker.headers, **confidential})

    async def perform(self, command: Command, asker: Asker, *, expected_revision: int | None = None) -> CommandOutcome:
        """Do a command for whoever asks; without administration, nobody can be anybody."""
        if self._administration is None:
            return IdentityNeeded()
        return await self._administration.perform(command, asker.claim, expected_revision=expected_revision)

    def say(self, request: WebRequest, answer: rest.RestAnswer, parameters: Parameters, asker: Asker) -> WebResponse:
        """Say `answer`; whoever must log in first is told how, over TLS."""
        if answer.code != ResponseCode.AUTHENTICATION_NEEDED or not self._identity.takes_logins(request):
            return json_response(request, answer, parameters)
        response = json_response(request, replace(answer, unusual_status=HTTPStatus.UNAUTHORIZED), parameters)
        return replace(response, headers={**response.headers, **self._identity.challenge(request, asker)})

    async def answer(self, request: WebRequest, query: Query, parameters: Parameters) -> WebResponse:
        """Say to everybody what `query` is answered with; a record that is shown whole has a tag."""
        answer = await self._resolver.resolve(query)
        said = self.say(request, rest.rest_answer_of(query, answer), parameters, NOBODY)
        if not isinstance(answer, Found) or not answer.is_authoritative:
            return said
        if not query.is_authoritative:
            said = replace(said, shows=answer.record)
        return _tagged(request, said, entity_tags.tag_of(answer.record)) if query.wants_everything else said

    def _find(self, path: str) -> tuple[_Serve, str]:
        serve = self._places.get(path)
        if serve is not None:
            return serve, ""
        root, serve = next(tree for tree in self._trees if path.startswith(tree[0]))
        return serve, path[len(root) :]

    async def _serve_handle(self, request: WebRequest, escaped: str, asker: Asker) -> WebResponse:
        """/api/handles/{handle}: the record as JSON."""
        parameters = Parameters()
        try:
            handle = read_handle(escaped)
            if request.method in _CHANGING_METHODS:
                parameters = Parameters.from_form(request.query_string)
                return await self._change(request, handle, parameters, asker)
            if request.method not in _ASKING_METHODS:
                return json_response(request, not_supported(), parameters)
            parameters = request.parameters()
            query = rest.query_of(handle, parameters, is_public_only=asker.claim is None)
        except InvalidHandle as error:
            return json_response(request, rest.failure(ResponseCode.INVALID_HANDLE, message=str(error)), parameters)
        except UnreadableParameters as error:
            return json_response(request, rest.failure(ResponseCode.PROTOCOL_ERROR, message=str(error)), parameters)
        if query.is_public_only or asker.claim is None:
            return await self.answer(request, query, parameters)
        return await self._read_all(request, query, parameters, asker)

    async def _read_all(self, request: WebRequest, query: Query, parameters: Parameters, asker: Asker) -> WebResponse:
        """Say what somebody who was proved may see."""
        outcome = await self.perform(ReadValues(query), asker)
        if not isinstance(outcome, ValuesRead):
            answer = answer_of(outcome, query.handle.spelling)
            if answer.code == ResponseCode.VALUES_NOT_FOUND:
                answer = rest.RestAnswer(answer.code, {"values": [], "handle": query.handle.spelling})
            return self.say(request, answer, parameters, asker)
        said = self.say(request, rest.record_answer(query.handle.spelling, outcome.record), parameters, asker)
        return _tagged(request, said, entity_tags.tag_of(outcome.record)) if query.wants_everything else said

    async def _change(self, request: WebRequest, handle: Handle, parameters: Parameters, asker: Asker) -> WebResponse:
        if not self._identity.takes_logins(request):
            return self.say(request, login_needed(handle.spelling), parameters, asker)
        if asker.claim is None and len(request.body) > SHORT_OCTETS_MAX:
            return self.say(request, login_needed(handle.spelling), parameters, asker)
        check_names(parameters)
        creates = request.method == "PUT"
        if creates:
            _check_media_type(request)
            command = await self._read_put(handle, parameters, request.body)
        else:
            command = delete_command(handle, parameters)
        expected = await self._expected_revision(request, command, handle)
        outcome = await self.perform(command, asker, expected_revision=expected)
        said = self.say(request, answer_of(outcome, handle.spelling, creates=creates), parameters, asker)
        if creates and isinstance(outcome, Done) and outcome.revision:
            return replace(said, headers={**said.headers, "ETag": entity_tags.tag_of_revision(outcome.revision)})
        return said

    async def _read_put(self, handle: Handle, parameters: Parameters, body: bytes) -> Command:
        """Return what is to be put. Raises RefusedRequest."""
        if len(body) <= SHORT_OCTETS_MAX:
            return put_command(handle, parameters, body)
        async with self._reading:
            return await asyncio.to_thread(put_command, handle, parameters, body)

    async def _expected_revision(self, request: WebRequest, command: Command, handle: Handle) -> int | None:
        """Return the revision that If-Match and If-None-Match ask for (RFC 9110 §13.1)."""
        wanted = request.headers.get("If-Match", "").strip()
        if not wanted:
            creates_alone = request.headers.get("If-None-Match", "").strip() == entity_tags.ANY
            return 0 if creates_alone and isinstance(command, Create) else None
        if wanted != entity_tags.ANY:
            revision = entity_tags.revision_in(wanted)
            if revision is None:
                raise RefusedRequest(refusal(ResponseCode.PROTOCOL_ERROR, _SEVERAL_TAGS, handle.spelling))
            return revision
        if not isinstance(command, Create):
            return None
        stored = await self._resolver.stored(handle)
        if not isinstance(stored, Found):
            raise RefusedRequest(answer_of(STALE, handle.spelling))
        return stored.record.revision

    def _refuse_login(self, request: WebRequest, asker: Asker) -> WebResponse:
        """Refuse wrong credentials without a body, as the reference does; of what is wrong nothing is said."""
        if asker.failure is Proof.BUSY:
            return json_response(request, BUSY, Parameters())
        if asker.failure is Proof.TOO_MANY:
            said = json_response(request, TOO_MANY, Parameters())
            return replace(said, headers={**said.headers, "Retry-After": str(REFUSED_SECONDS)})
        return WebResponse(HTTPStatus.UNAUTHORIZED, headers=self._identity.challenge(request, asker))

    async def _serve_site(self, request: WebRequest, _: str, asker: Asker) -> WebResponse:
        """/api/site: where this node is."""
        if request.method not in READING_METHODS:
            return json_response(request, not_supported(), Parameters())
        parameters = request.readable_parameters()
        return self.say(request, rest.site_answer_of(self._resolver.site), parameters, asker)

    async def _refuse_unknown(self, request: WebRequest, _: str, __: Asker) -> WebResponse:
        return json_response(request, not_supported(), Parameters())


def _wants_script(request: WebRequest) -> bool:
    """Tell whether the answer is to be a script, which a page of any origin can run, and so read.

    Browsers send along what their user has logged in with, so such requests are anybody's.
    """
    try:
        return bool(Parameters.from_form(request.query_string).first("callback"))
    except UnreadableParameters:
        return False


def read_handle(escaped: str) -> Handle:
    """Read a handle from a path. Raises InvalidHandle."""
    return Handle.decode(unescape(escaped))


def unescape(escaped: str) -> bytes:
    """Decode percent signs once. Octets that the server could not read as text are given back as they came."""
    return unquote_to_bytes(escaped.encode(errors="surrogateescape"))


def login_needed(handle: str | None) -> rest.RestAnswer:
    """Return the answer to somebody who must say first who they are."""
    return rest.failure(ResponseCode.AUTHENTICATION_NEEDED, handle)


def not_supported() -> rest.RestAnswer:
    """Return the answer to what is not there."""
    return rest.failure(ResponseCode.OPERATION_NOT_SUPPORTED)


def _check_media_type(request: WebRequest) -> None:
    """Check that a body is called JSON. A form of another origin cannot say so without asking first."""
    media_type = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        message = "Expected Content-Type application/json 请求正文应为 JSON"
        raise RefusedRequest(rest.failure(ResponseCode.PROTOCOL_ERROR, message=message))


def _tagged(request: WebRequest, said: WebResponse, tag: str | None) -> WebResponse:
    if tag is None:
        return said
    headers = {**said.headers, "ETag": tag}
    wanted = request.headers.get("If-None-Match", "")
    if wanted and entity_tags.names(wanted, tag):
        return WebResponse(HTTPStatus.NOT_MODIFIED, b"", headers, said.outcome)
    return replace(said, headers=headers)
