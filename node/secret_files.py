"""Files that only their owner may read, and that are there as a whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path


def write_secret_file(file: Path, octets: bytes) -> None:
    """Write `octets` to `file`, in place of what may be there. Its folder is made where it is missing.

    Raises:
        OSError: it cannot be written.
    """
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = file.with_name(f".{file.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(octets)
            opened.flush()
            os.fsync(opened.fileno())
        fresh.replace(file)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise
