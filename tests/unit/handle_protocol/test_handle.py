"""Names: how they are split, folded and checked."""

from typing import Any

import pytest
from hypothesis import given, strategies as st

from handle_protocol.errors import InvalidHandle
from handle_protocol.handle import Handle, Prefix, fold


def test_a_name_is_taken_apart_as_its_vector_says(name_vector: dict[str, Any]) -> None:
    handle = Handle.parse(name_vector["handle"])
    assert handle.prefix_spelling == name_vector["prefix_part"]
    assert handle.suffix == name_vector["suffix_part"]
    assert str(handle.prefix.handle) == name_vector["zero_na_handle"]
    assert fold(handle.spelling) == name_vector["upper_case"]
    slashless = "" if "/" in handle.spelling else "0.NA/"
    assert handle.key().decode() == slashless + name_vector["upper_case_prefix"]


def test_a_derived_prefix_knows_its_parent(name_vector: dict[str, Any]) -> None:
    handle = Handle.parse(name_vector["handle"])
    described = handle.described_prefix if "/" in handle.spelling else None
    parent = described.parent if described else None
    assert (parent is not None) == name_vector["is_derived_prefix_handle"]
    if parent is not None:
        assert str(parent.handle) == name_vector["parent_prefix_handle"]


@given(st.text())
def test_just_ascii_letters_fold(name: str) -> None:
    assert fold(name) == "".join(char.upper() if char.isascii() else char for char in name)


def test_a_suffix_folds_where_its_prefix_says_so() -> None:
    assert Handle("88.300/Pump-é").key() == "88.300/Pump-é".encode()
    assert Handle("88.300/Pump-é").key(folds_suffix=True) == "88.300/PUMP-é".encode()
    assert Handle("0.na/ab").key() == b"0.NA/AB"


@pytest.mark.parametrize("octets", [b"", b"x" * 2_049, b"88.300/\xff"])
def test_what_can_be_no_handle_is_refused(octets: bytes) -> None:
    with pytest.raises(InvalidHandle):
        Handle.decode(octets)


def test_a_lone_surrogate_is_no_handle() -> None:
    with pytest.raises(InvalidHandle):
        Handle.parse("88.300/\ud800")


def test_the_longest_handle_is_accepted() -> None:
    assert str(Handle.decode(b"x" * 2_048)) == "x" * 2_048


@pytest.mark.parametrize("spelling", ["", "88..1", "88.1/x", ".", "9" * 2_049])
def test_what_can_be_no_prefix_is_refused(spelling: str) -> None:
    with pytest.raises(InvalidHandle):
        Prefix.parse(spelling)


def test_a_prefix_is_read_as_people_write_it() -> None:
    assert Prefix.parse(" 0.na/88.118.ab ") == Prefix("88.118.AB")
    assert [str(prefix) for prefix in Prefix("88.118.8").lineage()] == ["88.118.8", "88.118", "88"]
    assert Prefix("88.118").key == b"88.118"
    assert str(Prefix("88.118").handle) == "0.NA/88.118"


@pytest.mark.parametrize(
    ("spelling", "described"), [("0.na/88.1", "88.1"), ("88.1", "88.1"), ("88.1/x", None), ("0.NA/", None)]
)
def test_a_prefix_handle_describes_a_prefix(spelling: str, described: str | None) -> None:
    assert Handle(spelling).described_prefix == (described and Prefix(described))
