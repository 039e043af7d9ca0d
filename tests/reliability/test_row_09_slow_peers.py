"""Row 9: peers that are idle, slow, deaf or restless are bounded and cut; the honest are served meanwhile."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import ExitStack, suppress
from itertools import cycle, islice
from urllib.parse import quote

from tests.builders import question
from tests.reliability.honest import RECORDS, honest_traffic
from tests.reliability.octets_client import Stream, connect
from tests.reliability.process_facts import Facts
from tests.reliability.scale import IDLE_SECONDS, MESSAGE_SECONDS, WRITE_SECONDS
from tests.started_node import StartedNode, until

ADDRESSES = tuple(f"127.0.9.{number}" for number in range(1, 11))
PEERS = 30
"""Of each kind at each of the two doors."""

DEAF_PEERS = 6
"""Each makes the node answer some thousand questions before the kernel takes no more."""

WATCH_SECONDS = 5.0
"""The node looks at deadlines twice a second; the rest is for a machine with much else to do."""
SURPLUS = 100
"""So many more connections than one address may have."""

DEAF_SECONDS = 30.0 + WRITE_SECONDS
"""Its time begins when the kernel takes no more answers; until then it is served like everybody."""

HANDLE = RECORDS[0].handle.spelling
TCP_QUESTION = question(HANDLE)
HTTP_QUESTION = f"GET /api/handles/{quote(HANDLE)} HTTP/1.1\r\nHost: x\r\n\r\n".encode()

HALF = {"tcp": TCP_QUESTION[:30], "http": HTTP_QUESTION[:30]}
WHOLE = {"tcp": TCP_QUESTION, "http": HTTP_QUESTION}
LIE = {
    "tcp": TCP_QUESTION[:16] + (262_144).to_bytes(4, "big") + TCP_QUESTION[20:],
    "http": b"POST /resolve HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\nhdl=",
}


async def idle(_stream: Stream, _door: str) -> None:
    """Connect and say nothing."""


async def half(stream: Stream, door: str) -> None:
    """Begin a message and say no more."""
    await stream.send(HALF[door])


async def drip(stream: Stream, door: str) -> None:
    """Send a message one octet a second."""
    for octet in WHOLE[door]:
        await stream.send(bytes((octet,)))
        await asyncio.sleep(1.0)


async def lie(stream: Stream, door: str) -> None:
    """Announce more than will come."""
    await stream.send(LIE[door])


async def deaf(stream: Stream, door: str) -> None:
    """Ask and ask, and read nothing."""
    while True:
        await stream.send(WHOLE[door] * 100)


def servers(node: StartedNode) -> dict[str, tuple[str, int]]:
    return {"tcp": node.address, "http": ("127.0.0.1", node.http_port)}


KINDS: tuple[Callable[[Stream, str], Awaitable[None]], ...] = (idle, half, drip, lie, deaf)


async def test_slow_peers_are_cut_and_the_honest_served(node: StartedNode) -> None:
    before = Facts.of(node)
    async with honest_traffic(node, clients=6) as honest, asyncio.timeout(90), asyncio.TaskGroup() as tasks:
        for door, server in servers(node).items():
            sources = cycle(ADDRESSES)
            for kind in KINDS:
                for source in islice(sources, DEAF_PEERS if kind is deaf else PEERS):
                    tasks.create_task(be_cut(server, source, kind, door))
            tasks.create_task(churn(server, door))
    assert honest.asked >= 100
    assert honest.share >= 0.99, honest
    assert honest.percentile(0.99) <= 1.0, honest
    assert node.workers == before.workers
    before.wait_for_files()


async def be_cut(
    server: tuple[str, int], source: str, kind: Callable[[Stream, str], Awaitable[None]], door: str
) -> None:
    """Be a peer of some kind until the node has had enough of it."""
    stream = await connect(server, source, receive_octets=4_096)
    acting = asyncio.create_task(act(stream, kind, door))
    try:
        if kind is deaf:
            await asyncio.wait_for(acting, DEAF_SECONDS)
        else:
            seconds = IDLE_SECONDS if kind is idle else MESSAGE_SECONDS
            is_cut = await stream.is_closed_within(seconds + WATCH_SECONDS)
            assert is_cut, f"{door} peer that is {kind.__name__} was not cut"
    finally:
        acting.cancel()
        stream.socket.close()


async def act(stream: Stream, kind: Callable[[Stream, str], Awaitable[None]], door: str) -> None:
    with suppress(ConnectionError):
        await kind(stream, door)


async def churn(server: tuple[str, int], door: str) -> None:
    """Come and go, with and without a word."""
    draw = random.Random(9)  # noqa: S311 - repeatable
    for number in range(600):
        stream = await connect(server, ADDRESSES[number % len(ADDRESSES)])
        if draw.random() < 0.5:
            with suppress(ConnectionError):
                await stream.send(draw.choice((HALF, WHOLE, LIE))[door])
        stream.socket.close()
        await asyncio.sleep(0.01)


async def test_surplus_connections_of_one_address_are_closed_at_once(node: StartedNode) -> None:
    before = Facts.of(node)
    per_address_max = 200 * len(node.workers)
    for server in servers(node).values():
        with ExitStack() as held:
            async with asyncio.timeout(IDLE_SECONDS - 1.0):  # Sooner than the first is closed for being idle.
                streams = []
                for _ in range(per_address_max + SURPLUS):
                    streams.append(await connect(server, "127.0.9.200"))
                    held.callback(streams[-1].socket.close)
                while sum([await stream.is_closed_within(0.001) for stream in streams]) < SURPLUS:
                    pass
            async with honest_traffic(node, "tcp", "http") as honest:
                await until(lambda: honest.asked >= 50, 30)
            assert honest.share == 1.0, honest
    before.wait_for_files()
