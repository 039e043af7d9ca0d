"""The table of predefined types: everything comes back octet for octet, or stays octets."""

from typing import Any

import pytest
from hypothesis import given, strategies as st

from handle_protocol.errors import ProtocolError
from handle_protocol.octets import OctetReader
from handle_protocol.predefined import Data, format_data, parse_data
from handle_protocol.value import HandleValue, decode_value
from tests.unit.handle_protocol.strategies import typed_data

TYPES = st.sampled_from(
    [
        "HS_ADMIN",
        "HS_VLIST",
        "HS_ALIAS",
        "HS_SITE",
        "HS_SITE.6",
        "HS_SERV",
        "HS_PUBKEY",
        "HS_SECKEY",
        "HS_NAMESPACE",
        "10320/loc",
        "URL",
    ]
)


def test_data_comes_back_as_its_vector_has_it(value_vector: dict[str, Any]) -> None:
    value = decode_value(OctetReader(bytes.fromhex(value_vector["value_hex"])))
    assert format_data(parse_data(value)) == value.data
    is_typed = value.value_type.startswith(("HS_", "10320/"))
    assert isinstance(parse_data(value), bytes) != is_typed


def test_data_cut_anywhere_comes_back_too(value_vector: dict[str, Any]) -> None:
    value = decode_value(OctetReader(bytes.fromhex(value_vector["value_hex"])))
    for length in range(len(value.data)):
        shortened = HandleValue(1, value.value_type, value.data[:length])
        assert format_data(parse_data(shortened)) == shortened.data


@given(typed_data)
def test_typed_data_comes_back(typed: tuple[str, Data]) -> None:
    value_type, data = typed
    assert parse_data(HandleValue(1, value_type, format_data(data))) == data


@given(TYPES, st.binary(max_size=80))
def test_random_octets_of_any_type_come_back(value_type: str, data: bytes) -> None:
    assert format_data(parse_data(HandleValue(1, value_type, data))) == data


@given(st.data(), typed_data)
def test_mutated_octets_come_back(data: st.DataObject, typed: tuple[str, Data]) -> None:
    value_type, content = typed
    mutated = bytearray(format_data(content) + b"\0")
    mutated[data.draw(st.integers(0, len(mutated) - 1))] = data.draw(st.integers(0, 255))
    try:
        parsed = parse_data(HandleValue(1, value_type, bytes(mutated)))
    except ProtocolError:
        pytest.fail("what is not as its type says stays octets")
    assert format_data(parsed) == bytes(mutated)
