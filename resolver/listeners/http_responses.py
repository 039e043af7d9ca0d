"""The responses of the HTTP door: status, headers and body for whatever is to be said."""

from __future__ import annotations

import re
from email.utils import formatdate
from http import HTTPStatus
from typing import Final

import msgspec

from handle_protocol.codes import ResponseCode
from resolver.answer import (
    Busy,
    Found,
    NotFound,
    NotResponsible,
    PermissionNeeded,
    Referred,
    Suspended,
    ValuesNotFound,
)
from resolver.listeners import pages
from resolver.listeners.http_messages import WebRequest, WebResponse
from resolver.translation import negotiation, rest
from resolver.translation.parameters import Parameters
from resolver.translation.proxy import (
    STATUS_BY_NOTICE,
    Notice,
    Outcome,
    Redirect,
    ShowNotice,
    ShowRecord,
    ShowUrls,
)
from resolver.translation.rest import RestAnswer

RETRY_SECONDS: Final = 2
"""Ours: when somebody whom we could not serve may come again; a restarted register needs about that long."""

_HTML: Final = "text/html;charset=UTF-8"
_XML: Final = "text/xml;charset=UTF-8"
_TEXT: Final = "text/plain"
_PROBLEM: Final = "application/problem+json"

_ALLOWED: Final = "GET, HEAD, POST, PUT, DELETE, OPTIONS"
_ALLOWED_HEADERS: Final = "Accept, Authorization, Content-Type, If-Match, If-None-Match, X-Requested-With"
_PREFLIGHT_SECONDS: Final = 86_400
_ORIGIN: Final = re.compile(r"[!-~]{1,256}")

REDIRECT_SECONDS_MAX: Final = 300
"""Ours: how long a browser may go on without asking again; a change or a suspension reaches it within that."""

_NEVER_STORED: Final = {"Cache-Control": "no-store"}
_RETRY_LATER: Final = {"Retry-After": str(RETRY_SECONDS)}
_NO_SNIFFING: Final = {"X-Content-Type-Options": "nosniff"}

_HINTS: Final = {
    "zh": "标识由前缀、斜杠和后缀组成，例如 88.118.8/JXDY2106023；请核对扫描内容。",
    "en": "An identifier is a prefix, a slash and a suffix, such as 88.118.8/JXDY2106023; check what was scanned.",
}


def json_response(request: WebRequest, answer: RestAnswer, parameters: Parameters) -> WebResponse:
    """Say `answer` in Handle.Net's JSON."""
    content_type, octets = rest.encode(answer, parameters)
    headers = json_headers(request) | {"Content-Type": content_type}
    if answer.status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers |= _RETRY_LATER
    return WebResponse(answer.status, octets, headers, _OUTCOME_OF_CODE.get(answer.code, ""))


def json_headers(request: WebRequest) -> dict[str, str]:
    """Return what every answer in JSON has."""
    return {"Content-Type": rest.JSON_TYPE, "Vary": "Accept-Encoding, Origin", **_NO_SNIFFING, **_sharing(request)}


def options_response(request: WebRequest) -> WebResponse:
    """Say what may be done with a resource of the JSON interface, also to a browser's preflight."""
    headers = {"Allow": _ALLOWED, "Vary": "Origin", **_sharing(request)}
    if "Access-Control-Allow-Origin" in headers and "Access-Control-Request-Method" in request.headers:
        headers["Access-Control-Allow-Methods"] = _ALLOWED
        headers["Access-Control-Allow-Headers"] = _ALLOWED_HEADERS
        headers["Access-Control-Max-Age"] = str(_PREFLIGHT_SECONDS)
    return WebResponse(HTTPStatus.OK, headers=headers)


def outcome_response(request: WebRequest, outcome: Outcome, now: float) -> WebResponse:
    """Send a visitor on, or show them what there is. `now` is in Unix seconds."""
    match outcome:
        case Redirect():
            return _redirect_response(outcome, now)
        case ShowRecord():
            return page_response(HTTPStatus.OK, pages.record_page(outcome, request.language), Found.outcome)
        case ShowUrls(xml):
            return WebResponse(HTTPStatus.OK, xml.encode(), {"Content-Type": _XML, **_NO_SNIFFING}, Found.outcome)
        case ShowNotice():
            return _notice_response(request, outcome)


def page_response(status: HTTPStatus, page: str, outcome: str = "") -> WebResponse:
    """Show a page."""
    headers = {"Content-Type": _HTML, "Vary": "Accept-Encoding, Accept-Language", **pages.PAGE_HEADERS}
    return WebResponse(status, page.encode(), headers, outcome)


