"""A file to be imported: its format, its encoding and its way into batches of records."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from stat import S_ISREG
from typing import Final

from node.input.batch import Batch
from node.input.csv_records import read_csv
from node.input.encoding import BYTE_ORDER_MARK, AsUtf8, Encoding, detect_encoding
from node.input.header import HANDLE_COLUMN
from node.input.limits import BATCH_OCTETS, SAMPLE_OCTETS
from node.input.lines import read_line_blocks
from node.input.ndjson_records import read_ndjson
from node.input.problems import Problem, UnreadableFile


class FileFormat(Enum):
    """How records are written in a file."""

    CSV = "csv"
    NDJSON = "ndjson"


_READERS: Final = {FileFormat.CSV: read_csv, FileFormat.NDJSON: read_ndjson}
_ENDINGS: Final = {
    ".csv": FileFormat.CSV,
    ".ndjson": FileFormat.NDJSON,
    ".jsonl": FileFormat.NDJSON,
}


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file that was looked at.

    Attributes:
        size: its length in octets.
    """

    path: Path
    format: FileFormat
    encoding: Encoding
    size: int

    @classmethod
    def open(cls, path: Path, file_format: FileFormat | None = None, encoding: Encoding | None = None) -> InputFile:
        """Look at the start of a file; what is not said is told from it.

        Raises:
            OSError: it cannot be read.
            UnreadableFile: it is no regular file, is empty or no text, its lines end in lone carriage returns, or its
                format is unknown.
        """
        status = path.stat()
        if not S_ISREG(status.st_mode):
            raise UnreadableFile(Problem.NOT_A_FILE)
        with path.open("rb") as stream:
            sample = stream.read(SAMPLE_OCTETS)
        if not sample.removeprefix(BYTE_ORDER_MARK).strip():
            raise UnreadableFile(Problem.EMPTY_FILE)
        detected = detect_encoding(sample)
        if b"\r" in sample and b"\n" not in sample:
            raise UnreadableFile(Problem.CARRIAGE_RETURN_LINES)
        return cls(path, file_format or _format(path, sample), encoding or detected, status.st_size)

    def batches(self, rows: int, stamp: int = 0) -> Iterator[Batch]:
        """Yield the file's rows in order, about `rows` at a time, or fewer if they are long.

        Values without a time of change get `stamp`, Unix seconds; 0 = none.

        Raises:
            OSError: the file cannot be read any more.
            UnreadableFile: nothing more of it can be understood.
        """
        with self.path.open("rb") as stream:
            if stream.read(len(BYTE_ORDER_MARK)) != BYTE_ORDER_MARK:
                stream.seek(0)
            text = AsUtf8(stream) if self.encoding is Encoding.GB18030 else stream
            batch = Batch()
            start = stream.tell()
            for more in _READERS[self.format](read_line_blocks(text), self.encoding, stamp):
                more.octets_read = stream.tell()
                batch.extend(more)
                if len(batch) >= rows or batch.octets_read - start >= BATCH_OCTETS:
                    yield batch
                    batch, start = Batch(), batch.octets_read
            if len(batch):
                yield batch


def _format(path: Path, sample: bytes) -> FileFormat:
    ending = _ENDINGS.get(path.suffix.lower())
    if ending is not None:
        return ending
    start = sample.removeprefix(BYTE_ORDER_MARK).lstrip()
    if start.startswith(b"{"):
        return FileFormat.NDJSON
    if start.strip(b'"')[: len(HANDLE_COLUMN)].lower() == HANDLE_COLUMN.encode():
        return FileFormat.CSV
    raise UnreadableFile(Problem.UNKNOWN_FORMAT)
