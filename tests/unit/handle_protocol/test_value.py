"""Values, their types and references."""

from typing import Any

import pytest
from hypothesis import given

from handle_protocol.errors import MalformedMessage
from handle_protocol.octets import OctetReader
from handle_protocol.value import HandleValue, Ttl, TtlKind, ValueReference, decode_value, encode_value
from tests.unit.handle_protocol.strategies import values


def test_a_value_is_what_its_vector_says(value_vector: dict[str, Any]) -> None:
    octets = bytes.fromhex(value_vector["value_hex"])
    reader = OctetReader(octets)
    value, described = decode_value(reader), value_vector["decoded"]
    reader.finish("value")
    assert value == HandleValue(
        index=described["index"],
        value_type=described["type"],
        data=bytes.fromhex(described["data_hex"]),
        ttl=Ttl(described["ttl"], described["ttl_type"]),
        permissions=described["permissions"],
        modified_at=described["timestamp"],
        references=tuple(ValueReference(each["index"], each["handle"]) for each in described["references"]),
    )
    assert encode_value(value) == octets


def test_a_value_cut_anywhere_is_refused(value_vector: dict[str, Any]) -> None:
    octets = bytes.fromhex(value_vector["value_hex"])
    for length in range(len(octets)):
        with pytest.raises(MalformedMessage):
            decode_value(OctetReader(octets[:length]))


@given(values)
def test_every_value_comes_back(value: HandleValue) -> None:
    assert decode_value(OctetReader(encode_value(value))) == value


def test_a_type_query_selects_as_its_vector_says(type_query_vector: dict[str, Any]) -> None:
    value = HandleValue(1, type_query_vector["value_type"], b"")
    assert value.has_type(type_query_vector["query"]) == type_query_vector["matches"]


def test_types_compare_without_regard_to_ascii_case() -> None:
    assert HandleValue(1, "url", b"").has_type("URL")
    assert HandleValue(1, "Url.cn", b"").has_type("uRL.")
    assert not HandleValue(1, "URLS", b"").has_type("URL.")


def test_a_reference_is_read_as_its_vector_says(reference_vector: dict[str, Any]) -> None:
    reference = ValueReference.parse(reference_vector["text"])
    assert reference == ValueReference(reference_vector["index"], reference_vector["handle"])


def test_an_administrator_is_recognised_as_its_vector_says(admin_match_vector: dict[str, Any]) -> None:
    listed = ValueReference(admin_match_vector["listed_index"], admin_match_vector["listed_handle"])
    claimed = ValueReference(admin_match_vector["client_index"], admin_match_vector["client_handle"])
    assert listed.covers(claimed) == admin_match_vector["matched"]


def test_a_reference_is_written_as_it_is_read() -> None:
    assert str(ValueReference.parse("300:0.NA/88.118.8")) == "300:0.NA/88.118.8"


@pytest.mark.parametrize("spelling", ["4294967296:甲", "١:甲", "-1:甲", "1" * 5_000 + ":甲", ":甲", "甲"])
def test_what_is_no_index_of_four_octets_belongs_to_the_handle(spelling: str) -> None:
    assert ValueReference.parse(spelling) == ValueReference(0, spelling)


@pytest.mark.parametrize(
    ("ttl", "seconds"),
    [
        (Ttl(60), 60),
        (Ttl(-1), 0),
        (Ttl(10**6), 172_800),
        (Ttl(1_060, TtlKind.ABSOLUTE), 60),
        (Ttl(900, TtlKind.ABSOLUTE), 0),
        (Ttl(60, 7), 60),
    ],
)
def test_a_value_lives_from_nothing_to_two_days(ttl: Ttl, seconds: int) -> None:
    assert ttl.lifetime_seconds(1_000.0) == seconds


def test_a_value_is_public_by_its_permission() -> None:
    assert HandleValue(1, "URL", b"", permissions=0b0010).is_public
    assert not HandleValue(1, "URL", b"", permissions=0b1101).is_public
