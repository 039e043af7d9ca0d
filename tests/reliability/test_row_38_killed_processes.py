"""Row 38: kill -9 of anything at any moment loses nothing that was acknowledged, and the node comes back by itself."""

from __future__ import annotations

import asyncio
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGSTOP, Signals

import pytest

from handle_protocol.codes import ResponseCode
from handle_protocol.record import HandleRecord
from load_tests import population
from load_tests.processes import command_line
from node.running import find_running_node
from node.samples.manufacturers import MANUFACTURERS
from registry.database import Database
from registry.records import RecordReader
from tests.reliability.honest import RECORDS, ask, honest_traffic, is_same
from tests.reliability.ledger import Ledger, writing
from tests.reliability.scale import IS_LONG
from tests.started_node import ROOT, StartedNode, lives, until, wait_until

ACKNOWLEDGED_AGAIN_SECONDS = 15.0
CALL_SECONDS_MAX = 3 * 5.0
"""Three times the deadline of a statement that writes."""

REPLACED_SECONDS = 2.0
REPLACED_STARTS = 2.0
"""On a busy machine: as long as it takes right now to start so many such processes, whatever they then do."""

GIVE_UP_SECONDS = 30.0

IMPORTED_ROWS = 200_000 if IS_LONG else 20_000


def kill(pid: int) -> None:
    os.kill(pid, SIGKILL)


def kill_a_worker(node: StartedNode, draw: random.Random) -> None:
    kill(draw.choice(node.workers))


def kill_postgres(node: StartedNode, _draw: random.Random) -> None:
    kill(node.postmaster)


def kill_a_postgres_process(node: StartedNode, draw: random.Random) -> None:
    """Kill what serves a connection: Postgres then throws everybody out and recovers."""
    serving: list[int] = []
    while not serving:
        serving = [pid for pid in node.postgres if "idnode idnode" in _command_line(pid)]
    kill(draw.choice(serving))


def kill_the_supervisor(node: StartedNode, _draw: random.Random) -> None:
    """Kill it, see everything die with it, and start it again as an init system does."""
    workers = node.workers
    kill(node.process.pid)
    node.process.wait(10)
    wait_until(lambda: not any(map(lives, workers)), 10)
    node.launch()


def _command_line(pid: int) -> str:
    try:
        return command_line(pid)
    except OSError:
        return ""


VICTIMS: tuple[Callable[[StartedNode, random.Random], None], ...] = (
    kill_a_worker,
    kill_postgres,
    kill_a_postgres_process,
    kill_the_supervisor,
)


@pytest.mark.timeout(900 if IS_LONG else 240)
async def test_nothing_acknowledged_is_lost_whatever_is_killed(fragile: StartedNode, tmp_path: Path) -> None:
    draw = random.Random(38)  # noqa: S311 - repeatable
    file = tmp_path / "产品.csv"
    population.write(IMPORTED_ROWS, file)
    for manufacturer in MANUFACTURERS:
        added = await asyncio.to_thread(fragile.idnode, "prefix", "add", manufacturer.prefix)
        assert added.returncode == 0 or manufacturer.prefix == "88.118.8", added.stderr
    with fragile.begun("import", str(file), "--json") as importing:
        ledger = await write_while_killing(fragile, draw)
        summary = await asyncio.to_thread(end_of, importing, fragile, file)
    assert ledger.looks >= len(VICTIMS)
    assert ledger.longest_call_seconds <= CALL_SECONDS_MAX
    async with Database.open(fragile.database_url) as database:
        await ledger.check(database)
        stored = [record.handle.spelling async for record in RecordReader(database).walk()]
    imported = [row[0] for row in population.rows(IMPORTED_ROWS)]
    assert len(stored) == len(set(stored))
    assert set(imported) <= set(stored)
    assert summary["failed"] == 0


async def write_while_killing(node: StartedNode, draw: random.Random) -> Ledger:
    """Kill one after the other at random moments; after each the node comes back and takes changes again."""
    async with writing(lambda: url_of(node)) as ledger:
        for victim in VICTIMS * (6 if IS_LONG else 1):
            await wait_for_load(ledger)
            await asyncio.sleep(draw.random())
            killed_at = time.monotonic()
            await asyncio.to_thread(victim, node, draw)
            await asyncio.to_thread(node.wait_until_ready)
            await until(lambda at=killed_at: ledger.seconds_until_acknowledged(at) is not None, 60)
            assert ledger.seconds_until_acknowledged(killed_at) <= ACKNOWLEDGED_AGAIN_SECONDS, victim.__name__
            await wait_for_answer(node, draw.choice(RECORDS))
    return ledger


