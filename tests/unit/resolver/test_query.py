"""Which values a question means."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, strategies as st

from handle_protocol.handle import Handle
from resolver.query import Query
from tests.builders import text_value

NAMES = st.text(alphabet="aA.b长", max_size=6)


@given(st.lists(NAMES, max_size=4), st.lists(st.integers(1, 5), max_size=3), NAMES, st.integers(1, 5))
def test_a_value_is_meant_when_its_index_or_any_type_names_it(types, indexes, value_type, index) -> None:
    query = Query(Handle("88.118.8/x"), indexes=tuple(indexes), types=tuple(types))
    value = text_value(index, value_type, "值")
    is_meant = query.wants_everything or index in indexes or any(map(value.has_type, types))
    assert query.select((value,)) == ((value,) if is_meant else ())


@pytest.mark.parametrize("ending", ["", "."])
def test_thousands_of_types_among_thousands_of_values_take_no_time(ending) -> None:
    query = Query(Handle("88.118.8/x"), types=tuple(f"类型.{n}{ending}" for n in range(2_048)))
    values = tuple(text_value(n, f"别的.{n}", "值") for n in range(1, 2_049))
    started_at = time.process_time()
    assert query.select(values) == ()
    assert time.process_time() - started_at < 0.25  # Comparing each with each takes two seconds.
