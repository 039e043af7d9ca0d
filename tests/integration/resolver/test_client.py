"""The client against our own doors, and against servers that misbehave, all on loopback."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from time import monotonic, time

import pytest
from aiohttp import web

from handle_protocol.bodies.resolution import ResolutionResponse
from handle_protocol.codes import ResponseCode
from handle_protocol.errors import ProtocolError
from handle_protocol.handle import Handle
from handle_protocol.message import Message, answer_to, decode_message, encode_message
from handle_protocol.record import encode_value_list
from handle_protocol.transmission import split
from resolver.client import Address, Reply, resolve
from resolver.listeners.sockets import open_tcp
from resolver.listeners.tcp import TcpDoor, TcpLimits
from resolver.query import Query
from tests.builders import text_value

QUERY = Query(Handle("88.118.8/轴承"))
Answering = Callable[[Message], list[bytes]]


def answer_of(request: Message, size: int = 10) -> Message:
    body = ResolutionResponse(QUERY.handle, encode_value_list((text_value(1, "URL", "泵" * size),)))
    return answer_to(request, ResponseCode.SUCCESS, body, now=time())


class UdpServer(asyncio.DatagramProtocol):
    """Sends what it is told to for each datagram, and remembers when it was asked."""

    def __init__(self, answering: Answering) -> None:
        self._answering = answering
        self.asked_at: list[float] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, address: Address) -> None:
        self.asked_at.append(monotonic())
        for datagram in self._answering(decode_message(data)):
            self._transport.sendto(datagram, address)


class TcpServer(asyncio.Protocol):
    """Sends what it is told to for each message, then keeps the connection; closes it when there is nothing to say."""

    def __init__(self, answering: Answering) -> None:
        self._answering = answering

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        octets = b"".join(self._answering(decode_message(data)))
        if octets:
            self._transport.write(octets)
        else:
            self._transport.close()


@asynccontextmanager
async def serving(udp: Answering | None, tcp: Answering | None) -> AsyncIterator[tuple[Address, UdpServer | None]]:
    """Servers on one port."""
    loop = asyncio.get_running_loop()
    listener = await loop.create_server(lambda: TcpServer(tcp or (lambda _: [])), "127.0.0.1", 0)
    address = listener.sockets[0].getsockname()
    if tcp is None:
        listener.close()
    transport, server = None, None
    if udp is not None:
        transport, server = await loop.create_datagram_endpoint(lambda: UdpServer(udp), local_addr=address)
    try:
        yield address, server
    finally:
        listener.close()
        if transport is not None:
            transport.close()


def whole(request: Message) -> list[bytes]:
    return [encode_message(answer_of(request))]


def nothing(_: Message) -> list[bytes]:
    return []


async def test_an_answer_comes_over_udp() -> None:
    async with serving(whole, None) as (address, _):
        reply = await resolve(address, QUERY)
    assert (reply.response_code, reply.protocol, reply.is_authoritative) == (ResponseCode.SUCCESS, "udp", True)
    assert reply.record.values == (text_value(1, "URL", "泵" * 10),)


async def test_a_silent_udp_server_is_asked_again_after_half_a_second() -> None:
    async with serving(nothing, whole) as (address, server):
        with pytest.raises(TimeoutError):
            await resolve(address, QUERY, protocol="udp", timeout_seconds=0.8)
    assert server is not None
    first, second = server.asked_at
    assert second - first == pytest.approx(0.5, abs=0.2)


async def test_a_cut_answer_is_fetched_over_tcp_at_once() -> None:
    def beginning(request: Message) -> list[bytes]:
        return split(encode_message(answer_of(request, 1_000)))[:1]

    async with serving(beginning, lambda request: [encode_message(answer_of(request, 1_000))]) as (address, server):
        started = monotonic()
        reply = await resolve(address, QUERY)
    assert monotonic() - started < 0.4
    assert (reply.protocol, len(reply.record.values[0].data)) == ("tcp", 3_000)
    assert server is not None
    assert len(server.asked_at) == 1


async def test_an_answer_in_several_datagrams_comes_over_udp() -> None:
    async with serving(lambda request: split(encode_message(answer_of(request, 1_000))), None) as (address, _):
        reply = await resolve(address, QUERY)
    assert (reply.protocol, len(reply.record.values[0].data)) == ("udp", 3_000)


async def test_forged_answers_are_passed_over() -> None:
    def forged_first(request: Message) -> list[bytes]:
        real = answer_of(request)
        expired = replace(real, header=replace(real.header, expires_at=1))
        return [b"", b"!" * 30, *map(encode_message, (replace(real, request_id=1), expired, request, real))]

    async with serving(forged_first, None) as (address, _):
        reply = await resolve(address, QUERY)
    assert reply.record.values == (text_value(1, "URL", "泵" * 10),)


async def test_where_nobody_listens_to_udp_tcp_is_asked_at_once() -> None:
    async with serving(None, whole) as (address, _):
        started = monotonic()
        reply = await resolve(address, QUERY)
    assert reply.protocol == "tcp"
    assert monotonic() - started < 0.4


@pytest.mark.parametrize("protocol", ["udp", "tcp", "http", "auto"])
async def test_where_nobody_listens_at_all_the_connection_is_refused(protocol: str) -> None:
    async with serving(None, None) as (address, _):
        with pytest.raises(ConnectionError):
            await resolve(address, QUERY, protocol=protocol, timeout_seconds=5)


async def test_a_connection_closed_unanswered_is_an_error() -> None:
    async with serving(None, nothing) as (address, _):
        with pytest.raises(ConnectionResetError, match="unanswered"):
            await resolve(address, QUERY, protocol="tcp")


async def test_what_is_no_answer_over_tcp_is_a_protocol_error() -> None:
    async with serving(None, lambda _: [b"HTTP/1.1 400 Bad Request\r\n\r\n"]) as (address, _):
        with pytest.raises(ProtocolError):
            await resolve(address, QUERY, protocol="tcp")


async def test_an_answer_to_something_else_over_tcp_is_waited_past_until_the_deadline() -> None:
    async with serving(None, lambda request: [encode_message(replace(answer_of(request), request_id=0))]) as (
        address,
        _,
    ):
        with pytest.raises(TimeoutError):
            await resolve(address, QUERY, protocol="tcp", timeout_seconds=0.3)


async def test_our_own_door_is_understood(served) -> None:
    listener = open_tcp("127.0.0.1", 0)
    address = listener.getsockname()
    door = TcpDoor(listener, served.service, TcpLimits())
    await door.open()
    try:
        found = await resolve(address, QUERY, protocol="tcp")
        missing = await resolve(address, Query(Handle("88.118.8/没有")), protocol="tcp")
        foreign = await resolve(address, Query(Handle("10.1/x"), types=("URL",), may_refer=False), protocol="tcp")
    finally:
        await door.close(1.0)
    assert [value.data.decode() for value in found.record.values] == ["https://example.cn/轴承", "轴承"]
    assert (missing.response_code, missing.record.values) == (ResponseCode.HANDLE_NOT_FOUND, ())
    assert (foreign.response_code, foreign.text[:6]) == (ResponseCode.SERVER_NOT_RESPONSIBLE, "prefix")


@asynccontextmanager
async def web_server(body: str | bytes) -> AsyncIterator[tuple[Address, list[str]]]:
    """A server that gives `body` to every request, and the paths it was asked for."""
    asked: list[str] = []

    async def give(request: web.Request) -> web.Response:
        asked.append(request.raw_path)
        return web.Response(body=body, content_type="application/json")

    application = web.Application()
    application.router.add_get("/{path:.*}", give)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield runner.addresses[0], asked
    finally:
        await runner.cleanup()


VALUE = {"index": 1, "type": "URL", "data": {"format": "string", "value": "https://例.cn"}, "ttl": 86400}
FOUND = {"responseCode": 1, "handle": "88.118.8/轴承", "values": [VALUE]}


async def ask_web(body: object, query: Query = QUERY) -> Reply:
    async with web_server(body if isinstance(body, bytes) else json.dumps(body)) as (address, _):
        return await resolve(address, query, protocol="http")


async def test_an_answer_comes_over_http() -> None:
    reply = await ask_web(FOUND)
    assert (reply.response_code, reply.protocol) == (ResponseCode.SUCCESS, "http")
    assert reply.record.values == (text_value(1, "URL", "https://例.cn"),)


@pytest.mark.parametrize(
    ("body", "code", "text"),
    [
        ({"responseCode": 100, "handle": "88.118.8/轴承"}, 100, ""),
        ({"responseCode": 301, "message": "本节点不负责该前缀"}, 301, "本节点不负责该前缀"),
        ({"responseCode": 200, "values": [], "handle": "88.118.8/轴承"}, 200, ""),
    ],
)
async def test_an_error_over_http_is_a_reply(body: object, code: int, text: str) -> None:
    reply = await ask_web(body)
    assert (reply.response_code, reply.text, reply.record.values) == (code, text, ())


@pytest.mark.parametrize(
    "body",
    [
        b"<html>",
        b"",
        b"[" * 100_000,
        b"\xff",
        [],
        {},
        {"responseCode": "一"},
        {**FOUND, "handle": "88.118.8/齿轮"},
        {**FOUND, "values": [{}]},
        b'"' + b"x" * 3_000_000 + b'"',
    ],
    ids=range(10),
)
async def test_what_is_no_answer_over_http_is_a_protocol_error(body: object) -> None:
    with pytest.raises(ProtocolError):
        await ask_web(body)


async def test_a_question_over_http_says_all_that_a_query_says() -> None:
    query = Query(Handle("88.118.8/a b?#%/é"), (1, 2), ("名称",), is_authoritative=True, may_refer=False)
    async with web_server(json.dumps({"responseCode": 100})) as (address, asked):
        await resolve(address, query, protocol="http")
    path = "/api/handles/88.118.8/a%20b%3F%23%25/%C3%A9"
    assert asked == [f"{path}?index=1&index=2&type=%E5%90%8D%E7%A7%B0&publicOnly=true&auth=true&doNotRefer=true"]
