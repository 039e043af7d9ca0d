"""Lines of a CSV file as rows of cells (RFC 4180): quotes, line breaks inside quotes, and mistakes in both.

Cells are octets seen as Latin-1 text, one character per octet: the csv module reads them as they are, lengths are
octets, and nothing is decoded that is only passed on.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from io import StringIO
from itertools import islice

from node.input.limits import CELL_OCTETS_MAX, LINE_OCTETS_MAX
from node.input.problems import Problem, RowProblem


@dataclass(slots=True)
class SplitLines:
    """What became of some lines.

    Attributes:
        rows: line number and cells of each row; a blank line is no row.
        broken: line number, first line and mistake of each row that cannot be split.
        rest: the lines of a row that is not complete yet.
        rest_line: the number of the first of them.
    """

    rows: list[tuple[int, list[str]]] = field(default_factory=list)
    broken: list[tuple[int, str, RowProblem]] = field(default_factory=list)
    rest: str = ""
    rest_line: int = 0


def split_lines(text: str, first_line: int, *, is_last: bool) -> SplitLines:
    """Split whole lines, the first of which is `first_line`, into rows.

    A row with broken quoting is that one line: reading goes on with the next, however far the open quote reached.
    """
    csv.field_size_limit(CELL_OCTETS_MAX)
    lines = list(StringIO(text, newline="\n"))
    split = SplitLines()
    start = 0
    while start < len(lines):
        reader = csv.reader(islice(lines, start, None), strict=True)
        ended = 0
        try:
            for cells in reader:
                if cells:
                    split.rows.append((first_line + start + ended, cells))
                ended = reader.line_num
            break
        except csv.Error as error:
            start += ended
            if _is_open(error) and not is_last and sum(map(len, lines[start:])) <= LINE_OCTETS_MAX:
                split.rest, split.rest_line = "".join(lines[start:]), first_line + start
                break
            split.broken.append((first_line + start, lines[start], _problem(error)))
            start += 1
    return split


def _is_open(error: csv.Error) -> bool:
    """Tell whether the lines ended inside quotes; the csv module has no other sign for it than its text."""
    return str(error) == "unexpected end of data"


def _problem(error: csv.Error) -> RowProblem:
    text = str(error)
    if text.startswith("field larger"):
        return RowProblem(Problem.CELL_TOO_LONG, limit=CELL_OCTETS_MAX)
    if text.startswith("new-line character"):
        return RowProblem(Problem.STRAY_CARRIAGE_RETURN)
    return RowProblem(Problem.BROKEN_QUOTING)
