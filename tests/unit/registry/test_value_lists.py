"""Stamps are found and patched in the octets exactly as if the values had been decoded."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

from handle_protocol.errors import MalformedMessage
from handle_protocol.record import decode_value_list, encode_value_list
from handle_protocol.value import HandleValue, ValueReference
from registry.value_lists import are_equal_but_for_stamps, keep_stamps, split, stamp

references = st.builds(ValueReference, st.integers(0, 2**32 - 1), st.text(max_size=12))
values = st.builds(
    HandleValue,
    index=st.integers(1, 3),
    value_type=st.sampled_from(["URL", "产品名称", "\0"]),
    data=st.binary(max_size=8),
    modified_at=st.sampled_from([0, 1, 2**32 - 1]),
    references=st.lists(references, max_size=2).map(tuple),
)
lists = st.lists(values, max_size=4).map(tuple)


@given(lists)
def test_only_values_without_a_stamp_are_stamped(given_values: tuple[HandleValue, ...]) -> None:
    expected = [replace(value, modified_at=value.modified_at or 77) for value in given_values]
    assert list(decode_value_list(stamp(encode_value_list(given_values), 77))) == expected


@given(lists)
def test_a_list_is_split_into_its_values(given_values: tuple[HandleValue, ...]) -> None:
    assert b"".join(split(encode_value_list(given_values))) == encode_value_list(given_values)[4:]
    assert len(split(encode_value_list(given_values))) == len(given_values)


@given(lists, lists)
def test_lists_are_compared_without_their_stamps(one: tuple[HandleValue, ...], other: tuple[HandleValue, ...]) -> None:
    def unstamped(some: tuple[HandleValue, ...]) -> list[HandleValue]:
        return [replace(value, modified_at=0) for value in some]

    def equal(some: tuple[HandleValue, ...], more: tuple[HandleValue, ...]) -> bool:
        return are_equal_but_for_stamps(encode_value_list(some), encode_value_list(more))

    assert equal(one, other) is (unstamped(one) == unstamped(other))
    assert equal(one, tuple(replace(value, modified_at=9) for value in one))


def test_a_value_that_was_there_before_keeps_its_stamp() -> None:
    old = (HandleValue(1, "URL", b"http://a", modified_at=5), HandleValue(2, "名称", b"b", modified_at=6))
    new = (HandleValue(2, "名称", b"b", modified_at=9), HandleValue(1, "URL", b"http://c", modified_at=9))

    kept = decode_value_list(keep_stamps(encode_value_list(new), encode_value_list(old)))
    assert [value.modified_at for value in kept] == [6, 9]


@given(lists, st.data())
def test_octets_of_another_shape_are_noticed(given_values: tuple[HandleValue, ...], data: st.DataObject) -> None:
    octets = bytearray(encode_value_list(given_values))
    place = data.draw(st.integers(0, len(octets) - 1))
    octets[place] = data.draw(st.integers(0, 255))
    broken = bytes(octets[: data.draw(st.integers(0, len(octets)))])
    try:
        decode_value_list(broken)
    except MalformedMessage as malformed:
        if "UTF-8" not in malformed.expected:  # Texts are not looked at.
            with pytest.raises(MalformedMessage):
                stamp(broken, 1)
    else:
        stamp(broken, 1)


def test_a_count_of_four_billion_costs_nothing() -> None:
    for octets in (b"\xff\xff\xff\xff", b"\xff" * 1_000, b"\0\0\0\1" + b"\0" * 22 + b"\xff\xff\xff\xff"):
        with pytest.raises(MalformedMessage):
            stamp(octets, 1)
