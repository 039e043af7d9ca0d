"""Row 6: messages in several datagrams are told apart by address, port and request id; contradictions spoil them."""

from __future__ import annotations

import random

import pytest

from handle_protocol.codes import ResponseCode
from handle_protocol.message import decode_message
from handle_protocol.transmission import split
from tests.builders import question
from tests.reliability.honest import RECORDS, is_same
from tests.reliability.octets_client import Datagrams, datagrams
from tests.started_node import StartedNode

COLLISIONS = 40
SAME_ID = 0x0118_0008
FILLING = tuple(f"没有这种类型-{number:03d}" for number in range(60))


def asking(number: int) -> list[bytes]:
    """Return a question for one record in several datagrams, always with the same request id."""
    return split(question(RECORDS[number].handle.spelling, SAME_ID, types=("URL", "名称", *FILLING)))


@pytest.mark.parametrize("sources", [("127.0.0.1", "127.0.0.1"), ("127.0.6.1", "127.0.6.2")])
async def test_the_same_id_from_two_peers_at_once_mixes_nothing(node: StartedNode, sources: tuple[str, str]) -> None:
    draw = random.Random(6)  # noqa: S311 - repeatable
    for collision in range(COLLISIONS):
        with datagrams(node.address, sources[0]) as one, datagrams(node.address, sources[1]) as other:
            numbers = (2 * collision, 2 * collision + 1)
            parts = [
                (client, part) for client, number in zip((one, other), numbers, strict=True) for part in asking(number)
            ]
            draw.shuffle(parts)
            for client, part in parts:
                client.send(part)
            for client, number in zip((one, other), numbers, strict=True):
                await expect_record(client, number)


async def expect_record(client: Datagrams, number: int) -> None:
    answer = decode_message(await client.receive())
    assert answer.request_id == SAME_ID
    assert answer.response_code == ResponseCode.SUCCESS
    assert answer.body.handle == RECORDS[number].handle
    assert is_same(answer.body, RECORDS[number])


async def test_what_contradicts_itself_is_dropped_whole(node: StartedNode) -> None:
    one, other = asking(0), asking(1)
    assert one[0] != other[0]
    longer = split(question(RECORDS[0].handle.spelling, SAME_ID, types=("URL", "名称", *FILLING, "再一种")))
    for contradiction in (other[0], longer[0]):
        with datagrams(node.address) as client:
            client.send(one[0])
            client.send(contradiction)
            for part in one[1:] + other[1:] + one:
                client.send(part)
            assert await client.collect(0.3) == []
            client.send(question(RECORDS[0].handle.spelling, SAME_ID + 1))
            assert decode_message(await client.receive()).response_code == ResponseCode.SUCCESS
