"""The rows of a file that were not imported, in a file beside it: one JSON object in a line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final, Self

import msgspec

from node.input.problems import RowError

ENDING: Final = ".errors.ndjson"
_encode = msgspec.json.Encoder().encode


class ErrorsFile:
    """Takes errors as they come, so that an import that is killed has lost none; without errors, no file is left.

    Attributes:
        path: where it is: the imported file's name with .errors.ndjson after it.
        count: how many errors stand there.
    """

    def __init__(self, imported: Path) -> None:
        """Start anew beside `imported`, also when an earlier import left such a file.

        Raises:
            OSError: nothing can be written there.
        """
        self.path = imported.with_name(imported.name + ENDING)
        self.count = 0
        self._file = self.path.open("wb")

    def write(self, errors: Sequence[RowError]) -> None:
        """Add errors; when this returns they survive the end of this process."""
        self._file.write(b"".join(_encode(_as_json(error)) + b"\n" for error in errors))
        self._file.flush()
        self.count += len(errors)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        if not self.count:
            self.path.unlink(missing_ok=True)


def _as_json(error: RowError) -> dict[str, object]:
    return {
        "row": error.row,
        "handle": error.handle,
        "field": error.field,
        "reason": error.reason,
        "reason_zh": error.reason_zh,
    }
