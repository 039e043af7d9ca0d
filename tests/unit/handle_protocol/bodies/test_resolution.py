"""Questions and answers by themselves."""

from dataclasses import replace

import pytest

from handle_protocol import octets
from handle_protocol.bodies.resolution import (
    ResolutionRequest,
    decode_resolution_request,
    decode_resolution_response,
    encode_resolution_request,
)
from handle_protocol.errors import InvalidHandle, MalformedMessage
from handle_protocol.handle import Handle
from handle_protocol.octets import OctetReader

QUESTION = ResolutionRequest(Handle("88.300.15907/标识-中文"), (1, 2**32 - 1), ("URL", "产品名称"))


def test_spare_octets_of_one_sdk_are_kept() -> None:
    plain = encode_resolution_request(QUESTION)
    read = decode_resolution_request(OctetReader(plain + bytes(4)))
    assert read == ResolutionRequest(QUESTION.handle, QUESTION.indexes, QUESTION.types, has_spare_octets=True)
    assert encode_resolution_request(read) == plain + bytes(4)


@pytest.mark.parametrize("tail", [bytes(3), bytes(5), b"\0\0\0\1"])
def test_other_leftovers_stay_for_the_caller_to_refuse(tail: bytes) -> None:
    reader = OctetReader(encode_resolution_request(QUESTION) + tail)
    assert decode_resolution_request(reader) == QUESTION
    assert reader.remaining == len(tail)


@pytest.mark.parametrize("handle", [b"", b"\xff/", b"88.300/" + b"x" * 2_042])
def test_a_name_that_can_be_no_handle_is_invalid(handle: bytes) -> None:
    with pytest.raises(InvalidHandle):
        decode_resolution_request(OctetReader(octets.counted(handle) + bytes(8)))


@pytest.mark.parametrize("lists", [b"\xff\xff\xff\xff", bytes(4) + b"\xff\xff\xff\xff", b"\0\0\0\2" + bytes(7)])
def test_lying_counts_are_malformed(lists: bytes) -> None:
    with pytest.raises(MalformedMessage):
        decode_resolution_request(OctetReader(octets.text("88.300/1") + lists))


@pytest.mark.parametrize("question", [{"indexes": (1,) * 2_049}, {"types": ("",) * 2_049}])
def test_a_question_for_more_than_any_record_has_is_malformed(question: dict[str, tuple[object, ...]]) -> None:
    with pytest.raises(MalformedMessage, match="at most 2048"):
        decode_resolution_request(OctetReader(encode_resolution_request(replace(QUESTION, **question))))


def test_an_answer_with_leftovers_in_its_values_is_malformed() -> None:
    with pytest.raises(MalformedMessage):
        decode_resolution_response(OctetReader(octets.text("88.300/1") + bytes(5)), None)
