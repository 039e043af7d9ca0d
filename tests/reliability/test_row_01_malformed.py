"""Row 1: malformed packets raise nothing but ProtocolError, cost little, and change nothing in a running node."""

from __future__ import annotations

import asyncio
import random
import time
import tracemalloc
from contextlib import suppress
from itertools import islice

from handle_protocol.errors import ProtocolError
from handle_protocol.message import decode_message
from handle_protocol.transmission import Reassembly, StreamCutter
from tests.reliability.honest import honest_traffic
from tests.reliability.malformed import malformed
from tests.reliability.octets_client import connect, datagrams
from tests.reliability.process_facts import MEBIBYTE, Facts
from tests.reliability.scale import IS_LONG
from tests.started_node import StartedNode, until

DECODE_SECONDS_MAX = 0.001
OBJECTS_OCTETS = 8 * 1024
"""What the objects of the smallest message weigh in Python; beyond it, memory follows the message's length."""

BURST = 50


def decodes(packet: bytes) -> bool:
    try:
        decode_message(packet)
    except ProtocolError:
        return False
    return True


def test_nothing_but_protocol_errors_and_quickly() -> None:
    slow = []
    outcomes = {True: 0, False: 0}
    for packet in islice(malformed(1), 2_000_000 if IS_LONG else 20_000):
        began_at = time.thread_time()
        outcomes[decodes(packet)] += 1
        if time.thread_time() - began_at > DECODE_SECONDS_MAX:
            slow.append(packet)
    assert outcomes[True] > 100  # Mistakes that the codec cannot see, so that both ways were gone.
    assert outcomes[False] > 100
    assert [len(packet) for packet in slow if fastest_of_five(packet) > DECODE_SECONDS_MAX] == []


def fastest_of_five(packet: bytes) -> float:
    """Return the seconds it takes when nobody disturbs."""
    taken = []
    for _ in range(5):
        began_at = time.thread_time()
        decodes(packet)
        taken.append(time.thread_time() - began_at)
    return min(taken)


def test_memory_follows_what_came_and_not_what_is_announced() -> None:
    tracemalloc.start()
    try:
        for packet in islice(malformed(2), 3_000):
            tracemalloc.reset_peak()
            before, _ = tracemalloc.get_traced_memory()
            decodes(packet)
            _, peak = tracemalloc.get_traced_memory()
            assert peak - before <= 4 * len(packet) + OBJECTS_OCTETS, packet.hex()
    finally:
        tracemalloc.stop()


def test_datagrams_and_streams_survive_them_too() -> None:
    reassembly, cutter = Reassembly(), StreamCutter()
    for number, packet in enumerate(islice(malformed(3), 20_000)):
        with suppress(ProtocolError):
            reassembly.accept(packet[:512], ("127.0.0.1", number % 7), number / 1_000)
        try:
            cutter.feed(packet)
        except ProtocolError:
            cutter = StreamCutter()
    assert reassembly.entries <= 16


async def test_a_running_node_does_not_mind(node: StartedNode) -> None:
    packets = list(islice(malformed(4), 120_000 if IS_LONG else 20_000))
    async with honest_traffic(node) as warming:
        await until(lambda: warming.asked >= 200, 60)
    before, discarded = Facts.of(node), node.metric("idnode_discarded_total")
    async with honest_traffic(node) as honest:
        await throw(node, packets)
    # A run counts only if the packets came so far that they were refused; many were read and answered, or cut off.
    await until(lambda: node.metric("idnode_discarded_total") - discarded > len(packets) // 3, 20)
    assert honest.asked >= 30
    assert honest.share == 1.0, honest
    assert node.workers == before.workers
    assert before.grown_octets() <= 48 * MEBIBYTE
    assert "Traceback" not in node.printed()
    before.wait_for_files()


async def throw(node: StartedNode, packets: list[bytes]) -> None:
    """Send two thirds as datagrams, a third over TCP, some on one connection until it is cut."""
    draw = random.Random(5)  # noqa: S311 - repeatable
    with datagrams(node.address) as client:
        stream = await connect(node.address)
        for number, packet in enumerate(packets):
            if number % 3:
                client.send(packet[: draw.choice((512, 512, 513))])
            else:
                try:
                    async with asyncio.timeout(1):
                        await stream.send(packet)
                except (OSError, TimeoutError):
                    stream.socket.close()
                    stream = await connect(node.address)
            if number % BURST == 0:
                await drain(client.socket)
                stream.socket.close()
                stream = await connect(node.address)
        stream.socket.close()


async def drain(socket) -> None:
    """Read what has come back, and let the honest ask."""
    await asyncio.sleep(0.002)
    while True:
        try:
            socket.recv(65_535)
        except BlockingIOError:
            return
