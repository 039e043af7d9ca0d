"""The arithmetic of benchmarks: what one round measured, medians of several, ratios, and lines of the table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Final

MICRO: Final = 1e6


@dataclass(slots=True)
class Load:
    """What a generator did and got, filled while it runs.

    Attributes:
        asked: how many questions were sent.
        answers: what came back, in the order of arrival.
        seconds: from the first question to the last answer.
    """

    asked: int = 0
    answers: list[bytes] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def lost(self) -> int:
        """How many questions got no answer in time."""
        return max(self.asked - len(self.answers), 0)


@dataclass(frozen=True, slots=True)
class Round:
    """One measurement of one candidate.

    Attributes:
        per_second: answers, records or rows.
        cpu_microseconds: what each took of the server's processor time.
    """

    per_second: float
    cpu_microseconds: float
    wrong: int = 0
    lost: int = 0

    @classmethod
    def of(cls, load: Load, cpu_seconds: float, wrong: int) -> Round:
        """Measure a load that used `cpu_seconds` of the server."""
        answers = max(len(load.answers), 1)
        return cls(len(load.answers) / load.seconds, cpu_seconds / answers * MICRO, wrong, load.lost)


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of several rounds, and how far they lie apart."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, numbers: Sequence[float]) -> Spread:
        """Summarise at least one number."""
        return cls(median(numbers), min(numbers), max(numbers))

    def __str__(self) -> str:
        return f"{_short(self.median)} [{_short(self.least)}..{_short(self.most)}]"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table.

    Attributes:
        figure: what was measured, for people.
        beside: what it is compared with, for people; empty when with nothing.
        result: the number that is held against the goal; None = for orientation.
        goal: the number that `result` must reach, or stay below if `is_upper_bound`; None = none.
    """

    name: str
    figure: str
    beside: str = ""
    result: float | None = None
    goal: float | None = None
    is_upper_bound: bool = False
    wrong: int = 0
    lost: int = 0

    @property
    def is_met(self) -> bool:
        """Whether the goal is reached and no answer was wrong or lost."""
        if self.wrong or self.lost:
            return False
        if self.result is None or self.goal is None:
            return True
        return self.result <= self.goal if self.is_upper_bound else self.result >= self.goal

    def as_dict(self) -> dict[str, object]:
        """Return all fields and the verdict, for machines."""
        return {**asdict(self), "is_met": self.is_met}

    def __str__(self) -> str:
        parts = [f"{self.name:<22} {self.figure}"]
        if self.beside:
            parts.append(f"beside {self.beside}")
        if self.result is not None:
            sign = "≤" if self.is_upper_bound else "≥"
            wanted = "" if self.goal is None else f" (goal {sign} {_short(self.goal)})"
            parts.append(f"→ {_short(self.result)}{wanted}")
        parts.append(f"wrong {self.wrong}, lost {self.lost}" if self.wrong or self.lost else "")
        parts.append("ok" if self.is_met else "MISSED")
        return "  ".join(filter(None, parts))


def rate(rounds: Sequence[Round]) -> Spread:
    """Summarise how many a second."""
    return Spread.of([each.per_second for each in rounds])


def cpu(rounds: Sequence[Round]) -> Spread:
    """Summarise the processor time of each, in microseconds."""
    return Spread.of([each.cpu_microseconds for each in rounds])


def described(rounds: Sequence[Round]) -> str:
    """Say rate and processor time for people."""
    return f"{rate(rounds)} /s at {cpu(rounds)} µs"


def _short(number: float) -> str:
    """Write a number with three digits that count."""
    for limit, divisor, suffix in ((1e6, 1e6, " M"), (1e4, 1e3, " k")):
        if abs(number) >= limit:
            return f"{number / divisor:.3g}{suffix}"
    return f"{number:.0f}" if abs(number) >= 100 else f"{number:.3g}"  # noqa: PLR2004 - three digits
