"""Asking a node: the sockets around `handle_protocol.exchange`, and the same question over HTTP.

No answer in time leaves as TimeoutError, no connection as ConnectionError (both OSError), an answer that makes no
sense as ProtocolError. Everything a server says, "not found" included, is a Reply.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import quote, urlencode

import aiohttp
import msgspec
from yarl import URL

from handle_protocol.bodies.error import ErrorBody
from handle_protocol.bodies.referral import Referral
from handle_protocol.bodies.resolution import ResolutionRequest, ResolutionResponse
from handle_protocol.codes import ResponseCode
from handle_protocol.errors import InvalidValue, ProtocolError
from handle_protocol.exchange import Exchange, Try, resolution_request
from handle_protocol.flags import OpFlag
from handle_protocol.handle import Handle
from handle_protocol.json_fields import JsonObject
from handle_protocol.json_form import record_from_json
from handle_protocol.limits import MESSAGE_OCTETS_MAX, PARTIAL_WAIT_SECONDS
from handle_protocol.message import OP_FLAGS_USUAL, Message
from handle_protocol.record import HandleRecord
from handle_protocol.transmission import StreamCutter
from resolver.query import Query

Address = tuple[str, int]
"""Host and port."""

Protocol = Literal["auto", "udp", "tcp", "http"]
"""How to ask; auto is UDP, then TCP."""

TIMEOUT_SECONDS_DEFAULT: Final = 10.0
"""All UDP tries take three seconds; the rest is for TCP."""

HTTP_ANSWER_OCTETS_MAX: Final = 8 * MESSAGE_OCTETS_MAX
"""JSON may write an octet in six."""

_RESPONSE_CODE_MAX: Final = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server said.

    Attributes:
        response_code: a ResponseCode, or an unknown number.
        record: the values on SUCCESS, or where to ask on a referral; otherwise without values.
        text: the server's words for people, often empty.
        protocol: how the answer came: udp, tcp or http.
        is_authoritative: whether the server says the answer is its register's own.
    """

    response_code: int
    record: HandleRecord
    text: str
    protocol: Protocol
    is_authoritative: bool


async def resolve(
    server: Address,
    query: Query,
    *,
    protocol: Protocol = "auto",
    timeout_seconds: float = TIMEOUT_SECONDS_DEFAULT,
) -> Reply:
    """Ask `server` and return what it says.

    Args:
        server: host and port; for http the port of its web interface.
        query: what to ask.
        protocol: how.
        timeout_seconds: for everything together.

    Raises:
        TimeoutError: no answer came in time.
        OSError: the server cannot be reached, or closed the connection without an answer.
        ProtocolError: what came back over TCP or HTTP is no answer.
    """
    async with asyncio.timeout(timeout_seconds):
        if protocol == "http":
            return await _ask_over_http(server, query)
        question = ResolutionRequest(query.handle, query.indexes, query.types)
        request = resolution_request(
            question, request_id=1 + secrets.randbelow(2**31 - 1), now=time.time(), op_flags=_op_flags(query)
        )
        return await _ask(server, Exchange(request), query.handle, protocol)


async def _ask(server: Address, exchange: Exchange, handle: Handle, protocol: Protocol) -> Reply:
    if protocol != "tcp":
        try:
            answer = await _ask_over_udp(server, exchange)
        except OSError:
            if protocol == "udp":
                raise
            answer = None
        if answer is not None:
            return _reply_of(answer, handle, "udp")
    if protocol == "udp":
        raise TimeoutError(f"no answer from {server[0]} port {server[1]} over UDP")
    return _reply_of(await _ask_over_tcp(server, exchange), handle, "tcp")


def _op_flags(query: Query) -> int:
    flags = OP_FLAGS_USUAL & ~OpFlag.PUBLIC_ONLY
    flags |= OpFlag.PUBLIC_ONLY if query.is_public_only else 0
    flags |= OpFlag.AUTHORITATIVE if query.is_authoritative else 0
    return flags | (0 if query.may_refer else OpFlag.DO_NOT_REFER)


def _reply_of(answer: Message, handle: Handle, protocol: Protocol) -> Reply:
    record, text = HandleRecord.of(handle, ()), ""
    match answer.body:
        case ResolutionResponse(answered, value_list):
            record = HandleRecord(answered, value_list)
        case Referral() as referral:
            record = HandleRecord.of(handle, referral.values)
            text = referral.handle
        case ErrorBody(words):
            text = words or ""
    return Reply(answer.response_code, record, text, protocol, answer.has_flag(OpFlag.AUTHORITATIVE))


