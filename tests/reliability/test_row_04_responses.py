"""Row 4: what is itself a response is never answered, so no two servers talk to each other for ever."""

from __future__ import annotations

import pytest

from handle_protocol.message import decode_message
from handle_protocol.transmission import split
from tests.builders import question
from tests.reliability.honest import RECORDS
from tests.reliability.octets_client import connect, datagrams
from tests.started_node import StartedNode
from tests.unit.handle_protocol.conftest import read_vectors

QUESTION = question(RECORDS[0].handle.spelling, 41)
RESPONSES = [
    bytes.fromhex(vector["wire_hex"]) for number in ("02", "03") for vector in read_vectors(number, "wire_hex")
]


async def test_no_response_over_udp_is_answered(node: StartedNode) -> None:
    with datagrams(node.address) as client:
        for response in RESPONSES:
            for datagram in split(response):
                client.send(datagram)
        assert await client.collect(0.5) == []
        client.send(QUESTION)
        assert decode_message(await client.receive()).request_id == 41


@pytest.mark.parametrize("cut", [25, 40, -1])
async def test_the_beginning_of_a_response_is_not_answered_either(node: StartedNode, cut: int) -> None:
    with datagrams(node.address) as client:
        for response in RESPONSES:
            client.send(response[:16] + (len(response[:cut]) - 20).to_bytes(4, "big") + response[20:cut])
        assert await client.collect(0.5) == []


async def test_responses_over_tcp_are_passed_over(node: StartedNode) -> None:
    client = await connect(node.address)
    await client.send(b"".join(RESPONSES) + QUESTION)
    assert (await client.receive()).request_id == 41
    client.socket.close()
