"""How a row of cells becomes a record: the columns say once what all values of a column share.

Cells are octets seen as Latin-1 text, see csv_lines; so a record is its cells joined with prepared octets.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Final

from handle_protocol import octets
from handle_protocol.handle import Handle
from node.input.encoding import Encoding
from node.input.handle_cell import parse_handle
from node.input.header import HANDLE_COLUMN, Column
from node.input.problems import Problem, RowProblem
from node.input.urls import is_url_type
from node.input.value_octets import NO_REFERENCES, value_head

_UNSAFE_IN_URL: Final = re.compile(r"[\x00-\x20\x7f\\]")
"""What makes a redirect to a URL unsafe or undefined (RFC 3986 §2)."""
_TAIL: Final = NO_REFERENCES.decode("latin-1")


class RowForm:
    """The shape of the rows of one CSV file."""

    def __init__(self, columns: Sequence[Column], encoding: Encoding, stamp: int = 0) -> None:
        """Prepare what the values of each column share; `stamp` is when they are changed, see HandleValue."""
        self._names = (HANDLE_COLUMN, *(column.name for column in columns))
        heads = (value_head(column.index, column.value_type, modified_at=stamp) for column in columns)
        self._heads = tuple(head.decode("latin-1") for head in heads)
        self._urls = tuple(position for position, column in enumerate(columns, 1) if is_url_type(column.value_type))
        self._encoding = encoding

    def read(self, cells: Sequence[str]) -> tuple[Handle, bytes]:
        """Return handle and value list of a row. Cells must be UTF-8, see check_text; an empty cell makes no value.

        Raises:
            RowProblem: the row has too few or too many cells, no valid handle, no value, or an unsafe URL.
        """
        if len(cells) != len(self._names):
            raise RowProblem(Problem.WRONG_COLUMN_COUNT, expected=len(self._names), found=len(cells))
        handle = parse_handle(as_text(cells[0]))
        for position in self._urls:
            if _UNSAFE_IN_URL.search(cells[position]):
                raise RowProblem(Problem.INVALID_URL, self._names[position])
        values = [
            f"{head}{_length(len(cell))}{cell}{_TAIL}"
            for head, cell in zip(self._heads, cells[1:], strict=True)
            if cell
        ]
        if not values:
            raise RowProblem(Problem.NO_VALUES)
        return handle, (_length(len(values)) + "".join(values)).encode("latin-1")

    def check_text(self, cells: Sequence[str]) -> None:
        """Check that every cell is text.

        Raises:
            RowProblem: a cell is not UTF-8 or holds a NUL; names the column.
        """
        for position, cell in enumerate(cells):
            name = self._names[position] if position < len(self._names) else ""
            try:
                as_text(cell)
            except UnicodeDecodeError:
                raise RowProblem(Problem.NOT_TEXT, name, encoding=self._encoding.value) from None
            if "\0" in cell:
                raise RowProblem(Problem.NUL_OCTET, name)


def as_text(cell: str) -> str:
    """Return the characters of a cell; raise UnicodeDecodeError if its octets are not UTF-8."""
    return cell if cell.isascii() else cell.encode("latin-1").decode()


@cache
def _length(octet_count: int) -> str:
    """Return a length field; the cache is bounded as cells are."""
    return octets.u32(octet_count).decode("latin-1")
