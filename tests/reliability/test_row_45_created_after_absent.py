"""Row 45: a handle that was asked for before it existed is found within a second of its creation."""

from __future__ import annotations

import asyncio

from handle_protocol.codes import ResponseCode
from handle_protocol.handle import Handle
from handle_protocol.record import HandleRecord
from registry.database import Database
from registry.records import RecordStore
from tests.builders import question, text_value
from tests.reliability.fleet import fleet
from tests.reliability.octets_client import connect
from tests.reliability.process_facts import MEBIBYTE, Facts
from tests.reliability.scale import IS_LONG
from tests.reliability.test_row_44_stale_caches import NAMES, assert_short, name_in, seconds_stale
from tests.started_node import StartedNode

MADE_UP_NAMES = 1_000_000 if IS_LONG else 10_000
MADE_UP_AT_ONCE = 500
GROWTH_OCTETS_MAX = 64 * MEBIBYTE


def record(number: int) -> HandleRecord:
    return HandleRecord.of(Handle(f"88.118.8/新品-{number:02d}"), (text_value(2000, "名称", "新品"),))


async def test_a_creation_reaches_every_worker_within_a_second(node: StartedNode, register: Database) -> None:
    delays = []
    async with fleet(node) as clients:
        for number in range(NAMES):
            spelling = record(number).handle.spelling
            assert set(map(name_in, await clients.ask(spelling))) == {None}
            assert set(map(name_in, await clients.ask(spelling))) == {None}  # From memory now.
            delays.append(await seconds_stale(clients, spelling, "新品", RecordStore(register).put([record(number)])))
    assert_short(delays)


async def test_made_up_names_cost_bounded_memory(node: StartedNode) -> None:
    before = Facts.of(node)
    streams = [await connect(node.address, f"127.0.45.{number + 1}") for number in range(4)]
    for start in range(0, MADE_UP_NAMES, len(streams) * MADE_UP_AT_ONCE):
        await asyncio.gather(*(ask_for_many(stream, start + n * MADE_UP_AT_ONCE) for n, stream in enumerate(streams)))
    for stream in streams:
        stream.socket.close()
    assert before.grown_octets() <= GROWTH_OCTETS_MAX


async def ask_for_many(stream, start: int) -> None:
    asked = range(start, start + MADE_UP_AT_ONCE)
    sending = asyncio.create_task(stream.send(b"".join(question(f"88.118.8/杜撰-{n:09d}") for n in asked)))
    for _ in asked:
        assert (await stream.receive(30)).response_code == ResponseCode.HANDLE_NOT_FOUND
    await sending
