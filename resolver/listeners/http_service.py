"""Every public web resource of the resolver: which one is asked for, and who says what it says. No sockets here.

The target of a request is taken as it was sent: it is split at "?", matched, and what remains is decoded once, so
%2F in a handle never counts as a slash of ours.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from http import HTTPStatus
from typing import Final

from handle_protocol.errors import InvalidHandle
from handle_protocol.handle import Handle, Prefix
from handle_protocol.predefined.location import LocationList
from handle_protocol.record import HandleRecord
from resolver.answer import Found
from resolver.listeners import pages
from resolver.listeners.http_messages import READING_METHODS, WebRequest, WebResponse
from resolver.listeners.http_responses import (
    no_handle_response,
    outcome_response,
    page_response,
    refused_method_response,
    text_response,
)
from resolver.listeners.rest_api import RestApi, read_handle, unescape
from resolver.query import Query
from resolver.resolve import Resolver
from resolver.scanned import read_scanned
from resolver.translation import negotiation, proxy
from resolver.translation.locations import LOCATIONS_TYPE, locations_among
from resolver.translation.parameters import Parameters, UnreadableParameters
from resolver.translation.proxy import FollowAlias, Notice, Outcome, ShowNotice, Visit

ROBOTS: Final = b"User-agent: *\nCrawl-delay: 1\nRequest-rate: 1/1\n"
"""The reference's wish to crawlers."""

_ASKING_METHODS: Final = READING_METHODS | {"POST"}
_HANDLE_NAMES: Final = ("hdl", "text", "id", "handle")
"""What forms and links call the handle when they ask for "/" or "/resolve"; the first is the reference's."""

_Serve = Callable[[WebRequest, str], Awaitable[WebResponse]]


