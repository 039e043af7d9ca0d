"""Row 10: questions that are sent without waiting for answers are answered in order and cost bounded memory."""

from __future__ import annotations

import asyncio

from handle_protocol.handle import Handle
from handle_protocol.record import HandleRecord
from registry.database import Database
from registry.records import RecordStore
from tests.builders import question, text_value
from tests.reliability.octets_client import connect
from tests.reliability.process_facts import MEBIBYTE, Facts
from tests.started_node import StartedNode

QUESTIONS = 600
DEAF_SECONDS = 2.0
LONG_NAME = "88.118.8/说明书"
LONG_TEXT = "锂电冲击扳手使用说明。" * 2_000
FILLING = "没有这种类型" * 3_000
"""Questions and answers of some sixty kilobytes each."""


async def test_six_hundred_big_questions_at_once(node: StartedNode, register: Database) -> None:
    await RecordStore(register).put([HandleRecord.of(Handle(LONG_NAME), (text_value(1, "DESC", LONG_TEXT),))])
    before = Facts.of(node)
    stream = await connect(node.address)
    sending = asyncio.create_task(send_all(stream))
    grown = []
    for _ in range(10):
        await asyncio.sleep(DEAF_SECONDS / 10)
        grown.append(before.grown_octets())
    assert not sending.done(), "everything was taken from a peer that reads nothing"
    for number in range(QUESTIONS):
        answer = await stream.receive()
        assert answer.request_id == number
        assert answer.body.values[0].data.decode() == LONG_TEXT
        if number % 50 == 0:
            grown.append(before.grown_octets())
    await sending
    stream.socket.close()
    assert max(grown) <= 64 * MEBIBYTE
    assert node.workers == before.workers


async def send_all(stream) -> None:
    for number in range(QUESTIONS):
        await stream.send(question(LONG_NAME, number, types=("DESC", FILLING)))
