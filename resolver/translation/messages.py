"""Handle protocol messages ⇄ Query and Answer (RFC 3652 §3.2 to §3.4)."""

from __future__ import annotations

from typing import Final

from handle_protocol.bodies.error import ErrorBody
from handle_protocol.bodies.referral import Referral
from handle_protocol.bodies.resolution import ResolutionRequest, ResolutionResponse
from handle_protocol.codes import ResponseCode
from handle_protocol.envelope import Version, wanted_version
from handle_protocol.flags import OpFlag
from handle_protocol.message import Message, answer_to
from handle_protocol.predefined.site import Site, encode_site
from handle_protocol.record import encode_value_list
from handle_protocol.value import HandleValue
from resolver.answer import (
    Answer,
    Busy,
    Found,
    NotFound,
    NotResponsible,
    PermissionNeeded,
    Referred,
    Suspended,
    ValuesNotFound,
)
from resolver.query import Query

_PREFIX_REFERRAL_SINCE: Final = Version(2, 10)
"""Older clients do not know 303 as a referral (and before 2.5 it meant something else)."""


def query_of(request: Message) -> Query:
    """Return what a resolution request asks."""
    body = request.body
    assert isinstance(body, ResolutionRequest), "the table of operations sends only resolution requests here"
    flags = request.header.op_flags
    return Query(
        handle=body.handle,
        indexes=body.indexes,
        types=body.types,
        is_public_only=bool(flags & OpFlag.PUBLIC_ONLY),
        is_authoritative=bool(flags & OpFlag.AUTHORITATIVE),
        may_refer=not flags & OpFlag.DO_NOT_REFER,
    )


_ERRORS: Final[dict[type[Answer], tuple[ResponseCode, str]]] = {
    NotFound: (ResponseCode.HANDLE_NOT_FOUND, ""),
    ValuesNotFound: (ResponseCode.VALUES_NOT_FOUND, ""),
    NotResponsible: (ResponseCode.SERVER_NOT_RESPONSIBLE, "prefix not served here / 本节点不负责该前缀"),
    Suspended: (ResponseCode.SERVER_NOT_RESPONSIBLE, "prefix suspended / 前缀已暂停"),
    PermissionNeeded: (ResponseCode.INSUFFICIENT_PERMISSIONS, "not public / 含非公开的值"),
    Busy: (ResponseCode.SERVER_TOO_BUSY, "try later / 请稍后再试"),
}


def message_of(answer: Answer, request: Message, *, now: float) -> Message:
    """Return the response that tells `answer` to whoever sent `request`, at `now` in Unix seconds."""
    match answer:
        case Found(record, is_authoritative):
            body = ResolutionResponse(record.handle, record.value_list)
            return answer_to(request, ResponseCode.SUCCESS, body, now=now, is_authoritative=is_authoritative)
        case Referred(_, site, is_prefix_query):
            code = _referral_code(request, is_prefix_query=is_prefix_query)
            return answer_to(request, code, _referral(site), now=now)
        case _:
            code, text = _ERRORS[type(answer)]
            return answer_to(request, code, ErrorBody(text), now=now)


def _referral_code(request: Message, *, is_prefix_query: bool) -> ResponseCode:
    knows_prefix_referral = wanted_version(request.version, request.suggested) >= _PREFIX_REFERRAL_SINCE
    return ResponseCode.PREFIX_REFERRAL if is_prefix_query and knows_prefix_referral else ResponseCode.SERVICE_REFERRAL


def _referral(site: Site) -> Referral:
    """Say where to ask with an empty handle and the site itself in the values (RFC 3652 §3.4)."""
    return Referral("", encode_value_list((HandleValue(1, "HS_SITE", encode_site(site)),)))
