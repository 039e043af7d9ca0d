"""Reading and writing octets."""

import pytest
from hypothesis import given, strategies as st

from handle_protocol import octets
from handle_protocol.errors import MalformedMessage
from handle_protocol.octets import OctetReader
from tests.unit.handle_protocol.strategies import u32


@given(st.integers(-(2**200), 2**200))
def test_a_number_of_any_size_comes_back(number: int) -> None:
    assert OctetReader(octets.integer(number)).integer("number") == number


@pytest.mark.parametrize(
    ("number", "written"), [(0, b"\0"), (127, b"\x7f"), (128, b"\0\x80"), (-1, b"\xff"), (65_537, b"\1\0\1")]
)
def test_a_number_takes_no_more_octets_than_needed(number: int, written: bytes) -> None:
    assert octets.integer(number) == octets.counted(written)


@given(st.lists(u32))
def test_numbers_in_a_row_come_back(numbers: list[int]) -> None:
    reader = OctetReader(octets.u32s(numbers))
    assert reader.u32s(len(numbers), "numbers") == tuple(numbers)
    reader.finish("numbers")


def test_a_lying_count_is_refused_before_anything_is_made() -> None:
    with pytest.raises(MalformedMessage, match="at most 1 indexes, not 4294967295"):
        OctetReader(octets.u32(2**32 - 1) + bytes(4)).count("indexes", 4)


def test_a_region_ends_where_it_was_said_to() -> None:
    region = OctetReader(b"abcdef").region(3, "region")
    assert region.rest() == b"abc"
    with pytest.raises(MalformedMessage):
        region.u8("octet")


def test_expected_octets_are_skipped_just_where_they_are_all_that_is_left() -> None:
    assert OctetReader(bytes(4)).skip(bytes(4))
    assert not OctetReader(bytes(5)).skip(bytes(4))
    assert not OctetReader(b"\0\0\0\1").skip(bytes(4))


def test_a_text_that_is_not_utf_8_is_refused_where_it_breaks() -> None:
    with pytest.raises(MalformedMessage, match="at octet 5"):
        OctetReader(octets.counted(b"a\xff")).text("text")


def test_leftovers_are_refused() -> None:
    with pytest.raises(MalformedMessage, match="the end of body, not 2 more octets"):
        OctetReader(b"ab").finish("body")


def test_numbers_of_all_widths_are_read_big_endian() -> None:
    reader = OctetReader(b"\1\1\2\1\2\3\4")
    assert (reader.u8("8"), reader.u16("16"), reader.u32("32")) == (1, 0x102, 0x1020304)
    assert (reader.offset, reader.remaining) == (7, 0)
