r"""How a pattern is written: the part of Java's regular expressions (the reference's) that needs no backtracking.

    a|b   (group)   (?:group)   (?<name>group)   *  +  ?  {2}  {2,}  {2,5}, and ? behind each of these: the fewest
    .   [a-z]   [^a-z]   \d \D \w \W \s \S   \t \n \r \f   \xhh   \uhhhh   \ before any other sign   ^   $

Back references, looking around, possessive quantifiers and sets of sets are refused.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from resolver.patterns import Branch, CharacterSet, Edge, Instruction, Mark, Pattern, Take

PATTERN_CHARACTERS_MAX: Final = 512
"""Ours: the longest pattern; those in the field have below 200."""

PATTERN_INSTRUCTIONS_MAX: Final = 1_000
"""Ours: the most instructions of one pattern: a counted repetition writes out what it repeats."""

PATTERN_DEPTH_MAX: Final = 16
"""Ours: the deepest nesting of groups."""

_DIGITS: Final = CharacterSet.of([(0x30, 0x39)])
_WORD: Final = CharacterSet.of([(0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A)])
_SPACE: Final = CharacterSet.of([(0x09, 0x0D), (0x20, 0x20)])
_ANY: Final = CharacterSet.of([(0x0A, 0x0A), (0x0D, 0x0D), (0x85, 0x85), (0x2028, 0x2029)]).inverted()
"""Java: the point stands for everything but the ends of lines."""

_CLASSES: Final = {
    "d": _DIGITS,
    "D": _DIGITS.inverted(),
    "w": _WORD,
    "W": _WORD.inverted(),
    "s": _SPACE,
    "S": _SPACE.inverted(),
}
_CONTROLS: Final = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}
_HEX_DIGITS: Final = {"x": re.compile(r"[0-9A-Fa-f]{2}"), "u": re.compile(r"[0-9A-Fa-f]{4}")}
_QUANTIFIER: Final = re.compile(r"([*+?])|\{([0-9]{1,4})(,([0-9]{1,4})?)?\}")
_COUNTS: Final[dict[str, tuple[int, int | None]]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}
_GROUP_NAME: Final = re.compile(r"\?<[A-Za-z][A-Za-z0-9]*>")

_Program = tuple[Instruction, ...]


class UnusablePattern(ValueError):
    """A pattern that is malformed, too long, or outside the language. The text says which."""


@lru_cache(maxsize=256)
def read_pattern(written: str, *, ignores_case: bool = False) -> Pattern:
    """Read a pattern.

    Args:
        written: as people write it.
        ignores_case: ASCII letters mean both their cases, as in handles.

    Raises:
        UnusablePattern: it is malformed, too long, or outside the language.
    """
    if len(written) > PATTERN_CHARACTERS_MAX:
        raise UnusablePattern(f"expected a pattern of at most {PATTERN_CHARACTERS_MAX} characters")
    return _Reader(written, ignores_case=ignores_case).read()


class _Reader:
    """Reads one pattern from its left to its right, by recursive descent."""

    def __init__(self, written: str, *, ignores_case: bool) -> None:
        self._written = written
        self._ignores_case = ignores_case
        self._at = 0
        self._depth = 0
        self._groups = 0

    def read(self) -> Pattern:
        program = self._alternatives()
        if self._at < len(self._written):
            raise self._refuse("nothing behind a closing bracket that was not opened")
        return Pattern((*program, Edge(is_end=True)), self._groups)

    def _alternatives(self) -> _Program:
        ways = [self._sequence()]
        while self._skip("|"):
            ways.append(self._sequence())
        program = ways.pop()
        while ways:
            first = ways.pop()
            program = self._bounded((Branch(1, len(first) + 2), *first, Branch(len(program) + 1), *program))
        return program

    def _sequence(self) -> _Program:
        program: _Program = ()
        while self._at < len(self._written) and self._written[self._at] not in "|)":
            program = self._bounded(program + self._quantified(self._atom()))
        return program

    def _atom(self) -> _Program:
        sign = self._next()
        if sign in "*+?{":
            raise self._refuse("something to repeat")
        if sign == "(":
            return self._group()
        if sign in "^$":
            return (Edge(is_end=sign == "$"),)
        return (Take(self._characters(sign).bounds),)

    def _characters(self, sign: str) -> CharacterSet:
        if sign == ".":
            return _ANY
        if sign == "[":
            return self._set()
        character = self._escaped() if sign == "\\" else sign
        return character if isinstance(character, CharacterSet) else self._cased([(ord(character), ord(character))])

    def _group(self) -> _Program:
        self._descend()
        named = _GROUP_NAME.match(self._written, self._at)
        is_counted = named is not None or not self._skip("?:")
        if named is not None:
            self._at = named.end()
        elif is_counted and self._skip("?"):
            raise self._refuse("no looking around and no flags")
        self._groups += is_counted
        number = self._groups
        program = self._alternatives()
        if not self._skip(")"):
            raise self._refuse("a closing bracket")
        self._depth -= 1
        return self._bounded((Mark(2 * number), *program, Mark(2 * number + 1))) if is_counted else program

    def _quantified(self, program: _Program) -> _Program:
        quantifier = _QUANTIFIER.match(self._written, self._at)
        if quantifier is None:
            return program
        self._at = quantifier.end()
        sign, least, comma, most = quantifier.groups()
        counts = _COUNTS[sign] if sign else (int(least), (int(most) if most else None) if comma else int(least))
        is_lazy = self._skip("?")
        if _QUANTIFIER.match(self._written, self._at):
            raise self._refuse("one quantifier, and none that is possessive")
        return self._repeated(program, *counts, is_lazy=is_lazy)

    def _repeated(self, program: _Program, least: int, most: int | None, *, is_lazy: bool) -> _Program:
        """Write `program` out as often as it must come, then as often as it may, or as a loop."""
        if most is not None and most < least:
            raise self._refuse("a range that ascends")
        self._check_size((len(program) + 1) * max(least, most or 0))
        if most is None:
            loop = (_fork(1, len(program) + 2, is_lazy=is_lazy), *program, Branch(-len(program) - 1))
            return self._bounded(program * least + loop)
        optional: _Program = ()
        for _ in range(most - least):
            tail = program + optional
            optional = (_fork(1, len(tail) + 1, is_lazy=is_lazy), *tail)
        return self._bounded(program * least + optional)

    def _set(self) -> CharacterSet:
        is_inverted = self._skip("^")
        ranges: list[tuple[int, int]] = []
        while not self._skip("]"):
            ranges += self._set_item()
        if not ranges:
            raise self._refuse("a set with something in it")
        characters = self._cased(ranges)
        return characters.inverted() if is_inverted else characters

    def _set_item(self) -> tuple[tuple[int, int], ...]:
        first = self._set_character()
        if isinstance(first, CharacterSet):
            return first.ranges
        if self._written[self._at : self._at + 1] != "-" or self._written[self._at + 1 : self._at + 2] == "]":
            return ((ord(first), ord(first)),)
        self._at += 1
        last = self._set_character()
        if isinstance(last, CharacterSet) or last < first:
            raise self._refuse("a range that ascends")
        return ((ord(first), ord(last)),)

    def _set_character(self) -> CharacterSet | str:
        sign = self._next()
        if sign == "[" or self._written.startswith("&&", self._at - 1):
            raise self._refuse("no sets of sets")
        return self._escaped() if sign == "\\" else sign

    def _escaped(self) -> CharacterSet | str:
        r"""Read what stands behind a \."""
        sign = self._next()
        if sign in _CLASSES:
            return _CLASSES[sign]
        if sign in _HEX_DIGITS:
            digits = _HEX_DIGITS[sign].match(self._written, self._at)
            if digits is None:
                raise self._refuse("hexadecimal digits")
            self._at = digits.end()
            return chr(int(digits[0], 16))
        if sign.isascii() and sign.isalnum() and sign not in _CONTROLS:
            raise self._refuse("no back reference and no other special sign")
        return _CONTROLS.get(sign, sign)

    def _cased(self, ranges: list[tuple[int, int]]) -> CharacterSet:
        """Make a set, with both cases of its ASCII letters where case is ignored."""
        if not self._ignores_case:
            return CharacterSet.of(ranges)
        letters = (
            (max(first, start) + other, min(last, start + 25) + other)
            for first, last in ranges
            for start, other in ((0x41, 0x20), (0x61, -0x20))
            if first <= start + 25 and last >= start
        )
        return CharacterSet.of([*ranges, *letters])

    def _next(self) -> str:
        if self._at == len(self._written):
            raise self._refuse("something more")
        self._at += 1
        return self._written[self._at - 1]

    def _skip(self, sign: str) -> bool:
        is_there = self._written.startswith(sign, self._at)
        self._at += len(sign) * is_there
        return is_there

    def _descend(self) -> None:
        self._depth += 1
        if self._depth > PATTERN_DEPTH_MAX:
            raise self._refuse(f"at most {PATTERN_DEPTH_MAX} levels")

    def _bounded(self, program: _Program) -> _Program:
        self._check_size(len(program))
        return program

    def _check_size(self, instructions: int) -> None:
        if instructions > PATTERN_INSTRUCTIONS_MAX:
            raise self._refuse(f"at most {PATTERN_INSTRUCTIONS_MAX} instructions")

    def _refuse(self, expected: str) -> UnusablePattern:
        return UnusablePattern(f"expected {expected} at character {self._at}")


def _fork(inside: int, outside: int, *, is_lazy: bool) -> Branch:
    return Branch(outside, inside) if is_lazy else Branch(inside, outside)
