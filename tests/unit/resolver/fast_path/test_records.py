"""Both tables of records: what is put is got until it is forgotten or has to go, and the bound in octets holds."""

from __future__ import annotations

import gc
import random

import pytest

from resolver.fast_path.choice import IS_COMPILED, open_records
from resolver.fast_path.records import RecordTable
from tests.fast_paths import CAN_BE_BUILT, FAST_PATHS

OCTETS_MAX = 2**20
PUBLIC, EVERYTHING = "公开".encode() * 30, "全部".encode() * 40


@pytest.fixture(params=FAST_PATHS)
def records(request: pytest.FixtureRequest) -> RecordTable:
    return open_records(request.param, OCTETS_MAX)


def test_the_compiled_table_is_there_where_it_can_be_built() -> None:
    assert IS_COMPILED or not CAN_BE_BUILT


def test_what_is_put_is_got(records) -> None:
    records.put(b"88.118.8/a", 7, PUBLIC, EVERYTHING, 9)
    records.put(b"88.118.8/b", 8, PUBLIC, PUBLIC, 1)
    records.put(b"", 9, b"", b"", 0)
    assert records.get(b"88.118.8/a") == (7, PUBLIC, EVERYTHING, 9)
    _, public_list, value_list, _ = records.get(b"88.118.8/b")
    assert public_list is value_list
    assert records.get(b"") == (9, b"", b"", 0)
    assert records.get(b"88.118.8/") is None
    assert len(records) == 3


def test_it_holds_what_a_dictionary_holds_whatever_is_done(records) -> None:
    draw = random.Random(4)  # noqa: S311 - repeatable
    held: dict[bytes, tuple[int, bytes, bytes, int]] = {}
    for number in range(20_000):
        key = b"88.118.8/%d" % draw.randrange(1_000)
        if draw.random() < 0.4:
            assert records.pop(key) == (held.pop(key, None) is not None)
        else:
            octets = draw.randbytes(draw.randrange(100))
            held[key] = number, octets, octets, number
            records.put(key, *held[key])
    assert {key: records.get(key) for key in held} == held
    assert len(records) == len(held)
    assert records.evictions == 0
    records.clear()
    assert (len(records), records.get(next(iter(held)))) == (0, None)


def test_putting_and_popping_the_same_key_leaves_no_weight(records) -> None:
    empty = records.octets
    for _ in range(3):
        records.put(b"k", 1, PUBLIC, EVERYTHING, 1)
    assert (records.pop(b"k"), records.pop(b"k"), records.octets) == (True, False, empty)


def test_the_bound_in_octets_holds_and_what_is_asked_for_stays(records) -> None:
    records.put(b"hot", 1, PUBLIC, PUBLIC, 1)
    for number in range(50_000):
        records.put(b"88.118.8/%06d" % number, 1, PUBLIC, PUBLIC, 1)
        assert records.get(b"hot") is not None
        assert records.octets <= OCTETS_MAX
    assert 500 < len(records) < OCTETS_MAX // len(PUBLIC)
    assert records.evictions > 40_000


def test_a_record_that_takes_too_much_of_the_table_is_not_kept_nor_what_was_there_before(records) -> None:
    records.put(b"k", 1, PUBLIC, PUBLIC, 1)
    records.put(b"other", 1, PUBLIC, PUBLIC, 1)
    large = bytes(OCTETS_MAX // 4)
    records.put(b"k", 1, large, large, 2)
    assert (records.get(b"k"), records.get(b"other") is not None) == (None, True)


def test_entries_are_none_of_the_garbage_collectors_business() -> None:
    records = RecordTable(OCTETS_MAX)
    for number in range(1_000):
        records.put(b"%d" % number, 1, PUBLIC, EVERYTHING, 1)
    gc.collect()
    assert not any(gc.is_tracked(records.get(b"%d" % number)) for number in range(1_000))
