"""Answers in the JSON of Handle.Net's HTTP interface, as its version 9.2.0 writes it (recorded: vectors, file 14)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

import msgspec

from handle_protocol.codes import ResponseCode
from handle_protocol.handle import Handle
from handle_protocol.json_form import value_to_json
from handle_protocol.predefined.site import Site, encode_site
from handle_protocol.record import HandleRecord
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
from resolver.translation.parameters import Parameters

STATUS_BY_CODE: Final = {
    ResponseCode.SUCCESS: HTTPStatus.OK,
    ResponseCode.VALUES_NOT_FOUND: HTTPStatus.OK,
    ResponseCode.SERVICE_REFERRAL: HTTPStatus.MULTIPLE_CHOICES,
    ResponseCode.PREFIX_REFERRAL: HTTPStatus.MULTIPLE_CHOICES,
    ResponseCode.HANDLE_NOT_FOUND: HTTPStatus.NOT_FOUND,
    ResponseCode.HANDLE_ALREADY_EXISTS: HTTPStatus.CONFLICT,
    ResponseCode.VALUE_ALREADY_EXISTS: HTTPStatus.CONFLICT,
    ResponseCode.PROTOCOL_ERROR: HTTPStatus.BAD_REQUEST,
    ResponseCode.INVALID_HANDLE: HTTPStatus.BAD_REQUEST,
    ResponseCode.INVALID_VALUE: HTTPStatus.BAD_REQUEST,
    ResponseCode.SERVER_NOT_RESPONSIBLE: HTTPStatus.BAD_REQUEST,
    ResponseCode.OPERATION_NOT_SUPPORTED: HTTPStatus.NOT_IMPLEMENTED,
    ResponseCode.SERVER_TOO_BUSY: HTTPStatus.SERVICE_UNAVAILABLE,
    ResponseCode.SERVER_BACKUP: HTTPStatus.SERVICE_UNAVAILABLE,
    ResponseCode.AUTHENTICATION_NEEDED: HTTPStatus.FORBIDDEN,
    ResponseCode.INVALID_ADMIN: HTTPStatus.FORBIDDEN,
    ResponseCode.INSUFFICIENT_PERMISSIONS: HTTPStatus.FORBIDDEN,
    ResponseCode.AUTHENTICATION_FAILED: HTTPStatus.FORBIDDEN,
    ResponseCode.INVALID_CREDENTIAL: HTTPStatus.FORBIDDEN,
}
"""HTTP status of a resolution's response code; every other code is a 500.

402 is a 401 over TLS, see rest_api; over plain HTTP the reference forbids, as nobody may log in there.
"""

_FAILURES: Final[dict[type[Answer], tuple[ResponseCode, str | None]]] = {
    NotFound: (ResponseCode.HANDLE_NOT_FOUND, None),
    PermissionNeeded: (ResponseCode.AUTHENTICATION_NEEDED, None),
    NotResponsible: (ResponseCode.SERVER_NOT_RESPONSIBLE, "本节点不负责该前缀 / That prefix is not served here"),
    Suspended: (ResponseCode.SERVER_NOT_RESPONSIBLE, "该前缀已暂停解析 / That prefix is suspended"),
    Busy: (ResponseCode.SERVER_TOO_BUSY, "请稍后再试 / Try again later"),
}

JSON_TYPE: Final = "application/json;charset=UTF-8"
_SCRIPT_TYPE: Final = "application/javascript;charset=UTF-8"
_NO_NAME_CHARACTER: Final = re.compile(r"[^0-9A-Za-z_]")
_CALLBACK_CHARACTERS_MAX: Final = 100


@dataclass(frozen=True, slots=True)
class RestAnswer:
    """A response code and the members that follow it in the JSON object, in this order.

    Attributes:
        unusual_status: the HTTP status, where it is not the one that goes with the code.
    """

    code: ResponseCode
    members: dict[str, object]
    unusual_status: HTTPStatus | None = None

    @property
    def status(self) -> HTTPStatus:
        """The HTTP status that goes with it."""
        return self.unusual_status or STATUS_BY_CODE.get(self.code, HTTPStatus.INTERNAL_SERVER_ERROR)


def query_of(handle: Handle, parameters: Parameters, *, is_public_only: bool = True) -> Query:
    """Return what a request for `handle` asks. The parameter "cert" is without meaning where nothing is signed.

    Args:
        handle: whose record.
        parameters: of the request.
        is_public_only: what counts where "publicOnly" is missing.

    Raises:
        UnreadableParameters: an index is no number.
    """
    return Query(
        handle=handle,
        indexes=parameters.indexes(),
        types=parameters.texts("type"),
        is_public_only=parameters.says("publicOnly", default=is_public_only),
        is_authoritative=parameters.says("auth"),
        may_refer=not parameters.says("doNotRefer"),
    )


def rest_answer_of(query: Query, answer: Answer) -> RestAnswer:
    """Return the JSON for `answer`. The handle is spelled as it was asked."""
    handle = query.handle.spelling
    match answer:
        case Found(record):
            return record_answer(handle, record)
        case ValuesNotFound():
            return RestAnswer(ResponseCode.VALUES_NOT_FOUND, {"values": [], "handle": handle})
        case Referred(_, site, is_prefix_query):
            code = ResponseCode.PREFIX_REFERRAL if is_prefix_query else ResponseCode.SERVICE_REFERRAL
            return RestAnswer(code, {"handle": handle, "values": _values((_site_value(site),))})
        case NotFound(_, was_deleted) if was_deleted:
            # Not 410: pyhandle knows 404 alone for what is not there, and could not register the handle again.
            return failure(ResponseCode.HANDLE_NOT_FOUND, handle, "该标识已被删除 / Deleted")
        case _:
            code, message = _FAILURES[type(answer)]
            return failure(code, handle, message)


def record_answer(handle: str, record: HandleRecord) -> RestAnswer:
    """Return the JSON for a record that was found, under the name by which it was asked for."""
    return RestAnswer(ResponseCode.SUCCESS, {"handle": handle, "values": _values(record.values)})


def site_answer_of(site: Site) -> RestAnswer:
    """Return the JSON that tells where this node is."""
    data = value_to_json(_site_value(site))["data"]
    assert isinstance(data, dict)
    return RestAnswer(ResponseCode.SUCCESS, {"site": data["value"]})


def failure(code: ResponseCode, handle: str | None = None, message: str | None = None) -> RestAnswer:
    """Return an answer that gives nothing but its reason."""
    members = {"handle": handle, "message": message}
    return RestAnswer(code, {name: member for name, member in members.items() if member is not None})


def encode(answer: RestAnswer, parameters: Parameters) -> tuple[str, bytes]:
    """Return content type and octets: JSON, indented with "pretty", a script that calls "callback" if it is named."""
    octets = msgspec.json.encode({"responseCode": answer.code, **answer.members})
    if parameters.says("pretty"):
        octets = msgspec.json.format(octets, indent=2)
    callback = parameters.first("callback")
    if not callback:
        return JSON_TYPE, octets
    name = _NO_NAME_CHARACTER.sub("_", callback[:_CALLBACK_CHARACTERS_MAX])
    return _SCRIPT_TYPE, b"%s(%s);" % (name.encode(), octets)


def _values(values: tuple[HandleValue, ...]) -> list[object]:
    return [value_to_json(value) for value in values]


def _site_value(site: Site) -> HandleValue:
    return HandleValue(1, "HS_SITE", encode_site(site))
