"""Handle protocol messages ⇄ Query and Answer (RFC 3652 §3.2 to §3.4)."""

from __future__ import annotations

from typing import Final

from handle_protocol.bodies import ErrorBody, Referral, ResolutionRequest, ResolutionResponse
from handle_protocol.codes import ResponseCode
from handle_protocol.envelope import Version
from handle_protocol.flags import OpFlag
from handle_protocol.message import Message, answer_to
from handle_protocol.predefined.site import Site, encode_site
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


def query_of(request: Message, body: ResolutionRequest) -> Query:
    """Return what a resolution request asks."""
    flags = request.header.op_flags
    return Query(
        handle=body.handle,
        indexes=body.indexes,
        types=body.types,
        is_public_only=bool(flags & OpFlag.PUBLIC_ONLY),
        is_authoritative=bool(flags & OpFlag.AUTHORITATIVE),
        may_refer=not flags & OpFlag.DO_NOT_REFER,
    )


def message_of(answer: Answer, request: Message, *, site_serial: int, now: int) -> Message:
    """Return the response that tells `answer` to whoever sent `request`.

    Args:
        answer: what is to be said.
        request: the request, whose ids, flags and version decide about the response's.
        site_serial: of the site information that this node gives out.
        now: Unix seconds.
    """
    code, body = _code_and_body(answer, request)
    is_authoritative = not isinstance(answer, Found) or answer.is_authoritative
    return answer_to(request, code, body, now=now, site_serial=site_serial, is_authoritative=is_authoritative)


def _code_and_body(
    answer: Answer, request: Message
) -> tuple[ResponseCode, ResolutionResponse | Referral | ErrorBody]:
    match answer:
        case Found(record):
            return ResponseCode.SUCCESS, ResolutionResponse(record.handle, record.value_list)
        case NotFound():
            return ResponseCode.HANDLE_NOT_FOUND, ErrorBody("")
        case ValuesNotFound():
            return ResponseCode.VALUES_NOT_FOUND, ErrorBody("")
        case NotResponsible():
            return ResponseCode.SERVER_NOT_RESPONSIBLE, ErrorBody("That prefix is not served here / 本节点不负责该前缀")
        case Suspended(_, prefix):
            return ResponseCode.SERVER_NOT_RESPONSIBLE, ErrorBody(f"Prefix {prefix} is suspended / 前缀已暂停")
        case Referred(_, site, is_prefix_query):
            return _referral_code(request, is_prefix_query=is_prefix_query), _referral(site)
        case PermissionNeeded():
            return ResponseCode.INSUFFICIENT_PERMISSIONS, ErrorBody("Not all of it is public / 含非公开的值")
        case Busy():
            return ResponseCode.SERVER_TOO_BUSY, ErrorBody("Try later / 请稍后再试")


def _referral_code(request: Message, *, is_prefix_query: bool) -> ResponseCode:
    knows_prefix_referral = request.answer_version >= _PREFIX_REFERRAL_SINCE
    return (
        ResponseCode.PREFIX_REFERRAL if is_prefix_query and knows_prefix_referral else ResponseCode.SERVICE_REFERRAL
    )


def _referral(site: Site) -> Referral:
    """RFC 3652 §3.4: an empty handle, and the site itself in the values."""
    return Referral("", (HandleValue(1, "HS_SITE", encode_site(site)),))
