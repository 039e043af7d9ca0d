"""The arithmetic behind the table of benchmarks."""

from __future__ import annotations

import pytest

from load_tests.figures import Line, Load, Round, Spread
from load_tests.rounds import ROUND_SECONDS, by_turns, ratio, under


def test_a_round_is_answers_a_second_and_microseconds_of_the_server_each() -> None:
    load = Load(asked=5, answers=[b""] * 4, seconds=2.0)
    assert Round.of(load, cpu_seconds=0.004, wrong=1) == Round(2.0, 1000.0, wrong=1, lost=1)


def test_a_round_without_answers_is_all_lost() -> None:
    assert Round.of(Load(asked=3, seconds=1.0), cpu_seconds=0.0, wrong=0) == Round(0.0, 0.0, lost=3)


def test_an_answer_that_came_late_is_not_lost_twice() -> None:
    assert Load(asked=1, answers=[b"", b""]).lost == 0


def test_a_spread_is_the_median_and_both_ends() -> None:
    assert str(Spread.of([61_234.0, 8.5, 123_456.0])) == "61.2 k [8.5..123 k]"


@pytest.mark.parametrize(
    ("number", "written"),
    [(0.666, "0.666"), (12.34, "12.3"), (876.5, "876"), (9_876.0, "9876"), (15_000.0, "15 k"), (2_500_000.0, "2.5 M")],
)
def test_numbers_are_written_with_three_digits(number, written) -> None:
    assert str(Spread(number, number, number)).startswith(f"{written} [")


@pytest.mark.parametrize(
    ("line", "is_met"),
    [
        (Line("解析", ""), True),
        (Line("解析", "", result=0.6, goal=0.6), True),
        (Line("解析", "", result=0.59, goal=0.6), False),
        (Line("内存", "", result=900.0, goal=900.0, is_upper_bound=True), True),
        (Line("内存", "", result=901.0, goal=900.0, is_upper_bound=True), False),
        (Line("解析", "", result=1.0, goal=0.6, wrong=1), False),
        (Line("解析", "", lost=1), False),
    ],
)
def test_a_goal_is_met_only_without_wrong_and_lost_answers(line, is_met) -> None:
    assert line.is_met is is_met
    assert line.as_dict()["is_met"] is is_met
    assert str(line).endswith("ok" if is_met else "MISSED")


def test_the_ratio_is_the_median_of_neighbours() -> None:
    assert ratio([2.0, 30.0, 8.0], [1.0, 10.0, 2.0]) == 3.0


def test_candidates_take_turns() -> None:
    order = []

    def candidate(name: str):
        return lambda _: order.append(name) or Round(1.0, 1.0)

    rounds = by_turns((candidate("回声"), candidate("节点")), 2 * ROUND_SECONDS)
    assert order == ["回声", "节点"] * 2
    assert [len(each) for each in rounds] == [2, 2]


def test_a_candidate_is_a_load_and_what_the_server_used_for_it() -> None:
    class Generator:
        def run(self, requests, seconds):
            return Load(asked=2, answers=list(requests), seconds=seconds)

    candidate = under(Generator(), iter([b"1", b"2"]), list, lambda answers: len(list(answers)))
    assert candidate(0.5) == Round(4.0, 0.0, wrong=2)
