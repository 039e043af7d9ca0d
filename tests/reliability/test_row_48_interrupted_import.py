"""Row 48: an import that is killed and run again stores every row once, and so does the same file twice."""

from __future__ import annotations

import asyncio
import csv
import json
import os
import random
import re
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from handle_protocol.handle import Prefix
from load_tests import population
from load_tests.processes import descendants
from node.samples.product import HEADER
from registry.database import Database
from registry.records import RecordReader, key_range
from tests.reliability.scale import IS_LONG
from tests.started_node import ROOT, StartedNode, lives, wait_until
from tests.terminals import open_terminal

PREFIX = "88.118.48"
ROWS = 100_000 if IS_LONG else 50_000
KILLS = 8 if IS_LONG else 3
IMPORT_SECONDS = 100.0
READ_SECONDS = 0.02


def rows() -> Iterator[tuple[str, ...]]:
    """Yield the cells of the file, below a prefix of its own."""
    for handle, *cells in population.rows(ROWS):
        yield f"{PREFIX}/{handle.partition('/')[2]}", *cells


@pytest.fixture(scope="module")
def file(node: StartedNode, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of products, and the prefix that they need."""
    added = node.idnode("prefix", "add", PREFIX, "--enterprise", "盐城阀门有限公司（示例）")
    assert added.returncode == 0, added.stderr
    path = tmp_path_factory.mktemp("import") / "产品.csv"
    with path.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.writer(opened, lineterminator="\n")
        writer.writerow(HEADER)
        writer.writerows(rows())
    return path


async def test_killed_again_and_again_and_then_run_to_its_end(
    node: StartedNode, register: Database, file: Path
) -> None:
    draw = random.Random(48)  # noqa: S311 - repeatable
    stored = reported_most = 0
    for kill in range(KILLS):
        threshold = draw.randrange(ROWS * kill // KILLS // 2, ROWS * (kill + 1) // KILLS // 2)
        reported = await asyncio.to_thread(import_until_killed, node, file, threshold)
        reported_most = max(reported_most, reported)
        before, stored = stored, await count(register)
        assert stored >= max(before, reported), f"{reported} rows were reported as stored, {stored} are there"
    assert 0 < reported_most <= stored < ROWS, "no run was killed in the middle"

    summary = await asyncio.to_thread(import_whole, node, file)
    assert (summary["rows"], summary["created"], summary["same"]) == (ROWS, ROWS - stored, stored)
    await check_every_row_once(register)

    summary = await asyncio.to_thread(import_whole, node, file)
    assert (summary["rows"], summary["same"]) == (ROWS, ROWS)
    assert await count(register) == ROWS


async def count(register: Database) -> int:
    """Return how many records of the file are there."""
    query = "select count(*) from record where key > $1 and key < $2 and value_list is not null"
    ((number,),) = await register.fetch(query, *key_range(Prefix.parse(PREFIX)))
    return number


async def check_every_row_once(register: Database) -> None:
    expected = {handle: [cell for cell in cells if cell] for handle, *cells in rows()}
    found = 0
    async for record in RecordReader(register).walk(Prefix.parse(PREFIX)):
        found += 1
        assert [value.data.decode() for value in record.values] == expected[record.handle.spelling]
    assert found == ROWS


def import_whole(node: StartedNode, file: Path) -> dict[str, int]:
    """Import the file to its end and return the summary."""
    done = node.idnode("import", str(file), "--json", seconds=IMPORT_SECONDS)
    assert done.returncode == 0, done.stderr
    summary: dict[str, int] = json.loads(done.stdout)
    return summary


def import_until_killed(node: StartedNode, file: Path, threshold: int) -> int:
    """Import the file at a terminal, kill the command once it reports so many rows; return how many it reported."""
    ours, its_own = open_terminal()
    try:
        command = subprocess.Popen(
            (sys.executable, "-m", "node", "import", str(file), "--data-dir", str(node.data_dir)),
            cwd=ROOT,
            env=node.environment
            | {"IDNODE_IMPORT_BATCH_ROWS": "2000", "LC_ALL": "C.UTF-8", "TERM": "xterm", "COLUMNS": "120"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=its_own,
        )
        os.close(its_own)
        reported = watch(command, ours, threshold)
        children = descendants(command.pid)
        command.kill()
        command.wait(10)
        wait_until(lambda: not any(map(lives, children)), 10)
        return max(reported, last_report(read_rest(ours)))
    finally:
        os.close(ours)


def watch(command: subprocess.Popen[bytes], terminal: int, threshold: int) -> int:
    """Read what the command shows until it reports more rows than the threshold, or has ended."""
    shown = b""
    deadline = time.monotonic() + IMPORT_SECONDS
    while last_report(shown) <= threshold and command.poll() is None:
        assert time.monotonic() < deadline
        shown += read_rest(terminal)
    return last_report(shown)


def read_rest(terminal: int) -> bytes:
    """Return what a terminal shows now."""
    shown = b""
    while select.select([terminal], [], [], READ_SECONDS)[0]:
        try:
            shown += os.read(terminal, 65_536)
        except OSError:  # Whoever wrote to it is gone.
            break
    return shown


def last_report(shown: bytes) -> int:
    """Return how many rows the progress bar says are stored, 0 = it says nothing yet."""
    reports = re.findall(rb"(\d+) rows", shown)
    return int(reports[-1]) if reports else 0
