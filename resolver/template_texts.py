r"""Texts of a template with what their variables mean: ${name}, ${name[1]}, $1, and \ before a sign that is meant."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from resolver.patterns import Allowance

Meanings = Mapping[str, tuple[str, ...]]
"""What each variable stands for: the whole, and then the groups of the pattern that it matched."""

_NAME_CHARACTERS_MAX: Final = 64
"""Ours: the longest name of a variable; without a bound, "${${${…" would be searched to its end again and again."""

_MARK: Final = re.compile(rf"\\(.)|\$\{{([^}}]{{0,{_NAME_CHARACTERS_MAX}}})\}}|\$([0-9]+)", re.DOTALL)
_GROUP: Final = re.compile(r"(.*)\[([0-9]{1,3})\]", re.DOTALL)
_NUMBER_DIGITS_MAX: Final = 3

_UNNAMED: Final = "extension"
"""Reference: whose groups $1 means."""


def look_up(name: str, meanings: Meanings) -> str:
    """Return what `name` stands for: a variable, a group of one, or a number; "" for an unknown one."""
    if name.isascii() and name.isdigit():
        return _group_of(_UNNAMED, name, meanings)
    group = _GROUP.fullmatch(name)
    if group is not None:
        return _group_of(group[1], group[2], meanings)
    return _group_of(name, "0", meanings)


def fill_in(written: str, meanings: Meanings, octets: Allowance) -> str:
    """Return `written` with every variable replaced; what is no variable stays as it is.

    Raises:
        AllowanceSpent: the result, in octets, is more than is left; it has not been put together then.
    """
    pieces: list[str] = []
    start = 0
    for mark in _MARK.finditer(written):
        sign, name, number = mark.groups()
        meaning = look_up(number if name is None else name, meanings) if sign is None else sign
        pieces += (_paid(written[start : mark.start()], octets), _paid(meaning, octets))
        start = mark.end()
    return "".join((*pieces, _paid(written[start:], octets)))


def _group_of(name: str, number: str, meanings: Meanings) -> str:
    groups = meanings.get(name, ())
    place = int(number) if len(number) <= _NUMBER_DIGITS_MAX else len(groups)
    return groups[place] if place < len(groups) else ""


def _paid(piece: str, octets: Allowance) -> str:
    octets.spend(len(piece.encode()))
    return piece
