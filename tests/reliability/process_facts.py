"""What the kernel says about the node's processes: memory and open files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from load_tests.processes import resident_octets
from tests.started_node import StartedNode, wait_until

MEBIBYTE = 2**20
BACK_SECONDS = 20.0
RELAY_ENDS = 8
"""Two workers keep connections to each other, one for each relay and direction, once there was something to ask."""


@dataclass(frozen=True)
class Facts:
    """What the workers hold.

    Attributes:
        files: open files and sockets of all workers together.
    """

    node: StartedNode
    workers: list[int]
    memory_octets: int
    files: int

    @classmethod
    def of(cls, node: StartedNode) -> Facts:
        """Look at the workers of a node."""
        workers = node.workers
        return cls(node, workers, sum(map(resident_octets, workers)), open_files(workers))

    def grown_octets(self) -> int:
        """Return how much more memory the same workers hold now."""
        return sum(map(resident_octets, self.workers)) - self.memory_octets

    def wait_for_files(self, spare: int = 4 + RELAY_ENDS, seconds: float = BACK_SECONDS) -> None:
        """Wait until about as many files are open as were; connections to Postgres may come and go."""
        wait_until(
            lambda: open_files(self.workers) <= self.files + spare,
            seconds,
            lambda: f"{self.files} files were open, now {open_files(self.workers)}",
        )


def open_files(pids: list[int]) -> int:
    """Return how many files and sockets some processes have open."""
    return sum(len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in pids)
