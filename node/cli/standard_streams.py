"""`-` in the place of a file: standard input or standard output."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

STANDARD: Final = Path("-")


@contextmanager
def on_disk(file: Path) -> Iterator[Path]:
    """Give `file`, or for `-` a copy of standard input that is gone afterwards: what is imported is looked at first.

    The copy may be as large as the disk of TMPDIR allows.

    Raises:
        OSError: there is no room for it.
    """
    if file != STANDARD:
        yield file
        return
    with tempfile.NamedTemporaryFile(prefix="idnode-import-") as copy:
        shutil.copyfileobj(sys.stdin.buffer, copy)
        copy.flush()
        yield Path(copy.name)
