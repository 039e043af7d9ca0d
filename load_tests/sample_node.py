"""A node that holds sample records, its worker alone on one core and this process, the generator, on another."""

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
        import_seconds: how long the command took, from its start to its end.
        worker: the process that resolves.
    """

    program: NodeProgram
    file: Path
    import_seconds: float
    worker: int

    @classmethod
    @contextmanager
    def start(cls, records: int, settings: Mapping[str, str] | None = None) -> Iterator[SampleNode]:
        """Start a node with one worker, import `records`, and pin the worker.

        Raises:
            NodeFailed: the node does not start, or refuses the records.
        """
        with NodeProgram.start(settings) as program:
            for manufacturer in MANUFACTURERS:
                program.command("prefix", "add", manufacturer.prefix)
            file = program.data_dir.parent / "records.csv"
            population.write(records, file)
            began_at = perf_counter()
            program.command("import", str(file))
            import_seconds = perf_counter() - began_at
            sleep(SETTLE_SECONDS)
            with processes.one_core_each(program.worker):
                yield cls(program, file, import_seconds, program.worker)
