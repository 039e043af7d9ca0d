"""Requests for administration by themselves, those that lie about their sizes included."""

import pytest

from handle_protocol import octets
from handle_protocol.bodies.administration import (
    HandleRequest,
    HandleResponse,
    RemoveRequest,
    ValuesRequest,
    decode_handle_request,
    decode_handle_response,
    decode_remove_request,
    decode_values_request,
    encode_remove_request,
    encode_values_request,
)
from handle_protocol.errors import InvalidHandle, MalformedMessage
from handle_protocol.handle import Handle
from handle_protocol.octets import OctetReader
from handle_protocol.record import encode_value_list
from handle_protocol.value import HandleValue

HANDLE = Handle("88.300.15907/标识-中文")
VALUES = (HandleValue(1, "产品名称", "离心泵".encode()), HandleValue(2, "URL", b"https://e.cn/"))


def test_the_values_of_a_request_are_those_that_were_written() -> None:
    written = encode_values_request(ValuesRequest(HANDLE, encode_value_list(VALUES)))
    assert decode_values_request(OctetReader(written)).values == VALUES


@pytest.mark.parametrize("count", [2_049, 100_000, 2**32 - 1])
def test_more_values_than_any_record_has_are_refused_before_one_is_read(count: int) -> None:
    lying = octets.text(HANDLE.spelling) + octets.u32(count) + bytes(26 * 2_100)
    with pytest.raises(MalformedMessage, match=r"at most \d+ values"):
        decode_values_request(OctetReader(lying))


def test_half_a_value_is_malformed() -> None:
    written = encode_values_request(ValuesRequest(HANDLE, encode_value_list(VALUES)))
    for length in range(len(written)):
        with pytest.raises(MalformedMessage):
            decode_values_request(OctetReader(written[:length]))
    with pytest.raises(MalformedMessage):
        decode_values_request(OctetReader(written + b"\0"))


@pytest.mark.parametrize("count", [2_049, 2**32 - 1])
def test_more_indexes_than_any_record_has_are_malformed(count: int) -> None:
    lying = octets.text(HANDLE.spelling) + octets.u32(count) + bytes(4 * 2_100)
    with pytest.raises(MalformedMessage, match="at most 2048 indexes"):
        decode_remove_request(OctetReader(lying))


def test_an_index_given_twice_stays_so_for_the_register_to_judge() -> None:
    twice = RemoveRequest(HANDLE, (7, 7, 2**32 - 1))
    assert decode_remove_request(OctetReader(encode_remove_request(twice))) == twice


@pytest.mark.parametrize("name", [b"", b"88.300/\xff", b"88.300/" + b"x" * 2_042])
@pytest.mark.parametrize("decode", [decode_values_request, decode_remove_request, decode_handle_request])
def test_a_name_that_can_be_no_handle_is_invalid(name: bytes, decode) -> None:
    with pytest.raises(InvalidHandle):
        decode(OctetReader(octets.counted(name) + bytes(4)))


@pytest.mark.parametrize(("written", "handle"), [(b"", None), (octets.text(HANDLE.spelling), HANDLE)])
def test_the_answer_to_a_creation_may_name_no_handle(written: bytes, handle: Handle | None) -> None:
    assert decode_handle_response(OctetReader(written), None) == HandleResponse(handle)


def test_what_follows_a_lone_handle_stays_for_the_caller_to_refuse() -> None:
    reader = OctetReader(octets.text("/") + b"!")
    assert decode_handle_request(reader) == HandleRequest(Handle("/"))
    assert reader.remaining == 1
