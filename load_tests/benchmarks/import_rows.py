"""`idnode import` from its start to its end, beside a bare COPY of the very rows it stored; both durable, both logged.

The import reads, checks and translates a file, asks for each record what is there already, keeps the primary key and
tells every worker. COPY is given octets that are ready. Processor time is that of everybody who takes part: command,
Postgres, workers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage
from typing import Final

from load_tests import bare_postgres, processes
from load_tests.figures import MICRO, Line, Round, described
from load_tests.rounds import ratio
from load_tests.sample_node import SampleNode

RECORDS_PER_SECOND: Final = 50_000
"""So many records are imported for each second of measuring."""

ROUNDS: Final = 3
GOAL: Final = 0.25
"""Of the rate of a COPY into a table with the primary key that the register has, too."""


def measure(seconds: float) -> Iterator[Line]:
    """Yield how the import compares with a COPY into a table with, and one without a primary key."""
    records = round(RECORDS_PER_SECOND * seconds)
    with SampleNode.start(records) as node:
        url = node.program.database_url
        rows = bare_postgres.run(bare_postgres.take_rows(url))
        candidates: list[Callable[[], float]] = [
            node.import_file,
            lambda: bare_postgres.run(bare_postgres.copy_rows(url, rows, has_primary_key=True)),
            lambda: bare_postgres.run(bare_postgres.copy_rows(url, rows, has_primary_key=False)),
        ]
        rounds: list[list[Round]] = [[] for _ in candidates]
        for _ in range(ROUNDS):
            bare_postgres.run(bare_postgres.forget_records(url))
            for candidate, measured in zip(candidates, rounds, strict=True):
                measured.append(_timed(candidate, records, partial(processes.tree_cpu_seconds, node.program.pid)))
    imported, keyed, plain = rounds
    figure = f"{described(imported)}, {records} rows of {len(rows) // records} octets"
    for name, copied, goal in (("with", keyed, GOAL), ("without", plain, None)):
        rates = ratio((each.per_second for each in imported), (each.per_second for each in copied))
        yield Line("import", figure, f"COPY {name} primary key {described(copied)}", rates, goal)


def _timed(work: Callable[[], float], rows: int, node_cpu_seconds: Callable[[], float]) -> Round:
    before = node_cpu_seconds() + _own_cpu_seconds()
    seconds = work()
    used = node_cpu_seconds() + _own_cpu_seconds() - before
    return Round(rows / seconds, used / rows * MICRO)


def _own_cpu_seconds() -> float:
    """Return the processor time of this process and of the commands that it has started."""
    usages = (getrusage(RUSAGE_SELF), getrusage(RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)
