"""The header of a CSV file: which column becomes which value.

The first column is `handle`. Every other column is named `index:type` or just `type`; a column without an index gets
the next free number from 1 on, in the order of the columns. Types are compared without regard to case, so `url`,
`email` and the predefined types (`hs_alias`) are stored in upper case; all others keep their spelling.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Final

from handle_protocol.handle import fold
from handle_protocol.limits import VALUE_TYPE_OCTETS_MAX
from node.input.limits import COLUMNS_MAX, INDEX_MAX
from node.input.problems import Problem, UnreadableFile

HANDLE_COLUMN: Final = "handle"
_UPPER_CASE_TYPES: Final = frozenset({"URL", "EMAIL", "DESC"})
_BINARY_TYPES: Final = ("HS_ADMIN", "HS_VLIST", "HS_SITE", "HS_NA_DELEGATE", "HS_SECKEY")
"""Types whose data is no text, and the one that must not become public, as every CSV value does."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of values.

    Attributes:
        name: as it stands in the header.
    """

    name: str
    index: int
    value_type: str


def parse_header(cells: Sequence[str]) -> tuple[Column, ...]:
    """Return the columns after `handle`.

    Raises:
        UnreadableFile: the header is missing, or names no, wrong, or too many columns.
    """
    names = [cell.strip() for cell in cells]
    if not any(names):
        raise UnreadableFile(Problem.NO_HEADER)
    if names[0].lower() != HANDLE_COLUMN:
        raise UnreadableFile(Problem.HANDLE_NOT_FIRST, found=names[0][:100])
    if len(names) == 1:
        raise UnreadableFile(Problem.NO_VALUE_COLUMNS)
    if len(names) > COLUMNS_MAX:
        raise UnreadableFile(Problem.TOO_MANY_COLUMNS, limit=COLUMNS_MAX)
    parsed = [_parse_name(name, position) for position, name in enumerate(names[1:], 2)]
    _refuse_duplicates(names, parsed)
    free = _free_indexes({index for index, _ in parsed if index})
    return tuple(
        Column(name, index or next(free), value_type)
        for name, (index, value_type) in zip(names[1:], parsed, strict=True)
    )


def _parse_name(name: str, position: int) -> tuple[int, str]:
    """Return the index, 0 if the name has none, and the type."""
    if not name:
        raise UnreadableFile(Problem.EMPTY_COLUMN_NAME, position=position)
    before, colon, after = name.partition(":")
    value_type = _stored_spelling((after if colon else before).strip())
    if not value_type or len(value_type.encode()) > VALUE_TYPE_OCTETS_MAX or "\n" in value_type:
        raise UnreadableFile(Problem.INVALID_COLUMN_NAME, found=name[:100])
    if any(value_type == binary or value_type.startswith(f"{binary}.") for binary in _BINARY_TYPES):
        raise UnreadableFile(Problem.BINARY_TYPE, found=name)
    return (_parse_index(before.strip(), name) if colon else 0), value_type


def _parse_index(digits: str, name: str) -> int:
    if not (digits.isascii() and digits.isdigit()) or not 1 <= int(digits[:11]) <= INDEX_MAX:
        raise UnreadableFile(Problem.INVALID_COLUMN_NAME, found=name[:100])
    return int(digits)


def _stored_spelling(value_type: str) -> str:
    folded = fold(value_type)
    return folded if folded in _UPPER_CASE_TYPES or folded.startswith("HS_") else value_type


def _refuse_duplicates(names: Sequence[str], parsed: Sequence[tuple[int, str]]) -> None:
    """Refuse an index that stands twice, and a type that stands twice without an index."""
    seen: set[int | str] = set()
    for name, (index, value_type) in zip(names[1:], parsed, strict=True):
        place = index or fold(value_type)
        if place in seen or fold(name) == fold(HANDLE_COLUMN):
            raise UnreadableFile(Problem.DUPLICATE_COLUMN, found=name)
        seen.add(place)


def _free_indexes(taken: set[int]) -> Iterator[int]:
    return (index for index in count(1) if index not in taken)
