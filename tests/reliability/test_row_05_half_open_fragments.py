"""Row 5: messages that begin in a datagram and never end cost bounded memory, and honest clients nothing."""

from __future__ import annotations

import asyncio

from handle_protocol.transmission import split
from tests.builders import question
from tests.reliability.honest import Traffic, honest_traffic
from tests.reliability.octets_client import datagrams
from tests.reliability.process_facts import MEBIBYTE, Facts
from tests.started_node import StartedNode, until

ADDRESSES = tuple(f"127.0.5.{number}" for number in range(1, 51))
MESSAGES_PER_ADDRESS = 400
BURST = 20

GROWTH_OCTETS_MAX = 64 * MEBIBYTE
GROWTH_AGAIN_OCTETS_MAX = 8 * MEBIBYTE
P99_SECONDS_MAX = 0.25
ASKED_MIN = 100
"""A run counts only if honest clients really asked."""


async def test_twenty_thousand_open_messages(node: StartedNode) -> None:
    async with honest_traffic(node, "udp") as warming:
        await until(lambda: warming.asked >= 200, 60)
    before = Facts.of(node)
    first = await flood(node)
    grown_octets = before.grown_octets()
    rounds = [first, await flood(node), await flood(node)]
    for traffic in rounds:
        assert traffic.asked >= ASKED_MIN
        assert traffic.share == 1.0, traffic
    assert grown_octets <= GROWTH_OCTETS_MAX
    assert before.grown_octets() <= grown_octets + GROWTH_AGAIN_OCTETS_MAX
    assert min(traffic.percentile(0.99) for traffic in rounds) <= P99_SECONDS_MAX, [*map(str, rounds)]
    assert node.workers == before.workers


async def flood(node: StartedNode) -> Traffic:
    """Open the messages while honest clients ask; return how these were served."""
    async with honest_traffic(node, "udp") as honest:
        for address in ADDRESSES:
            with datagrams(node.address, address) as client:
                for request_id in range(1, MESSAGES_PER_ADDRESS + 1):
                    client.send(opening(request_id))
                    if request_id % BURST == 0:
                        await asyncio.sleep(0)
            await asyncio.sleep(0.01)
        await until(lambda: honest.asked >= ASKED_MIN, 60)
    return honest


LONG = question("88.118.8/半截", types=tuple(f"类型-{number:04d}" for number in range(2_000)))
BEGINNING = split(LONG)[0]


def opening(request_id: int) -> bytes:
    """Return the first datagram of a message of many."""
    return BEGINNING[:8] + request_id.to_bytes(4, "big") + BEGINNING[12:]


async def test_an_address_with_too_many_open_messages_is_heard_again_when_they_have_expired(node: StartedNode) -> None:
    asked = split(question("88.118.8/冲击扳手-001", 77, types=("URL",) + ("名称",) * 100))
    with datagrams(node.address, "127.0.5.99") as client:
        for request_id in range(1_000, 1_017):
            client.send(opening(request_id))
        for datagram in asked:
            client.send(datagram)
        assert await client.collect(0.3) == []
        client.send(question("88.118.8/冲击扳手-001", 78))  # In one datagram: nothing has to be kept for it.
        assert len(await client.collect(0.3)) == 1
        async with asyncio.timeout(20):
            while True:
                await asyncio.sleep(0.5)
                for datagram in asked:
                    client.send(datagram)
                if await client.collect(0.1):
                    break
