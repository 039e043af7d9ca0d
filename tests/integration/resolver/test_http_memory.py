"""Differential: a request that is repeated is answered with the very octets that aiohttp would send, or by aiohttp."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from urllib.parse import quote

import pytest

from handle_protocol.handle import Handle
from handle_protocol.record import HandleRecord
from resolver.authority import Authority
from resolver.fast_path.choice import FastPath
from resolver.listeners.http_connection import BoundedConnection, HttpLimits
from resolver.listeners.http_memory import HEADS_MAX
from tests.builders import text_value
from tests.integration.resolver.http_world import INACTIVE, World

PRODUCT = "88.118.8/泵 1"
TARGETS = (
    f"/api/handles/{quote(PRODUCT)}",
    f"/api/handles/{quote(PRODUCT)}?pretty",
    f"/api/handles/{quote(PRODUCT)}?index=2",
    f"/api/handles/{quote(PRODUCT)}?auth",
    f"/api/handles/{quote(PRODUCT)}?callback=f",
    f"/{quote(PRODUCT)}",
    f"/{quote(PRODUCT)}?noredirect",
    f"/resolve/{quote(PRODUCT)}",
    f"/{quote('88.118.8/长')}",
    f"/api/handles/{quote('88.118.8/长')}",
    "/88.300.15907/loc-1",
    "/api/handles/88.118.8/nothing",
    "/api/handles/0.NA/88.118.7",
    "/88.118.9/stopped",
    "/",
    "/healthz/ready",
)
HEADS = (
    "Host: id.example.cn\r\n",
    "Host: id.example.cn\r\nAccept: */*\r\nAccept-Encoding: gzip, deflate\r\nUser-Agent: 客户端\r\n",
    "Host: id.example.cn\r\nConnection: keep-alive\r\n",
    "Host: id.example.cn\r\nAccept: application/json\r\nAccept-Language: en\r\n",
    "Host: id.example.cn\r\nOrigin: https://页.example\r\n",
    'Host: id.example.cn\r\nIf-None-Match: "1"\r\n',
    "Host: id.example.cn\r\nAuthorization: Basic eDp5\r\n",
    "Host: id.example.cn\r\nConnection: close\r\n",
)
DATES = re.compile(rb"(Date|Expires): [^\r]*")


class Client:
    """A connection on which octets are sent as they are."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def ask(self, *pieces: bytes, answers: int = 1) -> list[bytes]:
        """Send pieces, each by itself, and return so many answers without their dates; fewer where that is the end."""
        with suppress(ConnectionError):  # It was closed, which the answers show.
            for piece in pieces:
                self.writer.write(piece)
                await asyncio.sleep(0.005 if len(pieces) > 1 else 0)
            return [answer for answer in [await self._answer() for _ in range(answers)] if answer]
        return []

    async def _answer(self) -> bytes:
        async with asyncio.timeout(5):
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                line = await self.reader.readline()
                if not line:
                    return head
                head += line
            length = re.search(rb"Content-Length: (\d+)", head)
            body = await self.reader.readexactly(0 if length is None else int(length[1]))
        return DATES.sub(rb"\1", head) + body


@asynccontextmanager
async def world(fast_path: FastPath, limits: HttpLimits | None = None) -> AsyncIterator[World]:
    world = World(limits or HttpLimits(), fast_path=fast_path)
    world.put(
        HandleRecord.of(Handle(PRODUCT), (text_value(1, "URL", "https://example.cn/泵"), text_value(2, "名称", "泵")))
    )
    world.put(HandleRecord.of(Handle("88.118.8/长"), (text_value(1, "DESC", "长" * 2_000),)))
    world.resolver.authority = Authority(world.register.prefixes.values())
    world.resolver.cache.trust(world.resolver.clock())
    await world.door.open()
    try:
        yield world
    finally:
        await world.door.close(1.0)


@asynccontextmanager
async def connected(world: World) -> AsyncIterator[Client]:
    reader, writer = await asyncio.open_connection("127.0.0.1", world.port)
    try:
        yield Client(reader, writer)
    finally:
        writer.close()


def request(target: str, head: str = HEADS[0]) -> bytes:
    return f"GET {target} HTTP/1.1\r\n{head}\r\n".encode()


