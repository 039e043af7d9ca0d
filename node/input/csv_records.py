"""CSV files as records."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from node.input.batch import Batch
from node.input.csv_form import RowForm, as_text
from node.input.csv_lines import SplitLines, split_lines
from node.input.encoding import Encoding
from node.input.header import parse_header
from node.input.limits import LINE_OCTETS_MAX
from node.input.lines import LineBlock
from node.input.problems import Problem, RowProblem, UnreadableFile
from node.input.seen_handles import SeenHandles


def read_csv(blocks: Iterable[LineBlock], encoding: Encoding, stamp: int = 0) -> Iterator[Batch]:
    """Yield the records of a CSV file, about a thousand at a time; `header` says what its columns mean.

    Values are stamped as changed at `stamp`, Unix seconds.

    Raises:
        UnreadableFile: there is no usable header, or there are too many rows.
    """
    seen = SeenHandles()
    form: RowForm | None = None
    for text, split in _split(blocks):
        if form is None and (names := _take_header(split)):
            form = RowForm(parse_header(names), encoding, stamp)
        if form is not None:
            yield _batch(split, form, seen, is_doubtful=_is_doubtful(text))
    if form is None:
        raise UnreadableFile(Problem.NO_HEADER)


def _split(blocks: Iterable[LineBlock]) -> Iterator[tuple[str, SplitLines]]:
    """Yield lines, and the rows in them."""
    split = SplitLines()
    for block in blocks:
        text = block.octets.decode("latin-1")
        if block.is_too_long:
            yield split.rest, split_lines(split.rest, split.rest_line, is_last=True)
            problem = RowProblem(Problem.LINE_TOO_LONG, limit=LINE_OCTETS_MAX)
            split = SplitLines(broken=[(block.first_line, text, problem)])
        else:
            text, first_line = split.rest + text, split.rest_line or block.first_line
            split = split_lines(text, first_line, is_last=False)
        yield text, split
    yield split.rest, split_lines(split.rest, split.rest_line, is_last=True)


def _take_header(split: SplitLines) -> Sequence[str] | None:
    """Take the first row, or None if all lines so far are blank.

    Raises:
        UnreadableFile: the header is no row, or no text.
    """
    if split.broken and (not split.rows or split.broken[0][0] < split.rows[0][0]):
        raise UnreadableFile(Problem.NO_HEADER)
    if not split.rows:
        return None
    _, cells = split.rows.pop(0)
    try:
        return [as_text(cell) for cell in cells]
    except UnicodeDecodeError:
        raise UnreadableFile(Problem.HEADER_NOT_UTF_8) from None


def _batch(split: SplitLines, form: RowForm, seen: SeenHandles, *, is_doubtful: bool) -> Batch:
    batch = Batch()
    for line, text, problem in split.broken:
        batch.refuse(line, _shown(text.partition(",")[0].strip('"\r\n')), problem)
    for line, cells in split.rows:
        try:
            if is_doubtful:
                form.check_text(cells)
            batch.add(line, *form.read(cells), seen)
        except RowProblem as problem:
            batch.refuse(line, _shown(cells[0]), problem)
    return batch


def _is_doubtful(text: str) -> bool:
    """Tell whether some row may hold a cell that is no text, so that each has to be looked at."""
    try:
        as_text(text)
    except UnicodeDecodeError:
        return True
    return "\0" in text


def _shown(cell: str) -> str:
    return cell.encode("latin-1").decode(errors="replace")
