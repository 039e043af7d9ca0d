"""Row 12: referrals end: a recursion count above 16 is refused, and strangers' prefixes are not resolved."""

from __future__ import annotations

import pytest

from handle_protocol.codes import ResponseCode
from handle_protocol.message import decode_message
from tests.builders import question
from tests.reliability.honest import RECORDS
from tests.reliability.octets_client import connect, datagrams
from tests.started_node import StartedNode

HANDLE = RECORDS[0].handle.spelling


@pytest.mark.parametrize(
    ("recursion_count", "expected"),
    [
        (0, ResponseCode.SUCCESS),
        (16, ResponseCode.SUCCESS),
        (17, ResponseCode.RECURSION_COUNT_TOO_HIGH),
        (255, ResponseCode.RECURSION_COUNT_TOO_HIGH),
    ],
)
async def test_more_than_sixteen_steps_are_refused(
    node: StartedNode, recursion_count: int, expected: ResponseCode
) -> None:
    asked = question(HANDLE, 12, recursion_count=recursion_count)
    stream = await connect(node.address)
    with datagrams(node.address) as client:
        for _ in range(2):  # The second time the record is remembered.
            client.send(asked)
            assert decode_message(await client.receive()).response_code == expected
            await stream.send(asked)
            assert (await stream.receive()).response_code == expected
    stream.socket.close()


@pytest.mark.parametrize("handle", ["20.500.12345/陌生", "0.NA/20.500.12345", "88.119.1/他省", "88.1180.8/形近"])
async def test_a_strangers_prefix_is_not_ours_whatever_is_asked(node: StartedNode, handle: str) -> None:
    with datagrams(node.address) as client:
        client.send(question(handle, op_flags=0x1100_0000))  # RECURSIVE, PUBLIC_ONLY
        assert decode_message(await client.receive()).response_code == ResponseCode.SERVER_NOT_RESPONSIBLE
