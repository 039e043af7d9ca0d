"""Row 38 for changes over the wire: what a client was told is done stays done, whatever is killed, and none is lost."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from signal import SIGCONT, SIGKILL, SIGSTOP

import pytest

from handle_protocol.codes import ResponseCode
from handle_protocol.handle import Handle
from registry.database import Database
from registry.records import RecordReader
from tests.builders import text_value
from tests.reliability.claimant import Wish, addition, ask_as, creation, deletion, exchange, log_in, stream, streams
from tests.reliability.conftest import settle
from tests.reliability.enterprises import Enterprise, admin_value
from tests.reliability.octets_client import Stream
from tests.reliability.scale import IS_LONG
from tests.started_node import StartedNode, until

CLIENTS = 8
ADDITIONS = 100 if IS_LONG else 20
ROUNDS = 4 if IS_LONG else 1

CALL_SECONDS_MAX = 3 * 5.0
"""Three times the deadline of a statement that writes."""

ACKNOWLEDGED_AGAIN_SECONDS = 15.0
FROZEN_SECONDS = 8.0


@dataclass
class Client:
    """One that makes and deletes records, over one connection after the other, and notes what it is told.

    Attributes:
        is_there: what each record is by the last answer; None = it was not told, or to come again later.
        acknowledged_at: when, in seconds of the monotonic clock.
        surprises: answers that nobody may get.
    """

    enterprise: Enterprise
    place: int
    is_there: dict[Handle, bool | None] = field(default_factory=dict)
    acknowledged_at: list[float] = field(default_factory=list)
    surprises: list[int] = field(default_factory=list)
    longest_call_seconds: float = 0.0

    async def work(self, node: StartedNode, is_over: asyncio.Event) -> None:
        """Change, and connect again whenever a connection is lost."""
        numbers = count()
        while not is_over.is_set():
            try:
                async with stream(node) as connection:
                    while not is_over.is_set():
                        await self.change(connection, next(numbers))
            except (OSError, EOFError):
                await asyncio.sleep(0.05)

    async def change(self, connection: Stream, number: int) -> None:
        """Make a record; every second one is deleted again."""
        handle = self.enterprise.handle(f"{self.place}-{number}-件")
        values = text_value(1, "URL", "https://example.cn/"), admin_value(100, self.enterprise.secret.identity)
        await self.note(connection, handle, creation(handle, *values), makes=True)
        if number % 2 and self.is_there[handle]:
            await self.note(connection, handle, deletion(handle), makes=False)

    async def note(self, connection: Stream, handle: Handle, wish: Wish, *, makes: bool) -> None:
        """Ask for a change, and note what became of it."""
        self.is_there[handle] = None
        began_at = time.monotonic()
        try:
            async with asyncio.timeout(2 * CALL_SECONDS_MAX):
                code = (await ask_as(connection, wish, self.enterprise.secret)).response_code
        finally:
            self.longest_call_seconds = max(self.longest_call_seconds, time.monotonic() - began_at)
        if code == ResponseCode.SUCCESS:
            self.is_there[handle] = makes
            self.acknowledged_at.append(time.monotonic())
        elif code == ResponseCode.SERVER_TOO_BUSY:
            await asyncio.sleep(0.05)
        else:
            self.surprises.append(code)


@asynccontextmanager
async def working(node: StartedNode, clients: list[Client]) -> AsyncIterator[None]:
    """Let clients work until the block is left."""
    is_over = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        for client in clients:
            tasks.create_task(client.work(node, is_over))
        try:
            yield
        finally:
            is_over.set()


async def kill_a_worker(node: StartedNode) -> None:
    os.kill(node.workers[0], SIGKILL)


async def kill_postgres(node: StartedNode) -> None:
    os.kill(node.postmaster, SIGKILL)


async def freeze_postgres(node: StartedNode) -> None:
    """Stop everything that serves connections, for longer than any statement may take."""
    frozen = node.postgres
    for pid in frozen:
        os.kill(pid, SIGSTOP)
    await asyncio.sleep(FROZEN_SECONDS)
    for pid in frozen:
        os.kill(pid, SIGCONT)


@pytest.mark.timeout(600 if IS_LONG else 150)
async def test_nothing_that_a_client_was_told_is_lost_or_undone(fragile: StartedNode) -> None:
    enterprise = await settle(fragile, Enterprise.of("88.118.38"))
    clients = [Client(enterprise, place) for place in range(CLIENTS)]
    async with working(fragile, clients):
        for harm in (kill_a_worker, kill_postgres, freeze_postgres) * ROUNDS:
            enough = acknowledged(clients) + 50
            await until(lambda least=enough: acknowledged(clients) >= least, 30)
            await harm(fragile)
            harmed_at = time.monotonic()
            await until(
                lambda since=harmed_at: any(client.acknowledged_at[-1] > since for client in clients),
                ACKNOWLEDGED_AGAIN_SECONDS,
            )
            await asyncio.to_thread(fragile.wait_until_ready)
    assert [client.surprises for client in clients] == [[]] * CLIENTS
    assert max(client.longest_call_seconds for client in clients) <= CALL_SECONDS_MAX
    told = {handle: is_there for client in clients for handle, is_there in client.is_there.items()}
    stored = await stored_below(fragile, enterprise)
    assert {handle for handle, is_there in told.items() if is_there} <= stored
    assert {handle for handle, is_there in told.items() if is_there is False} & stored == set()


def acknowledged(clients: list[Client]) -> int:
    return sum(len(client.acknowledged_at) for client in clients)


async def stored_below(node: StartedNode, enterprise: Enterprise) -> set[Handle]:
    async with Database.open(node.database_url) as database:
        return {record.handle async for record in RecordReader(database).walk(enterprise.prefix)}


async def test_clients_of_both_workers_never_lose_each_others_changes_of_one_record(node, enterprise, register) -> None:
    handle = enterprise.handle("水泵")

    async def add(connection: Stream, place: int) -> list[int]:
        """Add values one by one, as somebody who has logged in."""
        assert (await log_in(connection, enterprise.secret)).response_code == ResponseCode.SUCCESS
        indexes = range(1_000 + place * ADDITIONS, 1_000 + (place + 1) * ADDITIONS)
        wishes = [addition(handle, text_value(index, "检验", f"第 {index} 次")) for index in indexes]
        return [(await exchange(connection, wish.message())).response_code for wish in wishes]

    async with streams(node, CLIENTS) as connections:
        codes = await asyncio.gather(*(add(connection, place) for place, connection in enumerate(connections)))
    assert {code for each in codes for code in each} == {ResponseCode.SUCCESS}
    [record] = (await RecordReader(register).fetch([handle.key()])).values()
    assert {value.index for value in record.values if value.value_type == "检验"} == set(
        range(1_000, 1_000 + CLIENTS * ADDITIONS)
    )