class _DatagramReceiver(asyncio.DatagramProtocol):
    """Hands datagrams to an exchange until one completes the answer.

    Attributes:
        answer: the answer, or the socket's failure.
        beginning: done once an answer has begun that may be cut.
    """

    def __init__(self, exchange: Exchange) -> None:
        loop = asyncio.get_running_loop()
        self._exchange = exchange
        self.answer: asyncio.Future[Message] = loop.create_future()
        self.beginning: asyncio.Future[None] = loop.create_future()

    def datagram_received(self, data: bytes, _address: Address) -> None:
        """Take a datagram. The socket is connected: it comes from the address that was asked."""
        if self.answer.done():
            return
        message = self._exchange.accept_datagram(data, time.time())
        if message is not None:
            self.answer.set_result(message)
        elif self._exchange.is_partial and not self.beginning.done():
            self.beginning.set_result(None)

    def error_received(self, exc: Exception) -> None:
        """Take the network's word that nobody listens there."""
        if not self.answer.done():
            self.answer.set_exception(exc)

    async def wait(self, seconds: float) -> Message | None:
        """Return the answer, or None when it does not come within `seconds`, or not whole."""
        news: set[asyncio.Future[Message] | asyncio.Future[None]] = {self.answer, self.beginning}
        await asyncio.wait(news, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if self.beginning.done() and not self.answer.done():
            await asyncio.wait({self.answer}, timeout=PARTIAL_WAIT_SECONDS)
        return self.answer.result() if self.answer.done() else None


async def _ask_over_udp(server: Address, exchange: Exchange) -> Message | None:
    loop = asyncio.get_running_loop()
    transport, receiver = await loop.create_datagram_endpoint(lambda: _DatagramReceiver(exchange), remote_addr=server)
    try:
        while (this_try := exchange.next_try()) is not None:
            answer = await _try_once(transport, receiver, this_try)
            if answer is not None:
                return answer
        return None
    finally:
        receiver.answer.cancel()
        transport.abort()


async def _try_once(transport: asyncio.DatagramTransport, receiver: _DatagramReceiver, this_try: Try) -> Message | None:
    for datagram in this_try.datagrams:
        transport.sendto(datagram)
    return await receiver.wait(this_try.wait_seconds)


class _StreamReceiver(asyncio.Protocol):
    """Hands messages to an exchange until one is the answer.

    Attributes:
        answer: the answer, or what went wrong instead.
    """

    def __init__(self, accept: Callable[[bytes, float], Message | None]) -> None:
        self._accept = accept
        self._cutter = StreamCutter()
        self.answer: asyncio.Future[Message] = asyncio.get_running_loop().create_future()

    def data_received(self, data: bytes) -> None:
        """Take octets of the stream."""
        if self.answer.done():
            return
        try:
            candidates = [self._accept(octets, time.time()) for octets in self._cutter.feed(data)]
        except ProtocolError as error:
            self.answer.set_exception(error)
            return
        answer = next(filter(None, candidates), None)
        if answer is not None:
            self.answer.set_result(answer)

    def connection_lost(self, exc: Exception | None) -> None:
        """Say that no answer will come."""
        if not self.answer.done():
            self.answer.set_exception(exc or ConnectionResetError("the server closed the connection unanswered"))


async def _ask_over_tcp(server: Address, exchange: Exchange) -> Message:
    loop = asyncio.get_running_loop()
    transport, receiver = await loop.create_connection(lambda: _StreamReceiver(exchange.accept_message), *server)
    try:
        transport.write(exchange.request_octets)
        return await receiver.answer
    finally:
        receiver.answer.cancel()
        transport.abort()


async def _ask_over_http(server: Address, query: Query) -> Reply:
    host = f"[{server[0]}]" if ":" in server[0] else server[0]
    path = quote(str(query.handle), safe="/")
    url = URL(f"http://{host}:{server[1]}/api/handles/{path}?{_http_parameters(query)}", encoded=True)
    try:
        async with aiohttp.ClientSession() as session, session.get(url, allow_redirects=False) as response:
            return _reply_of_json(await _read_bounded(response), query.handle)
    except aiohttp.ClientConnectionError as error:
        raise ConnectionError(str(error)) from error
    except aiohttp.ClientError as error:
        raise ProtocolError(f"expected an HTTP answer: {error}") from error


def _http_parameters(query: Query) -> str:
    parameters = [("index", str(index)) for index in query.indexes]
    parameters += [("type", value_type) for value_type in query.types]
    parameters.append(("publicOnly", str(query.is_public_only).lower()))
    parameters += [("auth", "true")] if query.is_authoritative else []
    parameters += [] if query.may_refer else [("doNotRefer", "true")]
    return urlencode(parameters)


async def _read_bounded(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > HTTP_ANSWER_OCTETS_MAX:
            raise ProtocolError(f"expected at most {HTTP_ANSWER_OCTETS_MAX} octets of JSON")
    return bytes(body)


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
