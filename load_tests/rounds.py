"""Candidates measured by turns: a machine that slows down for a while then slows all of them alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from statistics import median
from typing import Final, Protocol

from load_tests import processes
from load_tests.figures import Load, Round

ROUND_SECONDS: Final = 0.5
"""Long beside what a start costs, short beside the moods of a shared machine."""


class Generator(Protocol):
    """Whatever puts load on a server."""

    def run(self, requests: Iterable[bytes], seconds: float) -> Load:
        """Ask until the time or the requests are over."""


def by_turns(candidates: Sequence[Callable[[float], Round]], seconds: float) -> list[list[Round]]:
    """Measure each candidate for about `seconds` in all, round by round in turn, and return the rounds of each."""
    rounds: list[list[Round]] = [[] for _ in candidates]
    for _ in range(max(round(seconds / ROUND_SECONDS), 1)):
        for candidate, measured in zip(candidates, rounds, strict=True):
            measured.append(candidate(ROUND_SECONDS))
    return rounds


def under(
    generator: Generator,
    requests: Iterator[bytes],
    pids: Callable[[], Iterable[int]],
    count_wrong: Callable[[Iterable[bytes]], int],
) -> Callable[[float], Round]:
    """Return a candidate: a load on a server whose processes are `pids`, its answers examined afterwards."""

    def measure(seconds: float) -> Round:
        measured = list(pids())
        before = processes.cpu_seconds(measured)
        load = generator.run(requests, seconds)
        used = processes.cpu_seconds(measured) - before
        return Round.of(load, used, count_wrong(load.answers))

    return measure


def ratio(dividends: Iterable[float], divisors: Iterable[float]) -> float:
    """Return the median ratio of rounds that were neighbours."""
    return median(one / other for one, other in zip(dividends, divisors, strict=True))