def no_handle_response(request: WebRequest, text: str, error: str) -> WebResponse:
    """Say that `text` is no handle, and what one looks like."""
    if not negotiation.wants_json(request.accept):
        return _notice_response(request, ShowNotice(Notice.NO_HANDLE, text))
    problem = {"title": "无法识别为标识 / Not an identifier", "status": 400, "detail": error, "solve": _HINTS}
    headers = {"Content-Type": _PROBLEM, "Vary": "Accept", **_NO_SNIFFING, **_NEVER_STORED, **_sharing(request)}
    return WebResponse(HTTPStatus.BAD_REQUEST, msgspec.json.encode(problem), headers)


def problem_response(status: HTTPStatus, zh: str, en: str) -> WebResponse:
    """Say, to whatever client, why its request could not be served, and what to do (RFC 9457)."""
    problem = {"title": status.phrase, "status": status, "solve": {"zh": zh, "en": en}}
    headers = {"Content-Type": _PROBLEM, **_NO_SNIFFING, **_NEVER_STORED}
    return WebResponse(status, msgspec.json.encode(problem), headers, status.name.lower())


def refused_method_response(allowed: str) -> WebResponse:
    """Say which methods a page has."""
    refused = problem_response(HTTPStatus.METHOD_NOT_ALLOWED, f"只支持 {allowed}", f"Use {allowed}")
    return WebResponse(refused.status, refused.body, {**refused.headers, "Allow": allowed}, refused.outcome)


def text_response(status: HTTPStatus, text: bytes) -> WebResponse:
    """Say a plain word to a machine."""
    return WebResponse(status, text, {"Content-Type": _TEXT, **_NEVER_STORED, **_NO_SNIFFING})


def _redirect_response(redirect: Redirect, now: float) -> WebResponse:
    headers = {"Location": redirect.url, "Content-Type": _HTML, **pages.PAGE_HEADERS}
    if redirect.lifetime_seconds is not None:
        headers["Expires"] = formatdate(now + redirect.lifetime_seconds, usegmt=True)
        headers["Cache-Control"] = f"max-age={min(redirect.lifetime_seconds, REDIRECT_SECONDS_MAX)}"
    else:
        headers |= _NEVER_STORED
    if redirect.varies:
        headers["Vary"] = "Accept"
    return WebResponse(redirect.status, pages.redirect_page(redirect.url).encode(), headers, Found.outcome)


def _notice_response(request: WebRequest, notice: ShowNotice) -> WebResponse:
    response = page_response(STATUS_BY_NOTICE[notice.notice], pages.notice_page(notice, request.language))
    headers = {**response.headers, **_NEVER_STORED}
    if notice.notice is Notice.BUSY:
        headers |= _RETRY_LATER
    return WebResponse(response.status, response.body, headers, _OUTCOME_OF_NOTICE.get(notice.notice, ""))


def _sharing(request: WebRequest) -> dict[str, str]:
    """Let pages of any origin read what everybody may read; in the reference's words."""
    origin = request.headers.get("Origin", "")
    if not _ORIGIN.fullmatch(origin):
        return {}
    return {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Expose-Headers": "Content-Length, ETag, WWW-Authenticate",
    }


_OUTCOME_OF_CODE: Final = {
    ResponseCode.SUCCESS: Found.outcome,
    ResponseCode.HANDLE_NOT_FOUND: NotFound.outcome,
    ResponseCode.VALUES_NOT_FOUND: ValuesNotFound.outcome,
    ResponseCode.SERVER_NOT_RESPONSIBLE: NotResponsible.outcome,
    ResponseCode.SERVICE_REFERRAL: Referred.outcome,
    ResponseCode.PREFIX_REFERRAL: Referred.outcome,
    ResponseCode.AUTHENTICATION_NEEDED: PermissionNeeded.outcome,
    ResponseCode.SERVER_TOO_BUSY: Busy.outcome,
}
_OUTCOME_OF_NOTICE: Final = {
    Notice.NOT_FOUND: NotFound.outcome,
    Notice.DELETED: NotFound.outcome,
    Notice.NO_VALUES: ValuesNotFound.outcome,
    Notice.NOT_RESPONSIBLE: NotResponsible.outcome,
    Notice.SUSPENDED: Suspended.outcome,
    Notice.NOT_PUBLIC: PermissionNeeded.outcome,
    Notice.ELSEWHERE: Referred.outcome,
    Notice.BUSY: Busy.outcome,
}
"""The words of every door; what is in neither table was no resolution."""
