"""Any number of records in the shape of the sample products: `python -m load_tests.population 1000000 FILE`.

The file is CSV, or NDJSON in Handle.Net's JSON when its name ends in .ndjson. The same number gives the same octets.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final, TextIO

from node.samples.manufacturers import MANUFACTURERS
from node.samples.product import HEADER

_URL: Final = 1


def rows(count: int) -> Iterator[tuple[str, ...]]:
    """Yield the cells of `count` products, the manufacturers in turn; handles end in a serial number of 9 digits."""
    catalogue = [
        product.row(manufacturer.prefix, manufacturer.site)
        for manufacturer in MANUFACTURERS
        for product in manufacturer.products()
    ]
    for number in range(count):
        handle, url, *others = catalogue[number * 7 % len(catalogue)]
        yield f"{handle}.{number:09d}", f"{url}.{number:09d}", *others


def handle(number: int) -> str:
    """Return the handle of the row with this number, the first being 0."""
    return next(islice(rows(number + 1), number, None))[0]


def write(count: int, path: Path) -> None:
    """Write a file of `count` records."""
    with path.open("w", encoding="utf-8", newline="") as file:
        if path.suffix == ".ndjson":
            _write_ndjson(count, file)
        else:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(HEADER)
            writer.writerows(rows(count))


def _write_ndjson(count: int, file: TextIO) -> None:
    columns = [name.partition(":") for name in HEADER[_URL:]]
    places = [(int(index), value_type) if colon else (1, index.upper()) for index, colon, value_type in columns]
    for handle_cell, *cells in rows(count):
        values = [
            {"index": index, "type": value_type, "data": {"format": "string", "value": cell}, "ttl": 86400}
            for (index, value_type), cell in zip(places, cells, strict=True)
        ]
        record = {"handle": handle_cell, "values": values}
        file.write(json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    write(int(sys.argv[1]), Path(sys.argv[2]))
