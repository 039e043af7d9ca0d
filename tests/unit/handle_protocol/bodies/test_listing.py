"""Lists of handles by themselves."""

import pytest

from handle_protocol import octets
from handle_protocol.bodies.listing import HandleListResponse, decode_handle_list, encode_handle_list
from handle_protocol.errors import InvalidHandle, MalformedMessage
from handle_protocol.handle import Handle
from handle_protocol.octets import OctetReader

LIST = HandleListResponse(tuple(Handle(f"88.300.15907/轴承-{number}") for number in range(50)))


def test_a_list_comes_back_and_is_whole_or_malformed() -> None:
    written = encode_handle_list(LIST)
    assert decode_handle_list(OctetReader(written), None) == LIST
    for length in range(len(written)):
        with pytest.raises(MalformedMessage):
            decode_handle_list(OctetReader(written[:length]), None)


@pytest.mark.parametrize("count", [3, 2**32 - 1])
def test_a_count_that_the_octets_cannot_hold_is_refused(count: int) -> None:
    with pytest.raises(MalformedMessage, match="at most 2 handles"):
        decode_handle_list(OctetReader(octets.u32(count) + bytes(14)), None)


@pytest.mark.parametrize("name", [b"", b"\xff"])
def test_a_list_holds_nothing_that_can_be_no_handle(name: bytes) -> None:
    with pytest.raises(InvalidHandle):
        decode_handle_list(OctetReader(octets.u32(1) + octets.counted(name) + b"!"), None)
