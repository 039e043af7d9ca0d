"""Regular expressions that somebody else wrote, matched in bounded time (templates: `test="matches"`).

Python's own `re` backtracks for as long as a pattern makes it, and cannot be stopped: whoever may write the record of
a prefix could halt a worker with `(a*)*b`. Here nothing is tried twice at the same place of the text and the pattern,
so a match takes at most the product of their lengths, and each step is counted. (google-re2 would do, but comes late
or not at all as a wheel for new versions of Python, and needs a compiler then.)
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from typing import Final

_CODE_POINTS: Final = 0x11_0000


class AllowanceSpent(Exception):
    """An answer would cost more than is allowed."""


@dataclass(slots=True)
class Allowance:
    """How much may still be spent on one answer, in steps or octets."""

    left: int

    def spend(self, amount: int = 1) -> None:
        """Take `amount` away.

        Raises:
            AllowanceSpent: less is left.
        """
        self.left -= amount
        if self.left < 0:
            raise AllowanceSpent


@dataclass(frozen=True, slots=True)
class CharacterSet:
    """Some characters.

    Attributes:
        bounds: ascending code points; at each of them the set begins or ends, beginning first.
    """

    bounds: tuple[int, ...]

    @classmethod
    def of(cls, ranges: Iterable[tuple[int, int]]) -> CharacterSet:
        """Make a set of code points, each range with both of its ends."""
        merged: list[list[int]] = []
        for first, last in sorted(ranges):
            if merged and first <= merged[-1][1]:
                merged[-1][1] = max(merged[-1][1], last + 1)
            else:
                merged.append([first, last + 1])
        return cls(tuple(chain.from_iterable(merged)))

    @property
    def ranges(self) -> tuple[tuple[int, int], ...]:
        """The code points as ranges, each with both of its ends."""
        ends = (*self.bounds, _CODE_POINTS)[: len(self.bounds) + len(self.bounds) % 2]
        return tuple((first, after - 1) for first, after in zip(ends[::2], ends[1::2], strict=True))

    def inverted(self) -> CharacterSet:
        """Return all the other characters."""
        return CharacterSet(self.bounds[1:] if self.bounds[:1] == (0,) else (0, *self.bounds))

    def __contains__(self, character: str) -> bool:
        return bool(bisect_right(self.bounds, ord(character)) % 2)


@dataclass(frozen=True, slots=True)
class Take:
    """The next character must be one of a set with these bounds."""

    bounds: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Branch:
    """Go on elsewhere, at the first of these distances; if that leads nowhere, at the second, unless it is 0."""

    first: int
    second: int = 0


@dataclass(frozen=True, slots=True)
class Mark:
    """Note where a group begins (twice its number) or ends (one more)."""

    number: int


@dataclass(frozen=True, slots=True)
class Edge:
    """Here must be the end of the text, or else its beginning."""

    is_end: bool


Instruction = Take | Branch | Mark | Edge
_Marks = tuple[int, int, "_Marks"] | None
"""The last mark: its number, its place in the text, and the marks before it."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern, ready to be matched.

    Attributes:
        program: what must hold, in order; the last is that the text ends.
        groups: how many groups there are beside the whole.
    """

    program: tuple[Instruction, ...]
    groups: int

    def match_whole(self, text: str, allowance: Allowance) -> tuple[str, ...] | None:  # noqa: C901 - one fast loop
        """Match all of `text`; return it and what each group held, "" for one that took no part; None = no match.

        Raises:
            AllowanceSpent: the allowance is used up.
        """
        program, width, left = self.program, len(text) + 1, allowance.left
        untried: list[tuple[int, int, _Marks]] = [(0, 0, None)]
        tried: set[int] = set()
        while untried:
            step, place, marks = untried.pop()
            while step < len(program) and (state := step * width + place) not in tried:
                tried.add(state)
                if len(tried) > left:
                    raise AllowanceSpent
                match program[step]:
                    case Take(bounds):
                        if place + 1 == width or not bisect_right(bounds, ord(text[place])) % 2:
                            break
                        step, place = step + 1, place + 1
                    case Branch(first, second):
                        if second:
                            untried.append((step + second, place, marks))
                        step += first
                    case Mark(number):
                        step, marks = step + 1, (number, place, marks)
                    case Edge(is_end):
                        if place != (width - 1 if is_end else 0):
                            break
                        step += 1
            if step == len(program):
                allowance.spend(len(tried))
                return self._groups(text, marks)
        allowance.spend(len(tried))
        return None

    def _groups(self, text: str, marks: _Marks) -> tuple[str, ...]:
        places: dict[int, int] = {0: 0, 1: len(text)}
        while marks is not None:
            number, place, marks = marks
            places.setdefault(number, place)  # The last mark of each number counts.
        return tuple(text[places.get(2 * group, 0) : places.get(2 * group + 1, 0)] for group in range(self.groups + 1))
