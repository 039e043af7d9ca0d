"""The HTTP door among impolite peers, on raw sockets."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from tests.integration.resolver.http_world import SMALL, World


@pytest_asyncio.fixture
async def world() -> AsyncIterator[World]:
    world = World(SMALL)
    await world.door.open()
    yield world
    await world.door.close(1.0)


REFUSED_OCTETS = {
    "two lengths": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 5\r\n\r\nabcde",
    "two different lengths in one field": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3, 5\r\n\r\nabcde",
    "length and chunks": (
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nabc"
    ),
    "negative length": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "NUL in a field": b"GET / HTTP/1.1\r\nHost: x\r\nX: a\x00b\r\n\r\n",
    "folded field": b"GET / HTTP/1.1\r\nHost: x\r\nX: a\r\n b\r\n\r\n",
    "blank before the colon": b"GET / HTTP/1.1\r\nHost : x\r\n\r\n",
    "authority for a target": b"GET example.cn:80 HTTP/1.1\r\nHost: x\r\n\r\n",
    "broken chunk": b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
}


@pytest.mark.parametrize("octets", REFUSED_OCTETS.values(), ids=REFUSED_OCTETS)
async def test_what_is_no_http_is_refused_and_closed(world: World, octets: bytes) -> None:
    assert (await world.exchange(octets)).startswith((b"HTTP/1.1 400 ", b"HTTP/1.0 400 "))


@pytest.mark.parametrize(
    "octets",
    [
        b"GET /" + b"a" * 9_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 9_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"".join(b"X-%d: %s\r\n" % (n, b"a" * 1_000) for n in range(20)) + b"\r\n",
    ],
    ids=["url", "field", "head"],
)
async def test_huge_heads_are_refused(world: World, octets: bytes) -> None:
    assert b" 431 " in (await world.exchange(octets)).partition(b"\r\n")[0]


async def test_too_many_fields_are_refused(world: World) -> None:
    octets = b"GET / HTTP/1.1\r\nHost: x\r\n" + b"".join(b"X-%d: a\r\n" % n for n in range(200)) + b"\r\n"
    assert (await world.exchange(octets)).startswith(b"HTTP/1.0 4")


async def test_a_head_without_end_is_cut(world: World) -> None:
    reader, writer = await world.connect()
    writer.write(b"GET / HTTP/1.1\r\n")
    for number in range(100):
        writer.write(b"X-%d: %s\r\n" % (number, b"a" * 4_000))
    assert (await is_cut(reader)) < 2.0
    writer.close()


async def test_a_dripping_head_is_cut(world: World) -> None:
    reader, writer = await world.connect()
    cut = asyncio.create_task(is_cut(reader))
    for octet in b"GET /88.118.8/a HTTP/1.1\r\nHost: example.cn\r\n":
        if cut.done():
            break
        writer.write(bytes((octet,)))
        await asyncio.sleep(0.1)
    assert 0.4 < await cut < 1.5
    writer.close()


async def test_a_dripping_body_is_answered_with_408(world: World) -> None:
    octets = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhdl="
    assert b" 408 " in (await world.exchange(octets)).partition(b"\r\n")[0]


async def test_a_silent_connection_is_closed(world: World) -> None:
    reader, writer = await world.connect()
    assert 1.0 < await is_cut(reader) < 3.0
    writer.close()


async def test_a_deaf_peer_is_cut() -> None:
    world = World(replace(SMALL, idle_seconds=30.0))
    await world.door.open()
    peer = socket.socket()
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    peer.connect(("127.0.0.1", world.port))
    peer.setblocking(False)
    wanted = b"GET /api/handles/88.118.8/%E5%A4%A7 HTTP/1.1\r\nHost: x\r\n\r\n"
    await asyncio.get_running_loop().sock_sendall(peer, wanted * 60)
    await asyncio.sleep(0.3)
    assert len(world.door.server.admission.open) == 1
    await asyncio.sleep(2.5)
    assert len(world.door.server.admission.open) == 0
    peer.close()
    await world.door.close(1.0)


async def test_a_slow_peer_that_reads_gets_everything(world: World) -> None:
    peer = socket.socket()
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    peer.connect(("127.0.0.1", world.port))
    peer.setblocking(False)
    loop = asyncio.get_running_loop()
    wanted = b"GET /api/handles/88.118.8/%E5%A4%A7 HTTP/1.1\r\nHost: x\r\n"
    await loop.sock_sendall(peer, (wanted + b"\r\n") * 20 + wanted + b"Connection: close\r\n\r\n")
    await asyncio.sleep(0.5)
    received = bytearray()
    while octets := await asyncio.wait_for(loop.sock_recv(peer, 65_536), 5):
        received += octets
    assert received.count(b"HTTP/1.1 200 OK") == 21
    assert received.endswith(b"]}")
    peer.close()


@pytest.mark.parametrize("host", [b"http://id.example.cn", b"HTTP://id.example.cn:8081"])
async def test_a_proxy_may_send_the_whole_url(world: World, host: bytes) -> None:
    octets = b"GET %s/healthz/live?x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % host
    assert (await world.exchange(octets)).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("line", [b"OPTIONS *", b"GET ftp://a.cn/x", b"CONNECT a.cn:443"])
async def test_what_has_no_path_is_refused(world: World, line: bytes) -> None:
    assert (await world.exchange(line + b" HTTP/1.1\r\nHost: x\r\n\r\n")).startswith(b"HTTP/1.1 400 ")


async def test_a_peer_that_leaves_within_its_body_is_no_failure(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    _, writer = await world.connect()
    writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhdl=")
    await asyncio.sleep(0.1)
    writer.transport.abort()
    await asyncio.sleep(0.2)
    assert world.door.server.admission.open == set()
    assert capsys.readouterr() == ("", "")


async def test_pipelined_requests_are_answered_in_order(world: World) -> None:
    targets = [f"/api/handles/88.118.8/none-{number}" for number in range(100)]
    asked = "".join(f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n" for target in targets)
    octets = await world.exchange(
        asked.encode() + b"GET /healthz/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    )
    answered = [octets.find(f'/none-{number}"'.encode()) for number in range(100)]
    assert -1 not in answered
    assert answered == sorted(answered)


async def test_too_many_connections_of_one_address_are_refused(world: World) -> None:
    held = [await world.connect() for _ in range(SMALL.per_address_max)]
    await asyncio.sleep(0.1)
    surplus, writer = await world.connect()
    assert await is_cut(surplus) < 0.5
    assert world.tally.discarded["too_many_connections_of_address"] == 1
    for _, each in [*held, (surplus, writer)]:
        each.close()
    await asyncio.sleep(0.1)
    assert (await world.exchange(b"GET /healthz/live HTTP/1.0\r\n\r\n")).startswith(b"HTTP/1.0 200")


async def test_too_many_connections_in_all_are_refused() -> None:
    world = World(replace(SMALL, connections_max=1))
    await world.door.open()
    _, held = await world.connect()
    await asyncio.sleep(0.1)
    surplus, writer = await world.connect()
    assert await is_cut(surplus) < 0.5
    assert world.tally.discarded["too_many_connections"] == 1
    for each in (held, writer):
        each.close()
    await world.door.close(1.0)


async def test_a_client_that_waits_is_told_to_continue(world: World) -> None:
    reader, writer = await world.connect()
    writer.write(
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        b"Content-Length: 24\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"
    )
    assert (await reader.readline()) == b"HTTP/1.1 100 Continue\r\n"
    writer.write(b"hdl=88.300.15907%2Frest-1"[:24])
    assert b" 404 " in await asyncio.wait_for(reader.read(-1), 5)
    writer.close()


async def test_requests_under_way_are_answered_before_the_door_closes() -> None:
    world = World(SMALL)
    await world.door.open()
    world.register.is_open.clear()
    asked = asyncio.create_task(world.exchange(b"GET /api/handles/88.118.8/a/b HTTP/1.1\r\nHost: x\r\n\r\n"))
    await asyncio.sleep(0.2)
    assert world.register.batches
    closing = asyncio.create_task(world.door.close(2.0))
    await asyncio.sleep(0.1)
    world.register.is_open.set()
    assert b"HTTP/1.1 200 OK" in await asked
    await closing
    with pytest.raises(ConnectionRefusedError):
        await world.connect()


async def is_cut(reader: asyncio.StreamReader) -> float:
    """Wait until the other side closes, and return how many seconds that took."""
    loop = asyncio.get_running_loop()
    start = loop.time()
    try:
        while await asyncio.wait_for(reader.read(65_536), 10):
            pass
    except ConnectionResetError:
        pass
    return loop.time() - start
