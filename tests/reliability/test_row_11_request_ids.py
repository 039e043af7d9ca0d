"""Row 11: answers carry the id of their question, however often ids are used again, and never cross connections."""

from __future__ import annotations

import asyncio
import random

from handle_protocol.codes import ResponseCode
from tests.builders import question
from tests.reliability.honest import RECORDS, is_same
from tests.reliability.octets_client import connect
from tests.started_node import StartedNode

CONNECTIONS = 20
QUESTIONS = 150
IDS = (0, 1, 7, 0x7FFF_FFFF, 0xFFFF_FFFF)


async def test_ids_used_again_on_many_connections_mix_nothing(node: StartedNode) -> None:
    await asyncio.gather(*(converse(node, number) for number in range(CONNECTIONS)))


async def converse(node: StartedNode, seed: int) -> None:
    """Ask on one connection without waiting, for what is there and what is not, and compare each answer."""
    draw = random.Random(seed)  # noqa: S311 - repeatable
    asked = [(draw.choice(IDS), draw.randrange(2 * len(RECORDS))) for _ in range(QUESTIONS)]
    stream = await connect(node.address)
    await stream.send(b"".join(question(spelling(number, seed), request_id) for request_id, number in asked))
    for request_id, number in asked:
        answer = await stream.receive()
        assert answer.request_id == request_id
        if number < len(RECORDS):
            assert answer.response_code == ResponseCode.SUCCESS
            assert answer.body.handle.spelling == spelling(number, seed)
            assert is_same(answer.body, RECORDS[number])
        else:
            assert answer.response_code == ResponseCode.HANDLE_NOT_FOUND
    stream.socket.close()


def spelling(number: int, seed: int) -> str:
    """Return a handle that is there, or one that nobody has asked for before."""
    return RECORDS[number].handle.spelling if number < len(RECORDS) else f"88.118.8/没有-{seed}-{number}"