LEARNED, OTHER = request(TARGETS[0]), request("/api/handles/88.118.8/nothing")
SENT = {
    "again": ((LEARNED,), 1),
    "cut": (tuple(LEARNED[start : start + 30] for start in range(0, len(LEARNED), 30)), 1),
    "two at once": ((LEARNED + LEARNED,), 2),
    "another behind": ((LEARNED + OTHER,), 2),
    "behind another": ((OTHER + LEARNED,), 2),
    "half of another behind": ((LEARNED + OTHER[:20], OTHER[20:]), 2),
    "one after the other without waiting": ((LEARNED, OTHER, LEARNED), 3),
    "with a body behind": ((LEARNED + b"0\r\n\r\n",), 2),
}


async def told(world: World, *asked: tuple[Sequence[bytes], int]) -> list[list[bytes]]:
    """Return what is answered when each is asked on a connection of its own, again and again."""
    told = []
    for pieces, answers in asked:
        async with connected(world) as client:
            said = [await client.ask(request("/healthz/live"))]
            said += [await client.ask(*pieces, answers=answers) for _ in range(3)]
            told.append([answer for each in said for answer in each])
    return told


@pytest.mark.parametrize("head", HEADS)
async def test_every_answer_has_the_octets_that_aiohttp_sends(head: str) -> None:
    asked = [((request(target, head),), 1) for target in TARGETS]
    async with world(FastPath.usual()) as fast, world(FastPath.OFF) as slow:
        assert await told(fast, *asked) == await told(slow, *asked)


@pytest.mark.parametrize("name", SENT)
async def test_however_it_is_sent_it_is_answered_alike(name: str) -> None:
    async with world(FastPath.usual()) as fast, world(FastPath.OFF) as slow:
        learned = await told(fast, ((LEARNED,), 1))
        assert learned == await told(slow, ((LEARNED,), 1))
        assert await told(fast, SENT[name]) == await told(slow, SENT[name])


async def test_repeated_requests_are_answered_without_aiohttp(monkeypatch: pytest.MonkeyPatch) -> None:
    async with world(FastPath.usual()) as fast, connected(fast) as client:
        await client.ask(request("/healthz/live"))
        first, second, third = [await client.ask(LEARNED) for _ in range(3)]
        monkeypatch.setattr(BoundedConnection, "begin_answer", None)
        assert [await client.ask(LEARNED) for _ in range(3)] == [first, second, third]
        assert fast.tally.outcomes["found"] == 6


async def test_a_change_shows_at_once() -> None:
    async with world(FastPath.usual()) as fast, connected(fast) as client:
        asked = request(f"/{quote(PRODUCT)}")
        told = [await client.ask(asked) for _ in range(3)]
        assert all(b"https://example.cn/" in answer for [answer] in told)
        for changed in ("https://other.example/", "https://third.example/"):
            fast.put(HandleRecord.of(Handle(PRODUCT), (text_value(1, "URL", changed),), revision=9))
            again = [await client.ask(asked) for _ in range(3)]
            assert all(changed.encode() in answer for [answer] in again)
        fast.put(HandleRecord.of(Handle("0.NA/88.118.8"), (text_value(1, "HS_NAMESPACE", INACTIVE),)))
        assert (await client.ask(asked))[0].startswith(b"HTTP/1.1 404 ")
        fast.register.add_prefix("88.118.8", is_suspended=True)
        fast.resolver.authority = Authority(fast.register.prefixes.values())
        assert b'"responseCode":301' in (await client.ask(LEARNED))[0]


async def test_a_connection_that_is_used_stays_open() -> None:
    async with world(FastPath.usual(), HttpLimits(idle_seconds=1.0)) as fast, connected(fast) as client:
        for _ in range(12):
            assert len(await client.ask(LEARNED)) == 1
            await asyncio.sleep(0.2)
        await asyncio.sleep(2.0)
        assert await client.ask(LEARNED) == []


async def test_what_is_remembered_is_bounded() -> None:
    async with world(FastPath.usual()) as fast, connected(fast) as client:
        for number in range(HEADS_MAX + 10):
            for _ in range(2):
                await client.ask(request(TARGETS[0], f"Host: {number}.example\r\n"))
        memory = fast.door.memory
        assert (memory.heads, memory.octets < 2_000 * (HEADS_MAX + 10)) == (HEADS_MAX, True)
