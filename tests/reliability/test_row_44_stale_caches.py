"""Row 44: after a change was acknowledged, no worker answers the old value later than a second."""

from __future__ import annotations

import asyncio
import time

from handle_protocol.codes import ResponseCode
from handle_protocol.handle import Handle
from handle_protocol.message import Message
from handle_protocol.record import HandleRecord
from registry.database import Database
from registry.records import RecordStore
from tests.builders import text_value
from tests.reliability.claimant import creation, exchange, log_in, modification, stream
from tests.reliability.enterprises import Enterprise, admin_value
from tests.reliability.fleet import Fleet, fleet
from tests.started_node import StartedNode

NAMES = 40
STALE_SECONDS_MAX = 1.0
RARELY_SECONDS_MAX = 3.0
"""One name in forty may meet a moment in which this machine did something else."""

LOOK_AGAIN_SECONDS = 1.0


def record(number: int, name: str) -> HandleRecord:
    return HandleRecord.of(Handle(f"88.118.8/改名-{number:02d}"), (text_value(2000, "名称", name),))


def name_in(answer: Message) -> str | None:
    """Return what an answer calls the product, None = not found."""
    if answer.response_code == ResponseCode.HANDLE_NOT_FOUND:
        return None
    assert answer.response_code == ResponseCode.SUCCESS, answer
    return answer.body.values[0].data.decode()


async def test_a_change_reaches_every_worker_within_a_second(node: StartedNode, register: Database) -> None:
    store = RecordStore(register)
    await store.put([record(number, "旧名称") for number in range(NAMES)])
    delays = []
    async with fleet(node) as clients:
        for number in range(NAMES):
            spelling = record(number, "").handle.spelling
            await clients.wait_until(spelling, lambda answer: name_in(answer) == "旧名称", 10)
            delays.append(await seconds_stale(clients, spelling, "新名称", store.put([record(number, "新名称")])))
        await asyncio.sleep(LOOK_AGAIN_SECONDS)
        for number in range(NAMES):
            answers = await clients.ask(record(number, "").handle.spelling)
            assert set(map(name_in, answers)) == {"新名称"}, "an old value came back"
    assert_short(delays)


async def test_a_deletion_reaches_every_worker_within_a_second(node: StartedNode, register: Database) -> None:
    store = RecordStore(register)
    await store.put([record(number, "旧名称") for number in range(NAMES)])
    delays = []
    async with fleet(node) as clients:
        for number in range(NAMES):
            handle = record(number, "").handle
            await clients.wait_until(handle.spelling, lambda answer: name_in(answer) == "旧名称", 10)
            delays.append(await seconds_stale(clients, handle.spelling, None, store.delete([handle])))
        await asyncio.sleep(LOOK_AGAIN_SECONDS)
        for number in range(NAMES):
            assert set(map(name_in, await clients.ask(record(number, "").handle.spelling))) == {None}
    assert_short(delays)


def assert_short(delays: list[float]) -> None:
    """Check how long the names were stale."""
    ordered = sorted(delays)
    assert ordered[-2] <= STALE_SECONDS_MAX, ordered
    assert ordered[-1] <= RARELY_SECONDS_MAX, ordered


async def seconds_stale(clients: Fleet, spelling: str, fresh: str | None, change) -> float:
    """Make a change while everybody asks; return how long after its acknowledgement the last old answer was asked for.

    From the first round on in which all answers are new, none may be old again.
    """
    changing = asyncio.create_task(change)
    last_old = acknowledged_at = None
    async with asyncio.timeout(RARELY_SECONDS_MAX + 10):
        while True:
            asked_at = time.monotonic()
            answers = await clients.ask(spelling)
            if changing.done():
                await changing
                acknowledged_at = acknowledged_at or time.monotonic()
            if set(map(name_in, answers)) != {fresh}:
                last_old = asked_at
            elif acknowledged_at is not None:
                return max(last_old - acknowledged_at, 0.0) if last_old else 0.0


async def test_a_change_over_the_wire_is_seen_by_every_worker_once_it_is_acknowledged(
    node: StartedNode, enterprise: Enterprise
) -> None:
    """One that does not answer for a moment is not waited for; such a moment may come once."""
    handle = enterprise.handle("改名")
    late = 0
    async with fleet(node) as clients, stream(node) as connection:
        assert (await log_in(connection, enterprise.secret)).response_code == ResponseCode.SUCCESS
        values = admin_value(100, enterprise.secret.identity), text_value(2000, "名称", "旧名称")
        assert (await exchange(connection, creation(handle, *values).message())).response_code == ResponseCode.SUCCESS
        for number in range(NAMES):
            await clients.ask(handle.spelling)
            wish = modification(handle, text_value(2000, "名称", f"名称 {number}"))
            assert (await exchange(connection, wish.message())).response_code == ResponseCode.SUCCESS
            answers = await clients.ask(handle.spelling)
            late += {answer.body.values[-1].data.decode() for answer in answers} != {f"名称 {number}"}
    assert late <= 1
