"""Counters of a session."""

import pytest
from hypothesis import given, strategies as st

from handle_protocol.security.replay_window import ReplayWindow


@pytest.mark.parametrize(
    ("counters", "accepted"),
    [
        ([1, 2, 3], [True, True, True]),
        ([3, 3], [True, False]),
        ([5, 3, 4, 3], [True, True, True, False]),
        ([300, 101, 100], [True, True, False]),
        ([0, 2**32 - 1, 0], [True, True, False]),
    ],
)
def test_a_counter_is_accepted_once_and_not_too_late(counters: list[int], accepted: list[bool]) -> None:
    window = ReplayWindow()
    assert [window.accept(counter) for counter in counters] == accepted


@given(st.lists(st.integers(0, 40)))
def test_the_window_decides_like_a_list_of_all_counters(counters: list[int]) -> None:
    window, seen = ReplayWindow(size=10), []
    for counter in counters:
        expected = counter not in seen and counter > max(seen, default=-1) - 10
        assert window.accept(counter) is expected
        seen += [counter] * expected
