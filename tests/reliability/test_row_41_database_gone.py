"""Row 41: without Postgres, known handles are answered, others hear "try later", nobody hears "not found"."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from signal import SIGCONT, SIGKILL, SIGSTOP

import pytest
import pytest_asyncio

from handle_protocol.codes import ResponseCode
from handle_protocol.flags import OpFlag
from handle_protocol.handle import Handle
from handle_protocol.record import HandleRecord
from registry.database import Database
from registry.records import RecordReader, RecordStore
from tests.builders import text_value
from tests.reliability.fleet import Fleet, fleet
from tests.reliability.honest import RECORDS, ask, is_same
from tests.reliability.scale import IS_LONG
from tests.started_node import StartedNode

HOT = RECORDS[:20]
COLD = tuple(
    HandleRecord.of(Handle(f"88.118.8/冷门-{number:04d}"), (text_value(2000, "名称", "冷门产品"),))
    for number in range(2_000)
)
"""Records that are there, and that nobody has asked for yet: each question takes the next one."""

OUTAGE_SECONDS = 70.0 if IS_LONG else 6.0
"""A minute after the last word of the change feed, memory is no longer believed but only shown."""

TRY_LATER_SECONDS = 4.0
WRITE_REFUSED_SECONDS = 5.0
SPARE_SECONDS = 2.0
"""For a machine that is busy with something else."""

RECOVERY_SECONDS = 10.0

_cold = iter(COLD)


@pytest_asyncio.fixture(scope="module", autouse=True)
async def cold_records(fragile: StartedNode) -> None:
    async with Database.open(fragile.database_url) as database:
        await RecordStore(database).put(COLD)


@pytest_asyncio.fixture
async def clients(fragile: StartedNode) -> AsyncIterator[Fleet]:
    """Clients of every worker, each of which knows the hot records."""
    async with fleet(fragile) as clients:
        for record in HOT:
            await clients.wait_until(
                record.handle.spelling, lambda answer: answer.response_code == ResponseCode.SUCCESS, 20
            )
        yield clients


@contextmanager
def frozen(node: StartedNode) -> Iterator[None]:
    """Stop all processes of Postgres where they stand: connections stay open, and nothing answers."""
    stopped = node.postgres
    for pid in stopped:
        with suppress(ProcessLookupError):
            os.kill(pid, SIGSTOP)
    try:
        yield
    finally:
        for pid in stopped:
            with suppress(ProcessLookupError):
                os.kill(pid, SIGCONT)


@dataclass
class Outage:
    """What was answered while Postgres was gone."""

    hot_codes: list[int] = field(default_factory=list)
    is_hot_authoritative: list[bool] = field(default_factory=list)
    cold_codes: set[int] = field(default_factory=set)
    slowest_cold_seconds: float = 0.0


async def ask_meanwhile(node: StartedNode, clients: Fleet, seconds: float) -> Outage:
    """Ask for known and unknown names for some seconds."""
    outage = Outage()
    over_at = time.monotonic() + seconds

    async def ask_hot() -> None:
        for number in count():
            record = HOT[number % len(HOT)]
            for answer in await clients.ask(record.handle.spelling):
                outage.hot_codes.append(answer.response_code)
                outage.is_hot_authoritative.append(answer.has_flag(OpFlag.AUTHORITATIVE))
                assert is_same(answer.body, record)
            if time.monotonic() > over_at:
                return
            await asyncio.sleep(0.02)

    async def ask_cold(protocol) -> None:
        for number in count():
            handle = next(_cold).handle if number % 2 else Handle(f"88.118.8/没有-{time.monotonic_ns()}")
            began_at = time.monotonic()
            # Over UDP the answer "try later" may come to the second or third question: the first waits for Postgres.
            reply = await ask(node, handle, protocol, 15)
            outage.slowest_cold_seconds = max(outage.slowest_cold_seconds, time.monotonic() - began_at)
            outage.cold_codes.add(reply.response_code)
            if time.monotonic() > over_at:
                return
            await asyncio.sleep(0.1)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(ask_hot())
        for protocol in ("tcp", "http"):
            tasks.create_task(ask_cold(protocol))
    return outage


async def wait_for_recovery(node: StartedNode) -> None:
    """Wait until records that nobody knows are found again, over every door and by every worker."""
    async with asyncio.timeout(RECOVERY_SECONDS + SPARE_SECONDS):
        for protocol in ("tcp", "http", "udp", "tcp", "tcp", "tcp"):
            while True:
                record = next(_cold)
                with suppress(TimeoutError):
                    reply = await ask(node, record.handle, protocol, 5)
                    assert reply.response_code in {ResponseCode.SUCCESS, ResponseCode.SERVER_TOO_BUSY}
                    if reply.response_code == ResponseCode.SUCCESS:
                        break
                await asyncio.sleep(0.05)


async def test_while_postgres_stands_still(fragile: StartedNode, clients: Fleet) -> None:
    with frozen(fragile):
        outage = await ask_meanwhile(fragile, clients, OUTAGE_SECONDS)
    await wait_for_recovery(fragile)
    assert set(outage.hot_codes) == {ResponseCode.SUCCESS}
    assert len(outage.hot_codes) >= 500
    assert outage.cold_codes == {ResponseCode.SERVER_TOO_BUSY}
    assert outage.slowest_cold_seconds <= TRY_LATER_SECONDS + SPARE_SECONDS
    if IS_LONG:
        assert not any(outage.is_hot_authoritative[-len(HOT) :])


async def test_while_postgres_is_killed_again_and_again(fragile: StartedNode, clients: Fleet) -> None:
    asking = asyncio.create_task(ask_meanwhile(fragile, clients, OUTAGE_SECONDS))
    for _ in range(3):
        await asyncio.sleep(0.5)
        with suppress(OSError):  # It may not be back yet.
            os.kill(fragile.postmaster, SIGKILL)
    outage = await asking
    await wait_for_recovery(fragile)
    assert set(outage.hot_codes) == {ResponseCode.SUCCESS}
    assert outage.cold_codes >= {ResponseCode.SERVER_TOO_BUSY}
    # Between two kills it may be there for a moment, and what is not found then is told by the register itself.
    assert outage.cold_codes <= {ResponseCode.SERVER_TOO_BUSY, ResponseCode.SUCCESS, ResponseCode.HANDLE_NOT_FOUND}
    assert outage.slowest_cold_seconds <= TRY_LATER_SECONDS + SPARE_SECONDS


async def test_writes_are_refused_and_none_is_acknowledged(fragile: StartedNode) -> None:
    record = HandleRecord.of(Handle("88.118.8/停电时"), (text_value(2000, "名称", "停电时写入"),))
    async with Database.open(fragile.database_url) as database:
        with frozen(fragile):
            for _ in range(2):  # On the open connection, then on a new one.
                began_at = time.monotonic()
                with pytest.raises((ConnectionError, TimeoutError)):
                    await RecordStore(database).put([record])
                assert time.monotonic() - began_at <= WRITE_REFUSED_SECONDS + SPARE_SECONDS
            command = await asyncio.to_thread(
                fragile.idnode, "register", "88.118.8/停电时", "--value", "2000:名称=命令"
            )
        assert command.returncode == 1
        assert len(command.stderr.splitlines()) == 2, command.stderr
        async with asyncio.timeout(RECOVERY_SECONDS):
            while True:
                with suppress(ConnectionError, TimeoutError):
                    await RecordStore(database).put([record])
                    break
        (stored,) = (await RecordReader(database).fetch([record.handle.key()])).values()
        assert is_same(stored, record)
