"""Row 3: the answer to what cannot be read is none, or one small packet with the same request id."""

from __future__ import annotations

from itertools import islice

from handle_protocol.codes import ResponseCode
from handle_protocol.message import decode_message
from tests.reliability.malformed import REQUEST_ID, unreadable_requests
from tests.reliability.octets_client import datagrams
from tests.started_node import StartedNode

ANSWER_OCTETS_MAX = 120
PACKETS = 1_000
BURST = 100
"""So few fit into the buffers of both sides: what is not answered was not lost."""

REFUSALS = {ResponseCode.PROTOCOL_ERROR, ResponseCode.INVALID_HANDLE, ResponseCode.SESSION_TIMEOUT}
"""The last for what says to be encrypted: whether it can be read, only the session would show that is not there."""


async def test_refusals_are_small_single_and_matched(node: StartedNode) -> None:
    requests = {packet[REQUEST_ID]: packet for packet in islice(unreadable_requests(6), PACKETS)}
    waiting = iter(requests.values())
    answers: list[bytes] = []
    with datagrams(node.address) as client:
        while burst := list(islice(waiting, BURST)):
            for packet in burst:
                client.send(packet)
            answers += await client.collect(0.1)
    assert len(answers) > PACKETS // 2
    for answer in answers:
        request = requests.pop(answer[REQUEST_ID])  # Whoever is answered twice is not found again.
        assert len(answer) <= max(ANSWER_OCTETS_MAX, len(request))
        assert decode_message(answer).response_code in REFUSALS