class HttpService:
    """Serves requests for handles and the few resources beside them."""

    def __init__(
        self,
        resolver: Resolver,
        is_ready: Callable[[], bool],
        clock: Callable[[], float],
        random: Callable[[], float],
        rest: RestApi | None = None,
    ) -> None:
        self._resolver = resolver
        self._rest = rest or RestApi(resolver)
        self._is_ready = is_ready
        self._clock = clock
        self._random = random
        self._places: dict[str, _Serve] = {
            "/": self._serve_start,
            "/resolve": self._serve_scanned,
            "/robots.txt": self._say_robots,
            "/favicon.ico": self._say_nothing_here,
            "/healthz/live": self._say_live,
            "/healthz/ready": self._say_ready,
        }
        self._trees: tuple[tuple[str, _Serve], ...] = (
            ("/api/", self._serve_api),
            ("/resolve/", self._serve_scanned),
            ("/", self._serve_visitor),
        )

    async def serve(self, request: WebRequest) -> WebResponse:
        """Return the response to `request`, whose path begins with a slash."""
        serve = self._places.get(request.path)
        if serve is not None:
            return await serve(request, "")
        root, serve = next(tree for tree in self._trees if request.path.startswith(tree[0]))
        return await serve(request, request.path[len(root) :])

    async def _serve_api(self, request: WebRequest, _: str) -> WebResponse:
        return await self._rest.serve(request)

    async def _serve_start(self, request: WebRequest, _: str) -> WebResponse:
        """/: the start page, or a visit when a form or a link brings a handle along."""
        if request.method not in _ASKING_METHODS:
            return refused_method_response("GET, HEAD, POST")
        if _named_handle(request.readable_parameters()):
            return await self._serve_scanned(request, "")
        return page_response(HTTPStatus.OK, pages.start_page(request.language))

    async def _serve_scanned(self, request: WebRequest, escaped: str) -> WebResponse:
        """/resolve/{anything} and /resolve?text={anything}: what a scanner yields; JSON for those who want it.

        Answered at once, without a redirect to /{handle}: a hand scanner on a slow line saves a round trip.
        """
        if request.method not in _ASKING_METHODS:
            return refused_method_response("GET, HEAD, POST")
        text = escaped
        try:
            text, parameters = _scanned_text(request, escaped)
            handle = await self._scanned_handle(text)
        except (InvalidHandle, UnreadableParameters) as error:
            return no_handle_response(request, text, str(error))
        if negotiation.wants_json(request.accept):
            query = Query(handle, is_authoritative=parameters.says("auth"))
            return await self._rest.answer(request, query, parameters)
        return await self._show(request, Visit(handle, parameters))

    async def _serve_visitor(self, request: WebRequest, escaped: str) -> WebResponse:
        """/{handle}: a redirect, or a page."""
        if request.method not in READING_METHODS:
            return refused_method_response("GET, HEAD")
        try:
            handle = self._meant(read_handle(escaped))
            parameters = request.parameters()
        except InvalidHandle as error:
            return no_handle_response(request, escaped, str(error))
        except UnreadableParameters:
            return self._tell(request, ShowNotice(Notice.WRONG_PARAMETERS, escaped))
        return await self._show(request, Visit(handle, parameters, request.query_string))

    async def _show(self, request: WebRequest, visit: Visit) -> WebResponse:
        visit = replace(visit, wants_data=negotiation.wants_data(request.accept), address=request.address)
        try:
            outcome, shown = await self._outcome_of(visit)
            return replace(self._tell(request, outcome), shows=shown)
        except UnreadableParameters:
            return self._tell(request, ShowNotice(Notice.WRONG_PARAMETERS, visit.handle.spelling))

    def _tell(self, request: WebRequest, outcome: Outcome) -> WebResponse:
        return outcome_response(request, outcome, self._clock())

    async def _outcome_of(self, visit: Visit) -> tuple[Outcome, HandleRecord | None]:
        """Return what a visitor gets, and the record that alone decided it beside that of the prefix, if one did."""
        namespace = await self._resolver.namespace_of(visit.handle)
        notice = proxy.notice_of_namespace(visit, namespace)
        if notice is not None:
            return notice, None
        answer = await self._resolver.resolve(proxy.query_of(visit))
        common = await self._common_locations(proxy.location_handles_of(visit, namespace))
        outcome = proxy.outcome_of(visit, answer, self._clock(), self._random, common)
        if isinstance(outcome, FollowAlias):
            end = await self._end_of_aliases(replace(visit, handle=outcome.target))
            return proxy.outcome_of_alias(visit, outcome, end), None
        is_alone = not common and isinstance(answer, Found) and answer.is_authoritative and not _leaves_choice(answer)
        return outcome, answer.record if is_alone and isinstance(answer, Found) else None

    async def _common_locations(self, handles: Sequence[Handle]) -> list[LocationList]:
        """Return the location lists of records that are hosted here; others are passed over."""
        found = []
        for handle in handles:
            answer = await self._resolver.resolve(Query(handle, types=(LOCATIONS_TYPE,)))
            locations = locations_among(answer.record.values) if isinstance(answer, Found) else None
            if locations is not None:
                found.append(locations)
        return found

    async def _end_of_aliases(self, visit: Visit) -> Handle | None:
        """Return the handle that a chain of aliases ends in, or None when it runs in a circle or too far."""
        for _ in range(proxy.ALIASES_MAX):
            target = proxy.alias_of(visit, await self._resolver.resolve(proxy.query_of(visit)))
            if target is None:
                return visit.handle
            visit = replace(visit, handle=target)
        return None

    async def _scanned_handle(self, text: str) -> Handle:
        """Return the handle that was scanned: the one that is spelled just like `text` where it exists.

        Raises:
            InvalidHandle: it is none.
        """
        scanned = read_scanned(text, is_known_prefix=self._is_known)
        if scanned.spelling == text:
            return scanned
        with suppress(InvalidHandle):
            literal = Handle.parse(text)
            if isinstance(await self._resolver.resolve(Query(literal)), Found):
                return literal
        return scanned

    def _meant(self, handle: Handle) -> Handle:
        """Return `handle`, or what a scanner would have meant by it when nobody here is responsible for it."""
        find = self._resolver.authority.find
        if find(handle) is not None:
            return handle
        try:
            scanned = read_scanned(handle.spelling, is_known_prefix=self._is_known)
        except InvalidHandle:
            return handle
        return handle if find(scanned) is None else scanned

    def _is_known(self, prefix: Prefix) -> bool:
        return self._resolver.authority.find_exactly(prefix) is not None

    async def _say_live(self, _request: WebRequest, _: str) -> WebResponse:
        return text_response(HTTPStatus.OK, b"live\n")

    async def _say_ready(self, _request: WebRequest, _: str) -> WebResponse:
        if self._is_ready():
            return text_response(HTTPStatus.OK, b"ready\n")
        return text_response(HTTPStatus.SERVICE_UNAVAILABLE, b"not ready\n")

    async def _say_robots(self, _request: WebRequest, _: str) -> WebResponse:
        return text_response(HTTPStatus.OK, ROBOTS)

    async def _say_nothing_here(self, _request: WebRequest, _: str) -> WebResponse:
        return text_response(HTTPStatus.NOT_FOUND, b"")


def _scanned_text(request: WebRequest, escaped: str) -> tuple[str, Parameters]:
    """Return what was scanned, and the parameters that are ours; after a link, what follows "?" belongs to the link.

    Raises:
        InvalidHandle: it is not UTF-8.
        UnreadableParameters: the parameters are not.
    """
    if not escaped:
        parameters = request.parameters()
        return _named_handle(parameters), parameters
    try:
        text = unescape(escaped).decode()
    except UnicodeDecodeError:
        raise InvalidHandle("expected UTF-8") from None
    if request.query_string and text.lower().startswith(("http://", "https://")):
        return f"{text}?{request.query_string}", Parameters()
    return text, request.parameters()


def _leaves_choice(answer: Found) -> bool:
    """Tell whether a record has locations among which there may be a choice by chance."""
    return any(value.has_type(LOCATIONS_TYPE) for value in answer.record.values)


def _named_handle(parameters: Parameters) -> str:
    return next(filter(None, map(parameters.first, _HANDLE_NAMES)), "")
