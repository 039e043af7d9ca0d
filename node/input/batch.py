"""What is read of a file at a time."""

from __future__ import annotations

from dataclasses import dataclass, field

from handle_protocol.handle import Handle
from handle_protocol.limits import VALUE_LIST_OCTETS_MAX
from handle_protocol.record import HandleRecord
from node.input.limits import HANDLE_CHARACTERS_SHOWN
from node.input.problems import Problem, RowError, RowProblem
from node.input.seen_handles import SeenHandles


@dataclass(slots=True)
class Batch:
    """Rows of a file, some of them records, some of them mistakes; it is filled while the file is read.

    Records are kept in parts, as plain texts and octets, because these go from process to process ten times as fast.

    Attributes:
        rows: for each record, the line of the file where its row starts.
        spellings: for each record, its handle.
        value_lists: for each record, its values.
        octets_read: how much of the file was read when the batch was complete.
    """

    rows: list[int] = field(default_factory=list)
    spellings: list[str] = field(default_factory=list)
    value_lists: list[bytes] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)
    octets_read: int = 0

    def __len__(self) -> int:
        return len(self.rows) + len(self.errors)

    @property
    def records(self) -> list[HandleRecord]:
        """The records, made anew at each look."""
        return list(map(HandleRecord, map(Handle, self.spellings), self.value_lists))

    def add(self, row: int, handle: Handle, value_list: bytes, seen: SeenHandles) -> None:
        """Add a record.

        Raises:
            RowProblem: no response could carry it, or the file has named this handle before.
        """
        if len(value_list) > VALUE_LIST_OCTETS_MAX:
            raise RowProblem(Problem.RECORD_TOO_LONG, limit=VALUE_LIST_OCTETS_MAX)
        first_row = seen.first_row(handle.key(), row)
        if first_row is not None:
            raise RowProblem(Problem.DUPLICATE_HANDLE, "handle", first_row=first_row)
        self.rows.append(row)
        self.spellings.append(handle.spelling)
        self.value_lists.append(value_list)

    def refuse(self, row: int, handle: str, problem: RowProblem) -> None:
        """Add a mistake; `handle` is what could be read of the row's handle."""
        self.errors.append(RowError.of(row, handle[:HANDLE_CHARACTERS_SHOWN], problem))

    def extend(self, more: Batch) -> None:
        """Add all rows of another batch."""
        self.rows += more.rows
        self.spellings += more.spellings
        self.value_lists += more.value_lists
        self.errors += more.errors
        self.octets_read = more.octets_read
