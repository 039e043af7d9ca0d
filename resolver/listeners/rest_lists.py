"""Lists of the REST API: the handles below a prefix, and the prefixes that are answered for here.

Pages have numbers, as the reference has them. The register lists after a key instead, so a page is reached by walking
over those before it; beyond LISTED_HANDLES_MAX nobody may walk, and the Handle protocol lists on and on instead.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Protocol
from urllib.parse import unquote

from handle_protocol.codes import ResponseCode
from handle_protocol.handle import Handle, Prefix
from resolver.administration.administration import LISTED_MAX
from resolver.administration.commands import Command, HomePrefix, ListHandles, ListPrefixes, UnhomePrefix
from resolver.administration.outcomes import CommandOutcome, Listed
from resolver.listeners.http_messages import READING_METHODS, WebRequest, WebResponse
from resolver.listeners.rest_identity import Asker
from resolver.translation.parameters import Parameters
from resolver.translation.rest import RestAnswer, failure
from resolver.translation.rest_commands import RefusedRequest, answer_of, read_prefix, refusal

PAGE_HANDLES_MAX: Final = LISTED_MAX
"""Handles on one page: what the register lists at once; a megabyte or two of JSON."""

LISTED_HANDLES_MAX: Final = 100_000
"""Ours: how deep pages go: ten looks at the register, a tenth of a second of it."""

_NUMBER_DIGITS_MAX: Final = 9
_TOO_LARGE: Final = f"A page has at most {PAGE_HANDLES_MAX} handles 每页最多 {PAGE_HANDLES_MAX} 个标识"
_TOO_DEEP: Final = f"Pages go as far as {LISTED_HANDLES_MAX} handles 分页最多 {LISTED_HANDLES_MAX} 个标识"

Say = Callable[[WebRequest, RestAnswer, Parameters, Asker], WebResponse]


class Perform(Protocol):
    """RestApi.perform."""

    def __call__(self, command: Command, asker: Asker) -> Awaitable[CommandOutcome]:
        """Do a command."""


@dataclass(frozen=True, slots=True)
class Page:
    """Which handles are wanted.

    Attributes:
        number: from 0.
        size: how many are on one.
        is_asked: whether somebody asked for a page at all.
    """

    number: int = 0
    size: int = PAGE_HANDLES_MAX
    is_asked: bool = False

    @property
    def skipped(self) -> int:
        """How many handles stand before it."""
        return self.number * self.size


class RestLists:
    """Serves both lists.

    Args:
        perform: does a command.
        say: makes a response.
    """

    def __init__(self, perform: Perform, say: Say) -> None:
        self._perform = perform
        self._say = say

    async def serve_handles(self, request: WebRequest, _: str, asker: Asker) -> WebResponse:
        """/api/handles?prefix=: the handles directly below a prefix, for those who may list them."""
        if request.method not in READING_METHODS:
            raise RefusedRequest(failure(ResponseCode.OPERATION_NOT_SUPPORTED))
        parameters = request.readable_parameters()
        asked = parameters.first("prefix")
        if asker.claim is None:
            return self._say(request, failure(ResponseCode.AUTHENTICATION_NEEDED, asked), parameters, asker)
        if not asked:
            message = 'Expected the parameter "prefix" 缺少参数 prefix'
            raise RefusedRequest(failure(ResponseCode.PROTOCOL_ERROR, message=message))
        page, prefix = read_page(parameters), read_prefix(asked)
        outcome = await self._list(prefix, page, asker)
        answer = _page_answer(outcome, asked, page) if isinstance(outcome, Listed) else answer_of(outcome, asked)
        return self._say(request, answer, parameters, asker)

    async def serve_prefixes(self, request: WebRequest, escaped: str, asker: Asker) -> WebResponse:
        """/api/prefixes and /api/prefixes/{prefix}: listed, homed (POST) and unhomed (DELETE) by server administrators.

        The prefix may be a parameter instead; GET of one that is not answered for here is 404.
        """
        parameters = request.readable_parameters()
        asked = unquote(escaped) or parameters.first("prefix") or None
        if asker.claim is None:
            return self._say(request, failure(ResponseCode.AUTHENTICATION_NEEDED, asked), parameters, asker)
        if request.method in READING_METHODS:
            outcome = await self._perform(ListPrefixes(), asker)
            answer = _prefixes_answer(outcome, asked)
        else:
            outcome = await self._perform(_prefix_command(request.method, asked), asker)
            answer = answer_of(outcome, asked)
        return self._say(request, answer, parameters, asker)

    async def _list(self, prefix: Prefix, page: Page, asker: Asker) -> CommandOutcome:
        """List a page, and count all."""
        after = b""
        left = page.skipped
        while left:
            walked = await self._perform(ListHandles(prefix, after, min(left, LISTED_MAX)), asker)
            if not isinstance(walked, Listed):
                return walked
            after, left = walked.last_key, left - len(walked.handles)
            if not after:
                return await self._perform(ListHandles(prefix, handles_max=0, is_counted=True), asker)
        return await self._perform(ListHandles(prefix, after, page.size, is_counted=True), asker)


def read_page(parameters: Parameters) -> Page:
    """Read "page" and "pageSize".

    Raises:
        RefusedRequest: one is no number, or the page is too large or too deep.
    """
    number, size = _number(parameters, "page"), _number(parameters, "pageSize")
    if number is None and size is None:
        return Page()
    page = Page(number or 0, PAGE_HANDLES_MAX if size is None else size, is_asked=True)
    if page.size > PAGE_HANDLES_MAX:
        raise RefusedRequest(failure(ResponseCode.PROTOCOL_ERROR, message=_TOO_LARGE))
    if page.skipped + page.size > LISTED_HANDLES_MAX:
        raise RefusedRequest(failure(ResponseCode.PROTOCOL_ERROR, message=_TOO_DEEP))
    return page


def _number(parameters: Parameters, name: str) -> int | None:
    """Read a number; a negative one is as good as none (reference)."""
    text = parameters.first(name)
    if not text or text.startswith("-"):
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= _NUMBER_DIGITS_MAX):
        message = f"Expected a number as {name} 参数 {name} 应为数字"
        raise RefusedRequest(failure(ResponseCode.PROTOCOL_ERROR, message=message))
    return int(text)


def _page_answer(listed: Listed, prefix: str, page: Page) -> RestAnswer:
    """Return a page as JSON. That a whole list is longer than a page shows by its becoming a page."""
    members: dict[str, object] = {"prefix": prefix, "totalCount": str(listed.total_count or 0)}
    if page.is_asked or listed.last_key:
        members |= {"page": page.number, "pageSize": page.size}
    handles = [handle.spelling for handle in listed.handles]
    return RestAnswer(ResponseCode.SUCCESS, {**members, "handles": handles})


def _prefixes_answer(outcome: CommandOutcome, asked: str | None) -> RestAnswer:
    if not isinstance(outcome, Listed):
        return answer_of(outcome, asked)
    handles = outcome.handles
    if asked is not None:
        wanted = read_prefix(asked).handle
        handles = tuple(handle for handle in handles if handle == wanted)
        if not handles:
            return refusal(ResponseCode.HANDLE_NOT_FOUND, handle=asked)
    return RestAnswer(ResponseCode.SUCCESS, {"prefixes": list(map(Handle.__str__, handles))})


def _prefix_command(method: str, asked: str | None) -> Command:
    if asked is None or method not in {"POST", "DELETE"}:
        raise RefusedRequest(failure(ResponseCode.OPERATION_NOT_SUPPORTED))
    prefix = read_prefix(asked)
    return HomePrefix(prefix) if method == "POST" else UnhomePrefix(prefix)
