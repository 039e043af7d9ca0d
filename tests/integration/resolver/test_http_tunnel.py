"""The Handle protocol inside of HTTP: the answers are those that any other door gives."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from handle_protocol.message import decode_message
from resolver.listeners.http_tunnel import MESSAGE_TYPE, Tunnel, is_tunnelled
from resolver.metrics import DoorTally
from resolver.operations.native import NativeService
from tests.builders import question
from tests.integration.resolver.http_world import RECORDED_AT, SMALL, VECTORS, World

Exchange = tuple[int, str, bytes]


def wires(file: str) -> dict[str, bytes]:
    vectors = json.loads((VECTORS / file).read_text("utf-8"))["vectors"]
    return {each["name"]: bytes.fromhex(each["wire_hex"]) for each in vectors if each["wire_hex"]}


REQUESTS = wires("01-requests.json")
RESPONSES = wires("02-responses.json")


class TunnelWorld(World):
    """A door with a tunnel, and the service behind it."""

    def __init__(self) -> None:
        self.tunnel_tally = DoorTally("tunnel")
        super().__init__(SMALL)
        self.resolver.unix_clock = lambda: RECORDED_AT
        self.service = NativeService(self.resolver, self.tunnel_tally)
        self.door._tunnel = Tunnel(self.service)  # noqa: SLF001 - the resolver is made by the world itself


@pytest_asyncio.fixture
async def world() -> AsyncIterator[TunnelWorld]:
    world = TunnelWorld()
    await world.door.open()
    yield world
    await world.door.close(1.0)


@pytest.fixture
def send(world: TunnelWorld) -> Any:
    async def send(body: bytes, path: str = "/88.300.15907%2Frest-1", media_type: str = MESSAGE_TYPE) -> Exchange:
        headers = {"Content-Type": media_type, "Accept": MESSAGE_TYPE}
        url = f"http://127.0.0.1:{world.port}{path}"
        async with aiohttp.ClientSession() as session, session.post(url, data=body, headers=headers) as response:
            octets = await response.read()
            if response.status == 200:
                assert response.headers["Content-Length"] == str(len(octets))
            return response.status, response.headers["Content-Type"], octets

    return send


@pytest.mark.parametrize("octets", REQUESTS.values(), ids=REQUESTS)
async def test_every_request_is_answered_as_by_the_other_doors(world: TunnelWorld, send: Any, octets: bytes) -> None:
    reply = world.service.serve(octets)
    expected = reply if isinstance(reply, bytes) else await reply
    assert await send(octets) == (200, MESSAGE_TYPE, expected)


@pytest.mark.parametrize("path", ["/", "/88.118.8%2F%E7%A6%BB%E5%BF%83%E6%B3%B5", "/api/handles/x", "/%FF", "/?a=b"])
async def test_any_path_will_do(send: Any, path: str) -> None:
    status, _, octets = await send(question("88.118.8/离心泵", 7), path)
    answer = decode_message(octets)
    assert (status, answer.request_id, answer.body.handle.spelling) == (200, 7, "88.118.8/离心泵")


@pytest.mark.parametrize("octets", RESPONSES.values(), ids=RESPONSES)
async def test_a_response_is_never_answered_by_a_message(send: Any, octets: bytes) -> None:
    status, media_type, _ = await send(octets)
    assert (status, media_type) == (400, "application/problem+json")


QUESTION = question("88.118.8/离心泵")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        QUESTION[:19],
        QUESTION[:-1],
        QUESTION + b"\0",
        QUESTION * 2,
        QUESTION[:16] + b"\xff\xff\xff\xff" + QUESTION[20:],
    ],
    ids=["nothing", "half an envelope", "cut", "with a tail", "two", "a lying length"],
)
async def test_what_is_not_one_whole_message_is_refused(world: TunnelWorld, send: Any, body: bytes) -> None:
    status, media_type, _ = await send(body)
    assert (status, media_type) == (400, "application/problem+json")
    assert world.tunnel_tally.discarded == {"malformed": 1}


async def test_a_message_that_cannot_be_read_gets_the_error_of_the_protocol(world: TunnelWorld, send: Any) -> None:
    octets = QUESTION[:16] + (30).to_bytes(4, "big") + QUESTION[20:50]
    assert await send(octets) == (200, MESSAGE_TYPE, world.service.serve(octets))


async def test_every_tunnelled_question_is_counted_once(world: TunnelWorld, send: Any) -> None:
    world.tally.outcomes.clear()
    for _ in range(3):
        await send(QUESTION)
    assert world.service.plain.hits + world.tunnel_tally.outcomes["found"] == 3
    assert world.tally.outcomes == {}


@pytest.mark.parametrize(
    ("method", "media_type", "is_one"),
    [
        ("POST", MESSAGE_TYPE, True),
        ("POST", "Application/X-HDL-Message; charset=utf-8", True),
        ("PUT", MESSAGE_TYPE, False),
        ("GET", MESSAGE_TYPE, False),
        ("POST", "application/json", False),
        ("POST", "application/x-hdl-message-2", False),
        ("POST", "", False),
    ],
)
def test_the_media_type_tells_a_tunnelled_message(method: str, media_type: str, *, is_one: bool) -> None:
    assert is_tunnelled(method, {"Content-Type": media_type}) is is_one