async def wait_for_answer(node: StartedNode, record: HandleRecord) -> None:
    """Ask until a record is there; until then the node may say "try later", but nothing untrue."""
    async with asyncio.timeout(30):
        while (reply := await ask(node, record.handle, "auto", 10)).response_code != ResponseCode.SUCCESS:
            assert reply.response_code == ResponseCode.SERVER_TOO_BUSY
            await asyncio.sleep(0.05)
    assert is_same(reply.record, record)


def url_of(node: StartedNode) -> str | None:
    running = find_running_node(node.data_dir)
    return running.database_url if running else None


async def wait_for_load(ledger: Ledger) -> None:
    """A kill counts only if there was something to lose."""
    enough = len(ledger.acknowledged_at) + 20
    await until(lambda: len(ledger.acknowledged_at) >= enough, 30)


def end_of(importing: subprocess.Popen[str], node: StartedNode, file: Path) -> dict[str, object]:
    """Wait for the import's end and return its summary; one that lost its node for too long is run again."""
    printed, _ = importing.communicate(timeout=200)
    if importing.returncode == 0:
        return json.loads(printed)
    again = node.idnode("import", str(file), "--json")
    assert again.returncode == 0, again.stderr
    return json.loads(again.stdout)


@pytest.mark.parametrize(("fate", "failure"), [(SIGKILL, ConnectionError), (SIGSTOP, TimeoutError)])
async def test_a_copy_ends_when_its_connection_does(
    fragile: StartedNode, fate: Signals, failure: type[Exception]
) -> None:
    """Regression: the driver waited for ever for room to write on a connection that was gone."""
    async with Database.open(fragile.database_url) as database:
        began_at = time.monotonic()
        with pytest.raises(failure):  # noqa: PT012 - the transaction is part of it
            async with database.transaction() as transaction, asyncio.timeout(20):
                ((pid,),) = await transaction.fetch("select pg_backend_pid()")
                await transaction.execute("create temporary table copied (filling bytea)")
                asyncio.get_running_loop().call_later(1.0, os.kill, pid, fate)
                await transaction.copy("copied", ("filling",), rows_that_nobody_reads(pid), timeout_seconds=3.0)
        assert time.monotonic() - began_at < CALL_SECONDS_MAX
        if fate is SIGSTOP:
            os.kill(pid, SIGCONT)
        await wait_for_database(database)


def rows_that_nobody_reads(pid: int) -> Iterator[tuple[bytes]]:
    """Stop Postgres once the copying has begun: soon there is no room to write."""
    os.kill(pid, SIGSTOP)
    for _ in range(1_000):
        yield (bytes(100_000),)


async def wait_for_database(database: Database) -> None:
    async with asyncio.timeout(30):
        while True:
            with suppress(ConnectionError, TimeoutError):
                await database.fetch("select 1")
                return
            await asyncio.sleep(0.1)


async def test_a_killed_worker_is_replaced_while_the_other_answers(fragile: StartedNode) -> None:
    replaced = []
    async with honest_traffic(fragile, clients=6) as honest:
        for _ in range(3):
            victim = fragile.workers[0]
            kill(victim)
            killed_at = time.monotonic()
            await until(lambda gone=victim: has_replaced(fragile, gone), GIVE_UP_SECONDS)
            replaced.append(time.monotonic() - killed_at)
            await asyncio.sleep(1.0)
    one_start_seconds = await asyncio.to_thread(start_seconds)
    assert min(replaced) <= max(REPLACED_SECONDS, REPLACED_STARTS * one_start_seconds), replaced
    assert honest.asked >= 100
    assert honest.share >= 0.97, honest


def has_replaced(node: StartedNode, gone: int) -> bool:
    workers = node.workers
    return len(workers) == node.workers_count and gone not in workers and node.is_ready()


def start_seconds() -> float:
    """Return how long it takes at this moment to start Python with the code of a worker."""
    began_at = time.monotonic()
    subprocess.run((sys.executable, "-c", "import node.worker"), cwd=ROOT, check=True)
    return time.monotonic() - began_at
