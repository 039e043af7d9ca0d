"""Row 24: the drill for a stolen key, by the operator's commands: the prefix is suspended within 5 s on every worker,
what the key changed is listed and taken back, the key is revoked, and the enterprise goes on as it was before."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest_asyncio

from handle_protocol.bodies.resolution import ResolutionRequest
from handle_protocol.codes import OpCode, ResponseCode
from handle_protocol.handle import Handle
from handle_protocol.record import HandleRecord
from handle_protocol.value import HandleValue
from registry.database import Database
from registry.records import RecordReader
from tests.builders import text_value
from tests.reliability.claimant import (
    Wish,
    addition,
    ask_as,
    creation,
    deletion,
    exchange,
    log_in,
    modification,
    reading,
    stream,
    streams,
)
from tests.reliability.conftest import settle
from tests.reliability.enterprises import Enterprise, PrivateKey, SecretKey, admin_value
from tests.reliability.fleet import CLIENTS, Fleet, fleet
from tests.reliability.octets_client import Stream, connect
from tests.started_node import StartedNode

OWNER = Enterprise.of("88.118.24")
STOLEN = OWNER.signing
SOURCE = "127.24.0.1"

SUSPENDED_SECONDS_MAX = 5.0
STOPPED_SECONDS_MAX = 1.0

PUMP, VALVE, MOTOR, NEW, SHARED = (OWNER.handle(name) for name in ("水泵", "阀门", "电机", "后门", "减速机"))
PREFIX_HANDLE = OWNER.prefix.handle
CONFIDENTIAL_INDEX, BACK_DOOR_INDEX = 6, 300
BACK_DOOR = admin_value(200, STOLEN.identity)


def moved(number: int) -> HandleValue:
    return text_value(1, "URL", f"https://evil.example.cn/{number}")


MISDEEDS: Sequence[tuple[Handle, Wish]] = (
    (PUMP, modification(PUMP, moved(1))),
    (PUMP, modification(PUMP, moved(2))),
    (VALVE, deletion(VALVE)),
    (MOTOR, addition(MOTOR, BACK_DOOR, text_value(7, "备注", "已篡改"))),
    (NEW, creation(NEW, HandleValue(BACK_DOOR_INDEX, "HS_SECKEY", b"\1"), admin_value(100, STOLEN.identity))),
    (SHARED, modification(SHARED, moved(3))),
    (PREFIX_HANDLE, modification(PREFIX_HANDLE, SecretKey(OWNER.secret.identity, "换锁".encode()).value())),
)
"""What the thief does; the last locks the owner out."""

REPAIR = text_value(1, "URL", "https://example.cn/已由所有者修正")


@dataclass(frozen=True)
class Theft:
    """What has happened when the drill begins.

    Attributes:
        before: what was stored under each handle; None = nothing.
        since: from when on the thief was at work.
        connections: on which the thief is logged in, with every worker.
    """

    before: dict[Handle, HandleRecord | None]
    since: str
    connections: list[Stream]


@pytest_asyncio.fixture(loop_scope="session")
async def theft(node: StartedNode, register: Database) -> AsyncIterator[Theft]:
    """The owner works with both keys; then one is stolen, and used."""
    await settle(node, OWNER, *(OWNER.product(each.suffix) for each in (PUMP, VALVE, MOTOR, SHARED)))
    async with AsyncExitStack() as stack:
        connections = [await connect(node.address, SOURCE) for _ in range(CLIENTS)]
        for each in connections:
            stack.callback(each.socket.close)
            assert (await log_in(each, STOLEN)).response_code == ResponseCode.SUCCESS
        await do(connections, [addition(PUMP, text_value(8, "额定功率", "2.2 kW"))])
        before = await stored(register)
        since = await next_second()
        await do(connections, [wish for _, wish in MISDEEDS[:-1]])
        async with stream(node, SOURCE) as owners:
            repaired = await ask_as(owners, modification(SHARED, REPAIR), OWNER.secret)
            assert repaired.response_code == ResponseCode.SUCCESS
        await do(connections, [MISDEEDS[-1][1]])
        yield Theft(before, since, connections)


async def do(connections: Sequence[Stream], wishes: Sequence[Wish]) -> None:
    for connection, wish in zip(connections, wishes, strict=False):
        assert (await exchange(connection, wish.message())).response_code == ResponseCode.SUCCESS


async def stored(register: Database) -> dict[Handle, HandleRecord | None]:
    """Return what is stored under every handle of this story, stamps included, revisions not."""
    handles = (PUMP, VALVE, MOTOR, NEW, SHARED, PREFIX_HANDLE)
    found = await RecordReader(register).fetch([handle.key() for handle in handles])
    return {handle: _without_revision(found.get(handle.key())) for handle in handles}


def _without_revision(record: HandleRecord | None) -> HandleRecord | None:
    return None if record is None else HandleRecord(record.handle, record.value_list)


async def next_second() -> str:
    """Wait for the next second to begin, as commands tell time, and return it."""
    await asyncio.sleep(1 - time.time() % 1)
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S%z")


async def command(node: StartedNode, *words: str, status: int = 0) -> str:
    """Run a command of the operator, and return what it prints."""
    done = await asyncio.to_thread(node.idnode, *words)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout


async def history(node: StartedNode, since: str, *words: str, status: int = 0) -> list[dict[str, object]]:
    """Return what `idnode history` says about the stolen key."""
    by = ("history", "--by", str(STOLEN.identity), "--since", since, "--json")
    return [json.loads(line) for line in (await command(node, *by, *words, status=status)).splitlines()]


async def codes_of(connections: Sequence[Stream], wish: Wish) -> set[int]:
    """Ask through all connections, and return how that ended."""
    answers = await asyncio.gather(*(exchange(each, wish.message()) for each in connections))
    return {answer.response_code for answer in answers}


async def test_the_drill_for_a_stolen_key(node: StartedNode, register: Database, theft: Theft) -> None:
    await suspend(node, theft)
    listed = await history(node, theft.since)
    assert [row["handle"] for row in listed] == [handle.spelling for handle, _ in MISDEEDS]
    assert [row["wasThere"] for row in listed] == [handle is not NEW for handle, _ in MISDEEDS]
    await take_back(node, register, theft)
    await revoke_and_resume(node, theft)


async def suspend(node: StartedNode, theft: Theft) -> None:
    """No worker resolves or changes anything below the prefix 5 s later, however the thief is logged in."""
    async with fleet(node) as clients:
        await command(node, "prefix", "suspend", str(OWNER.prefix))
        await wait_for(clients, ResponseCode.SERVER_NOT_RESPONSIBLE, SUSPENDED_SECONDS_MAX)
    for wish in (reading(PUMP, CONFIDENTIAL_INDEX), modification(PUMP, moved(4)), deletion(MOTOR)):
        assert await codes_of(theft.connections, wish) == {ResponseCode.SERVER_NOT_RESPONSIBLE}
    status, _ = await asyncio.to_thread(node.get, node.http_port, f"/api/handles/{OWNER.prefix}/%E6%B0%B4%E6%B3%B5")
    assert status == 400


async def take_back(node: StartedNode, register: Database, theft: Theft) -> None:
    """What the key alone changed is as before; what the owner changed after it is reported, and left."""
    expected = {handle.spelling: "restored" for handle, _ in MISDEEDS} | {SHARED.spelling: "conflict"}
    undone = await history(node, theft.since, "--undo", status=1)
    assert {row["handle"]: row["result"] for row in undone} == expected
    now = await stored(register)
    shared = now.pop(SHARED)
    assert shared is not None
    assert REPAIR.data in {value.data for value in shared.values}
    assert now == {handle: record for handle, record in theft.before.items() if handle != SHARED}
    again = await history(node, theft.since, "--undo", status=1)
    assert {row["result"] for row in again} == {"same", "conflict"}


async def revoke_and_resume(node: StartedNode, theft: Theft) -> None:
    """The key is gone for every worker when the prefix is back; the owner's other key is good, the former one."""
    await command(node, "unset", PREFIX_HANDLE.spelling, str(STOLEN.identity.index))
    async with fleet(node) as clients:
        await command(node, "prefix", "resume", str(OWNER.prefix))
        await wait_for(clients, ResponseCode.SUCCESS, SUSPENDED_SECONDS_MAX)
    use = reading(PUMP, CONFIDENTIAL_INDEX)
    assert await codes_of(theft.connections, use) == {ResponseCode.AUTHENTICATION_ERROR}
    async with streams(node, CLIENTS, "127.24.1.1") as fresh:
        assert await codes_with(fresh, use, OWNER.secret) == {ResponseCode.SUCCESS}
    async with streams(node, CLIENTS, "127.24.2.1") as fresh:
        assert await codes_with(fresh, use, STOLEN) == {ResponseCode.AUTHENTICATION_ERROR}


