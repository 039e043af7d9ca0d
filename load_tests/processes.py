"""Processes as the kernel sees them: where they run, what they take of processor and memory, who their children are."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

NANO: Final = 1e-9

CORES: Final = sorted(os.sched_getaffinity(0))


def server_core() -> int:
    """Return where servers under measurement run; the generator has the first core, alone if there are two."""
    return CORES[-1]


@contextmanager
def one_core_each(server: int) -> Iterator[None]:
    """Let `server` run on its core and this process on another, until the block is left."""
    pin(server, server_core())
    pin(0, CORES[0])
    try:
        yield
    finally:
        os.sched_setaffinity(0, CORES)


def pin(pid: int, core: int) -> None:
    """Let all threads of a process (0 = this one) run on one core alone."""
    for thread in Path(f"/proc/{pid or 'self'}/task").iterdir():
        os.sched_setaffinity(int(thread.name), {core})


def cpu_seconds(pids: Iterable[int]) -> float:
    """Return the processor time that some processes have used, all threads together (proc(5), schedstat)."""
    stats = (path for pid in pids for path in Path(f"/proc/{pid}/task").glob("*/schedstat"))
    return sum(int(path.read_text().split()[0]) for path in stats) * NANO


def tree_cpu_seconds(pid: int) -> float:
    """Return the processor time of a process and all below it, dead ones too (proc(5), fields 14 to 17 of stat)."""
    stats = (Path(f"/proc/{each}/stat") for each in (pid, *descendants(pid)))
    return sum(map(_ticks, stats)) / os.sysconf("SC_CLK_TCK")


def _ticks(stat: Path) -> int:
    try:
        return sum(map(int, stat.read_text().rpartition(")")[2].split()[11:15]))
    except (FileNotFoundError, ProcessLookupError):
        return 0  # It has just ended, and its parent has its time.


def resident_octets(pid: int) -> int:
    """Return how much memory a process holds (VmRSS)."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:"))


def command_line(pid: int) -> str:
    """Return how a process was started, or as what it describes itself; nothing when it has just ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(errors="replace").replace("\0", " ").strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def descendants(pid: int) -> list[int]:
    """Return the processes below a process, nearest first."""
    children: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(path.read_text().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue  # It has just ended.
        children.setdefault(parent, []).append(int(path.parent.name))
    found = list(children.get(pid, ()))
    for child in found:
        found += children.get(child, ())
    return found
