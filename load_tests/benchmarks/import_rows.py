"""`idnode import` from its start to its end, beside a bare COPY of the very rows it stored; both durable, both logged.

The import reads, checks and translates a file, asks for each record what is there already, keeps the primary key and
tells every worker. COPY is given octets that are ready. Held against the goal is the COPY into a table without any
index, the harder one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from load_tests import bare_copy
from load_tests.figures import Line, Spread
from load_tests.rounds import ratio
from load_tests.sample_node import SampleNode

RECORDS_PER_SECOND: Final = 20_000
"""So many records are imported for each second of measuring."""

ROUNDS: Final = 3
GOAL: Final = 0.25


def measure(seconds: float) -> Iterator[Line]:
    """Yield how the import compares with both kinds of table."""
    records = round(RECORDS_PER_SECOND * seconds)
    imported: list[float] = []
    plain: list[float] = []
    keyed: list[float] = []
    with SampleNode.start(records) as node:
        url = node.program.database_url
        rows = bare_copy.run(bare_copy.take_rows(url))
        for _ in range(ROUNDS):
            bare_copy.run(bare_copy.forget_records(url))
            imported.append(records / node.import_file())
            for rates, has_primary_key in ((plain, False), (keyed, True)):
                rates.append(records / bare_copy.run(bare_copy.copy_rows(url, rows, has_primary_key=has_primary_key)))
    figure = f"{Spread.of(imported)} rows/s, {records} rows, {len(rows) // records} octets of COPY each"
    yield Line("import", figure, f"COPY, no index: {Spread.of(plain)} rows/s", ratio(imported, plain), GOAL)
    yield Line("import", "the same", f"COPY, primary key: {Spread.of(keyed)} rows/s", ratio(imported, keyed))