async def codes_with(connections: Sequence[Stream], wish: Wish, key: SecretKey | PrivateKey) -> set[int]:
    """Ask through all connections, each time with a proof by `key`."""
    answers = await asyncio.gather(*(ask_as(each, wish, key) for each in connections))
    return {answer.response_code for answer in answers}


async def wait_for(clients: Fleet, code: int, seconds: float) -> None:
    """Wait until every worker answers so."""
    await clients.wait_until(PUMP.spelling, lambda answer: answer.response_code == code, seconds)


async def test_one_key_is_replaced_while_everything_else_goes_on(node: StartedNode) -> None:
    """Nobody is suspended: the value is set anew, and the old key is worth nothing within a second."""
    careful = await settle(node, Enterprise.of("88.118.241"))
    use, identity = reading(careful.handle("水泵"), CONFIDENTIAL_INDEX), careful.secret.identity
    replacement = SecretKey(identity, "口令-更换后".encode())
    async with streams(node, CLIENTS, "127.24.3.1") as connections:
        for each in connections:
            assert (await log_in(each, careful.secret)).response_code == ResponseCode.SUCCESS
        assert await codes_of(connections, use) == {ResponseCode.SUCCESS}
        value = f"{identity.index}:HS_SECKEY={replacement.secret.decode()}"
        await command(node, "set", identity.handle, "--value", value)
        async with asyncio.timeout(STOPPED_SECONDS_MAX):
            while await codes_of(connections, use) != {ResponseCode.AUTHENTICATION_ERROR}:
                pass
    async with streams(node, CLIENTS, "127.24.4.1") as fresh:
        assert await codes_with(fresh, use, replacement) == {ResponseCode.SUCCESS}
        everybody = await exchange(
            fresh[0], Wish(OpCode.RESOLUTION, ResolutionRequest(careful.prefix.handle)).message()
        )
        assert replacement.secret not in everybody.body.value_list
