"""Asking over HTTP for JSON, as Handle.Net's REST interface gives it."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote, urlencode

import aiohttp
import msgspec
from yarl import URL

from handle_protocol.codes import ResponseCode
from handle_protocol.errors import InvalidValue, ProtocolError
from handle_protocol.handle import Handle
from handle_protocol.json_fields import JsonObject
from handle_protocol.json_form import record_from_json
from handle_protocol.limits import MESSAGE_OCTETS_MAX
from handle_protocol.record import HandleRecord
from resolver.asking.reply import Address, Reply
from resolver.query import Query

HTTP_ANSWER_OCTETS_MAX: Final = 8 * MESSAGE_OCTETS_MAX
"""JSON may write an octet in six."""

_RESPONSE_CODE_MAX: Final = 2**31 - 1


async def resolve_over_http(server: Address, query: Query) -> Reply:
    """Ask `server` over HTTP. Whoever calls this sets the deadline.

    Raises:
        OSError: the server cannot be reached.
        ProtocolError: what came back is no answer.
    """
    path = quote(str(query.handle), safe="/")
    url = URL(f"{site_url(server)}/api/handles/{path}?{_parameters(query)}", encoded=True)
    try:
        async with aiohttp.ClientSession() as session, session.get(url, allow_redirects=False) as response:
            return _reply_of_json(await read_bounded(response, HTTP_ANSWER_OCTETS_MAX), query.handle)
    except aiohttp.ClientConnectionError as error:
        raise ConnectionError(str(error)) from error
    except aiohttp.ClientError as error:
        raise ProtocolError(f"expected an HTTP answer: {error}") from error


def site_url(server: Address) -> str:
    """Return the URL of a server, without a path."""
    host = f"[{server[0]}]" if ":" in server[0] else server[0]
    return f"http://{host}:{server[1]}"


async def read_bounded(response: aiohttp.ClientResponse, octets_max: int) -> bytes:
    """Return the body of a response.

    Raises:
        ProtocolError: it is longer than `octets_max`.
    """
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > octets_max:
            raise ProtocolError(f"expected at most {octets_max} octets in an HTTP answer")
    return bytes(body)


def _parameters(query: Query) -> str:
    parameters = [("index", str(index)) for index in query.indexes]
    parameters += [("type", value_type) for value_type in query.types]
    parameters.append(("publicOnly", str(query.is_public_only).lower()))
    parameters += [("auth", "true")] if query.is_authoritative else []
    parameters += [] if query.may_refer else [("doNotRefer", "true")]
    return urlencode(parameters)


def _reply_of_json(body: bytes, handle: Handle) -> Reply:
    try:
        json = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        raise ProtocolError("expected JSON") from None
    form = JsonObject(json, "")
    code = form.number("responseCode", 0, _RESPONSE_CODE_MAX)
    record = HandleRecord.of(handle, ()) if form.get("handle") is None else record_from_json(json)
    if code == ResponseCode.SUCCESS and not _is_same(record.handle, handle):
        raise InvalidValue("handle", f"the handle that was asked for, {handle}")
    text = form.get("message")
    return Reply(code, record, text if isinstance(text, str) else "", "http", is_authoritative=False)


def _is_same(one: Handle, other: Handle) -> bool:
    return one.key(folds_suffix=True) == other.key(folds_suffix=True)
