"""Row 2: a length or a count that lies is refused before memory is spent for it."""

from __future__ import annotations

import tracemalloc

import pytest

from handle_protocol.codes import ResponseCode
from handle_protocol.errors import ProtocolError
from handle_protocol.limits import HANDLE_OCTETS_MAX, MESSAGE_OCTETS_MAX, QUESTION_ITEMS_MAX
from handle_protocol.message import decode_message
from tests.builders import question
from tests.reliability.honest import RECORDS
from tests.reliability.octets_client import connect, datagrams
from tests.started_node import StartedNode

HANDLE = RECORDS[0].handle.spelling
WHOLE = question(HANDLE, 7, indexes=(1,), types=("URL",))
AFTER_HANDLE = 48 + len(HANDLE.encode())

FIELDS = {
    "body": 40,
    "handle": 44,
    "indexes": AFTER_HANDLE,
    "types": AFTER_HANDLE + 8,
    "type": AFTER_HANDLE + 12,
    "credential": len(WHOLE) - 4,
}
LIES = (0xFFFF_FFFF, 0x8000_0000, 0x7FFF_FFFF, 0x0004_0000, 2_049, 200)
REFUSALS = {ResponseCode.PROTOCOL_ERROR, ResponseCode.INVALID_HANDLE}

ALLOCATED_OCTETS_MAX = 16 * 1024


def lying(field: str, number: int) -> bytes:
    at = FIELDS[field]
    return WHOLE[:at] + number.to_bytes(4, "big") + WHOLE[at + 4 :]


@pytest.mark.parametrize("number", LIES)
@pytest.mark.parametrize("field", FIELDS)
def test_the_codec_spends_nothing_on_a_lie(field: str, number: int) -> None:
    octets = lying(field, number)
    tracemalloc.start()
    try:
        with pytest.raises(ProtocolError):
            decode_message(octets)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak <= ALLOCATED_OCTETS_MAX


@pytest.mark.parametrize("field", FIELDS)
async def test_a_node_refuses_each_lie_and_reads_on(node: StartedNode, field: str) -> None:
    stream = await connect(node.address)
    with datagrams(node.address) as client:
        for number in LIES:
            client.send(lying(field, number))
            answer = decode_message(await client.receive())
            assert answer.response_code in REFUSALS
            await stream.send(lying(field, number))
            assert (await stream.receive()).response_code in REFUSALS
    await stream.send(WHOLE)
    assert (await stream.receive()).response_code == ResponseCode.SUCCESS
    stream.socket.close()


@pytest.mark.parametrize("announced", [MESSAGE_OCTETS_MAX + 1, 0x7FFF_FFFF, 0xFFFF_FFFF])
async def test_a_message_announced_too_long_is_not_waited_for(node: StartedNode, announced: int) -> None:
    stream = await connect(node.address)
    await stream.send(WHOLE[:16] + announced.to_bytes(4, "big"))
    assert await stream.is_closed_within(5.0)
    stream.socket.close()


async def test_the_longest_message_is_read(node: StartedNode) -> None:
    filling = MESSAGE_OCTETS_MAX - (len(question(HANDLE, types=("",))) - 20)
    stream = await connect(node.address)
    await stream.send(question(HANDLE, 8, types=("x" * filling,)))
    assert (await stream.receive()).response_code == ResponseCode.VALUES_NOT_FOUND
    stream.socket.close()


@pytest.mark.parametrize(
    ("octets", "code"),
    [
        (question("88.118.8/" + "x" * (HANDLE_OCTETS_MAX - 9)), ResponseCode.HANDLE_NOT_FOUND),
        (question("88.118.8/" + "x" * (HANDLE_OCTETS_MAX - 8)), ResponseCode.INVALID_HANDLE),
        (question(HANDLE, indexes=(1,) * QUESTION_ITEMS_MAX), ResponseCode.SUCCESS),
        (question(HANDLE, indexes=(1,) * (QUESTION_ITEMS_MAX + 1)), ResponseCode.PROTOCOL_ERROR),
        (question(HANDLE, types=("URL",) * QUESTION_ITEMS_MAX), ResponseCode.SUCCESS),
        (question(HANDLE, types=("URL",) * (QUESTION_ITEMS_MAX + 1)), ResponseCode.PROTOCOL_ERROR),
    ],
)
async def test_bounds_hold_exactly(node: StartedNode, octets: bytes, code: ResponseCode) -> None:
    stream = await connect(node.address)
    await stream.send(octets)
    assert (await stream.receive()).response_code == code
    stream.socket.close()
