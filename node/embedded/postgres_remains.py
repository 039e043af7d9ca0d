"""What an earlier Postgres may have left: processes that are still ending, and a lock file.

After kill -9 of a supervisor its Postgres gets SIGINT from the kernel and needs a moment for its last checkpoint;
after kill -9 of Postgres itself its helpers need a moment to notice. Only one supervisor owns a data directory, so
whatever still runs on it is a remain and is asked to end.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from signal import SIGINT, SIGKILL, SIGQUIT, Signals
from typing import Final

ENDING_SECONDS: Final[tuple[tuple[Signals, float], ...]] = ((SIGINT, 60.0), (SIGQUIT, 10.0), (SIGKILL, 10.0))
"""How remains are asked to end, one after the other, and for how long each is waited for."""

POLL_SECONDS: Final = 0.05

PID_LINE, STATUS_LINE = 0, 7
"""Lines of postmaster.pid, see miscadmin.h: LOCK_FILE_LINE_PID, LOCK_FILE_LINE_PM_STATUS."""


def is_postmaster_ready(data: Path, pid: int) -> bool:
    """Tell whether the server with process id `pid` accepts connections, as pg_ctl does: by its lock file."""
    lines = _lock_file_lines(data)
    if len(lines) <= STATUS_LINE:
        return False
    return lines[PID_LINE] == str(pid) and lines[STATUS_LINE].strip() == "ready"


async def clear_remains(data: Path) -> None:
    """End what still runs on the data directory `data`, softly first, and forget a lock that names a stranger.

    Returns when nothing is left, or all deadlines have passed; the new server then says itself what stands in its way.
    """
    now = asyncio.get_running_loop().time
    for signal_number, seconds in ENDING_SECONDS:
        deadline = now() + seconds
        is_asked = False
        while remains := tuple(_remains(data)):
            if now() > deadline:
                break
            if not is_asked:
                _signal_all(remains, signal_number)
                is_asked = True
            await asyncio.sleep(POLL_SECONDS)
        if not remains:
            break
    _forget_foreign_lock(data)


def _signal_all(pids: tuple[int, ...], signal_number: Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal_number)


def _remains(data: Path) -> Iterator[int]:
    """Yield the Postgres processes whose working directory is `data`, and the one the lock file names."""
    locked = _locked_pid(data)
    real = data.resolve()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or not _is_postgres(int(entry.name)):
            continue
        pid = int(entry.name)
        try:
            is_remain = (entry / "cwd").readlink() == real
        except FileNotFoundError:  # it has ended meanwhile
            continue
        except PermissionError:  # containers deny this even to root; the lock file knows the most important one
            is_remain = pid == locked
        if is_remain:
            yield pid


def _is_postgres(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    name, state = status.partition("(")[2].rpartition(")")[::2]
    return name == "postgres" and state.split()[0] != "Z"


def _forget_foreign_lock(data: Path) -> None:
    """Remove a lock file whose process id now belongs to something else, as after a container's restart.

    Postgres itself would refuse to start: it only sees that the process exists.
    """
    pid = _locked_pid(data)
    if pid is not None and Path(f"/proc/{pid}").exists() and not _is_postgres(pid):
        (data / "postmaster.pid").unlink(missing_ok=True)


def _locked_pid(data: Path) -> int | None:
    lines = _lock_file_lines(data)
    return int(lines[PID_LINE]) if lines and lines[PID_LINE].isdigit() else None


def _lock_file_lines(data: Path) -> list[str]:
    try:
        return (data / "postmaster.pid").read_text().splitlines()
    except OSError:
        return []
