"""A node that holds sample records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, sleep
from typing import Final

from load_tests import population, processes
from load_tests.node_program import NodeProgram
from node.samples.manufacturers import MANUFACTURERS

SETTLE_SECONDS: Final = 1.5
"""A worker hears of changes within a second."""


@dataclass(frozen=True, slots=True)
class SampleNode:
    """A node with sample records.

    Attributes:
        file: the records, as they were imported.
        worker: the process that resolves.
        import_seconds: how long their import took, from the start of the command to its end.
    """

    program: NodeProgram
    file: Path
    worker: int
    import_seconds: float

    @classmethod
    @contextmanager
    def start(cls, records: int, settings: Mapping[str, str] | None = None) -> Iterator[SampleNode]:
        """Start a node with one worker and import `records`.

        Raises:
            NodeFailed: the node does not start, or refuses the records.
        """
        with NodeProgram.start(settings) as program:
            for manufacturer in MANUFACTURERS:
                program.command("prefix", "add", manufacturer.prefix)
            file = program.data_dir.parent / "records.csv"
            population.write(records, file)
            import_seconds = _import(program, file)
            sleep(SETTLE_SECONDS)
            yield cls(program, file, program.worker, import_seconds)

    def import_file(self) -> float:
        """Import the records once more and return how many seconds that took."""
        return _import(self.program, self.file)

    @contextmanager
    def one_core_each(self) -> Iterator[None]:
        """Let the worker run on one core and this process, the generator, on another."""
        with processes.one_core_each(self.worker):
            yield


def _import(program: NodeProgram, file: Path) -> float:
    began_at = perf_counter()
    program.command("import", str(file))
    return perf_counter() - began_at
