"""What is read of a file at a time."""

from __future__ import annotations

from dataclasses import dataclass, field

from handle_protocol.record import HandleRecord
from node.input.limits import HANDLE_CHARACTERS_SHOWN, VALUE_LIST_OCTETS_MAX
from node.input.problems import Problem, RowError, RowProblem
from node.input.seen_handles import SeenHandles


@dataclass(slots=True)
class Batch:
    """Rows of a file, some of them records, some of them mistakes; it is filled while the file is read.

    Attributes:
        rows: for each record, the line of the file where its row starts.
        octets_read: how much of the file was read when the batch was complete.
    """

    records: list[HandleRecord] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)
    octets_read: int = 0

    def __len__(self) -> int:
        return len(self.records) + len(self.errors)

    def add(self, row: int, record: HandleRecord, seen: SeenHandles) -> None:
        """Add a record.

        Raises:
            RowProblem: no response could carry it, or the file has named this handle before.
        """
        if len(record.value_list) > VALUE_LIST_OCTETS_MAX:
            raise RowProblem(Problem.RECORD_TOO_LONG, limit=VALUE_LIST_OCTETS_MAX)
        first_row = seen.first_row(record.handle.key(), row)
        if first_row is not None:
            raise RowProblem(Problem.DUPLICATE_HANDLE, "handle", first_row=first_row)
        self.records.append(record)
        self.rows.append(row)

    def refuse(self, row: int, handle: str, problem: RowProblem) -> None:
        """Add a mistake; `handle` is what could be read of the row's handle."""
        self.errors.append(RowError.of(row, handle[:HANDLE_CHARACTERS_SHOWN], problem))

    def extend(self, more: Batch) -> None:
        """Add all rows of another batch."""
        self.records += more.records
        self.rows += more.rows
        self.errors += more.errors
        self.octets_read = more.octets_read
