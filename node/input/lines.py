"""A file as blocks of whole lines, in flat memory however long its lines are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from node.input.limits import BLOCK_OCTETS, LINE_OCTETS_MAX


class Readable(Protocol):
    """Anything that octets are read from."""

    def read(self, size: int, /) -> bytes:
        """Return up to `size` octets, none at the end."""


@dataclass(frozen=True, slots=True)
class LineBlock:
    """Whole lines of a file.

    Attributes:
        first_line: the number of the first of them; the file's first line is 1.
        octets: the lines with their line ends, which only the file's last line may lack.
        is_too_long: the block stands for one line beyond the limit; its octets are only the line's start.
    """

    first_line: int
    octets: bytes
    is_too_long: bool = False


def read_line_blocks(stream: Readable) -> Iterator[LineBlock]:
    """Yield the lines of a stream in blocks of about 256 KiB."""
    line = 1
    pending = b""
    while octets := stream.read(BLOCK_OCTETS):
        pending += octets
        whole = pending.rfind(b"\n") + 1
        if whole:
            yield LineBlock(line, pending[:whole])
            line += pending.count(b"\n")
            pending = pending[whole:]
        elif len(pending) > LINE_OCTETS_MAX:
            yield LineBlock(line, pending[:LINE_OCTETS_MAX], is_too_long=True)
            line += 1
            pending = _skip_line(stream)
    if pending:
        yield LineBlock(line, pending)


def _skip_line(stream: Readable) -> bytes:
    """Read past the next line end and return what was read beyond it."""
    while octets := stream.read(BLOCK_OCTETS):
        _, line_end, beyond = octets.partition(b"\n")
        if line_end:
            return beyond
    return b""
