"""`python -m load_tests.bench [name …] [--seconds N] [--json]`: measures a node and holds it against its goals.

Without names every benchmark but the long ones runs. The exit status is 1 when a goal is missed.
"""

from __future__ import annotations

import argparse
import importlib
import json
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

BENCHMARKS: Final = {
    "udp_cached": "answers from memory over UDP, beside a uvloop echo",
    "udp_uncached": "answers from Postgres over UDP, each handle asked once",
    "import_rows": "idnode import, beside a bare COPY of the same rows",
    "tcp_pipelined": "answers from memory over TCP, 32 questions under way on each connection",
    "creates": "records created over one connection, durably, beside bare commits",
    "http_json": "answers from memory as JSON over HTTP",
    "million": "a million records: imported, resolved at random, and what they take of a worker's memory",
}
"""Modules of load_tests.benchmarks, each with a function `measure(seconds)` that yields lines."""

LONG: Final = frozenset({"million"})
"""These run for minutes, and only when they are named."""

SECONDS: Final = 10.0


def main() -> int:
    """Run the benchmarks that the command line names."""
    parser = _parser()
    options = parser.parse_args()
    if unknown := set(options.names) - set(BENCHMARKS):
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    names = options.names or [name for name in BENCHMARKS if name not in LONG]
    lines = []
    if not options.json:
        print(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {machine()}")
    for name in names:
        for line in importlib.import_module(f"load_tests.benchmarks.{name}").measure(options.seconds):
            lines.append(line)
            if not options.json:
                print(line, flush=True)
    if options.json:
        print(json.dumps({"machine": machine(), "lines": [line.as_dict() for line in lines]}, ensure_ascii=False))
    return 0 if all(line.is_met for line in lines) else 1


def machine() -> str:
    """Say on what was measured."""
    models = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    load = Path("/proc/loadavg").read_text().split()[0]
    model = models[0].partition(": ")[2] if models else platform.machine()
    return f"{len(models)} × {model}, Linux {platform.release()}, Python {platform.python_version()}, load {load}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m load_tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=", ".join(BENCHMARKS))
    parser.add_argument("--seconds", type=float, default=SECONDS, help="measuring time of each candidate, default 10")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    return parser


if __name__ == "__main__":
    sys.exit(main())
