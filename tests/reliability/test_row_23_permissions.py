"""Row 23: each bit of HS_ADMIN opens what it names and nothing else; who may change values makes no administrator."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace

import pytest
import pytest_asyncio

from handle_protocol.bodies.administration import HandleRequest
from handle_protocol.codes import OpCode, ResponseCode
from handle_protocol.flags import OpFlag
from handle_protocol.handle import Handle, Prefix
from handle_protocol.message import OP_FLAGS_USUAL
from handle_protocol.record import HandleRecord
from handle_protocol.value import HandleValue, ValueReference
from registry.database import Database
from registry.records import RecordReader
from tests.builders import text_value
from tests.reliability.claimant import (
    Wish,
    addition,
    creation,
    deletion,
    exchange,
    listing,
    log_in,
    modification,
    reading,
    removal,
    stream,
)
from tests.reliability.conftest import settle
from tests.reliability.enterprises import EVERYTHING, Enterprise, SecretKey, admin_value
from tests.reliability.octets_client import Stream, connect
from tests.started_node import StartedNode

PREFIX = "88.118.23"
SOURCE = "127.23.0.1"
CELLS_MIN = 106

(
    ADD_HANDLE,
    DELETE_HANDLE,
    ADD_DERIVED_PREFIX,
    DELETE_DERIVED_PREFIX,
    MODIFY_VALUE,
    REMOVE_VALUE,
    ADD_VALUE,
    MODIFY_ADMIN,
    REMOVE_ADMIN,
    ADD_ADMIN,
    READ_VALUE,
    LIST_HANDLES,
) = BITS = tuple(1 << place for place in range(12))
"""handle-protocol §3.2, written once more: what the product thinks of them is what is tested."""

GRANTS = (*BITS, *(EVERYTHING & ~bit for bit in BITS), 0, EVERYTHING)
"""Administrators with one bit each, with all bits but one, with none and with all."""

OVERWRITING = OP_FLAGS_USUAL | OpFlag.OVERWRITE
NOBODY = ValueReference(300, f"0.NA/{PREFIX}/无人")
URL, ADMIN, SECRET = 1, 101, 6
"""Indexes of a value, an administrator and a confidential value that every record has."""


@dataclass(frozen=True)
class Operation:
    """What is tried by everybody, each with a record of their own.

    Attributes:
        wish: what is wanted with a handle.
        ways: each is a set of bits that suffices (handle-protocol §5.3); none = nobody here may.
        is_there: whether the handle is registered before.
        changes: whether the record is another one afterwards.
        is_prefix: whether the handle describes a derived prefix.
    """

    wish: Callable[[Handle], Wish]
    ways: tuple[int, ...]
    is_there: bool = True
    changes: bool = True
    is_prefix: bool = False

    def code_for(self, granted: int) -> int:
        """Return how it must end for somebody with these bits."""
        if not self.ways:
            return ResponseCode.INVALID_ADMIN
        is_enough = any(way & granted == way for way in self.ways)
        return ResponseCode.SUCCESS if is_enough else ResponseCode.INSUFFICIENT_PERMISSIONS


def new_value(index: int) -> HandleValue:
    return text_value(index, "型号", "IS80-65-160")


def new_admin(index: int, value_type: str = "HS_ADMIN") -> HandleValue:
    return replace(admin_value(index, NOBODY, READ_VALUE), value_type=value_type)


def of_server(op_code: int) -> Callable[[Handle], Wish]:
    return lambda handle: Wish(op_code, HandleRequest(handle))


def replaced_whole(handle: Handle) -> Wish:
    """Return the wish to create over a record, with one value more."""
    return creation(handle, *record_values(), new_value(9), op_flags=OVERWRITING)


OPERATIONS: Mapping[str, Operation] = {
    "create": Operation(lambda handle: creation(handle, new_value(1)), (ADD_HANDLE,), is_there=False),
    "create over": Operation(replaced_whole, (ADD_VALUE, ADD_ADMIN, DELETE_HANDLE | ADD_HANDLE)),
    "create a derived prefix": Operation(
        lambda handle: creation(handle, new_value(1)), (ADD_DERIVED_PREFIX,), is_there=False, is_prefix=True
    ),
    "delete": Operation(deletion, (DELETE_HANDLE,)),
    "delete a derived prefix": Operation(deletion, (DELETE_HANDLE,), is_prefix=True),
    "add a value": Operation(lambda handle: addition(handle, new_value(9)), (ADD_VALUE,)),
    "add an administrator": Operation(lambda handle: addition(handle, new_admin(9)), (ADD_ADMIN,)),
    "add both": Operation(lambda handle: addition(handle, new_value(8), new_admin(9)), (ADD_VALUE | ADD_ADMIN,)),
    "add over a value": Operation(
        lambda handle: addition(handle, new_value(URL), op_flags=OVERWRITING), (MODIFY_VALUE,)
    ),
    "add over an administrator": Operation(
        lambda handle: addition(handle, new_admin(ADMIN), op_flags=OVERWRITING), (MODIFY_ADMIN,)
    ),
    "modify a value": Operation(lambda handle: modification(handle, new_value(URL)), (MODIFY_VALUE,)),
    "modify an administrator": Operation(lambda handle: modification(handle, new_admin(ADMIN)), (MODIFY_ADMIN,)),
    "modify both": Operation(
        lambda handle: modification(handle, new_value(URL), new_admin(ADMIN)), (MODIFY_VALUE | MODIFY_ADMIN,)
    ),
    "make a value an administrator": Operation(
        lambda handle: modification(handle, new_admin(URL)), (REMOVE_VALUE | ADD_ADMIN,)
    ),
    "make an administrator a value": Operation(
        lambda handle: modification(handle, new_value(ADMIN)), (REMOVE_ADMIN | ADD_VALUE,)
    ),
    "remove a value": Operation(lambda handle: removal(handle, URL), (REMOVE_VALUE,)),
    "remove an administrator": Operation(lambda handle: removal(handle, ADMIN), (REMOVE_ADMIN,)),
    "remove both": Operation(lambda handle: removal(handle, URL, ADMIN), (REMOVE_VALUE | REMOVE_ADMIN,)),
    "read": Operation(lambda handle: reading(handle, SECRET), (READ_VALUE,), changes=False),
    "list": Operation(lambda _: listing(Prefix(PREFIX)), (LIST_HANDLES,), is_there=False, changes=False),
    "home": Operation(of_server(OpCode.HOME_PREFIX), (), is_there=False, changes=False, is_prefix=True),
    "unhome": Operation(of_server(OpCode.UNHOME_PREFIX), (), is_there=False, changes=False, is_prefix=True),
    "list prefixes": Operation(of_server(OpCode.LIST_HOMED_PREFIXES), (), is_there=False, changes=False),
}


def deputy(granted: int) -> SecretKey:
    """Return the key of the administrator with these bits."""
    identity = ValueReference(400 + GRANTS.index(granted), f"0.NA/{PREFIX}")
    return SecretKey(identity, f"代理-{granted:03x}".encode())


CLERK = SecretKey(ValueReference(390, f"0.NA/{PREFIX}"), "值管理员".encode())
"""May do with values what can be done with them, and nothing with administrators."""

DEPUTIES = tuple(admin_value(1_000 + place, deputy(granted).identity, granted) for place, granted in enumerate(GRANTS))


def record_values() -> tuple[HandleValue, ...]:
    """Return the values of every record that is tried upon."""
    secret = text_value(SECRET, "出厂价", "机密 128.00", permissions=12)
    return (text_value(URL, "URL", "https://example.cn/水泵"), secret, admin_value(ADMIN, NOBODY), *DEPUTIES)


def description(enterprise: Enterprise) -> HandleRecord:
    """Return the record of the prefix, with everybody's key and bits."""
    return enterprise.description(*(deputy(granted).value() for granted in GRANTS), CLERK.value(), *DEPUTIES)


def handle_of(name: str, granted: int) -> Handle:
    """Return the handle that one administrator tries one operation upon."""
    place = list(OPERATIONS).index(name)
    if OPERATIONS[name].is_prefix:
        return Handle(f"0.NA/{PREFIX}.{place}{granted:04}")
    return Handle(f"{PREFIX}/{name}-{granted:03x}")


@dataclass(frozen=True)
class World:
    """An enterprise, and its administrators on connections of their own, logged in."""

    enterprise: Enterprise
    connections: Mapping[int, Stream]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(node: StartedNode) -> AsyncIterator[World]:
    enterprise = Enterprise.of(PREFIX)
    records = [
        HandleRecord.of(handle_of(name, granted), record_values())
        for name, operation in OPERATIONS.items()
        for granted in GRANTS
        if operation.is_there
    ]
    await settle(node, enterprise, description(enterprise), *records)
    async with AsyncExitStack() as stack:
        connections = {}
        for granted in GRANTS:
            connection = await connect(node.address, SOURCE)
            stack.callback(connection.socket.close)
            assert (await log_in(connection, deputy(granted))).response_code == ResponseCode.SUCCESS
            connections[granted] = connection
        yield World(enterprise, connections)


async def code_of(connection: Stream, wish: Wish) -> int:
    """Ask for something, and return how that ended; what goes on after the first message is passed over."""
    answer = first = await exchange(connection, wish.message())
    while answer.has_flag(OpFlag.CONTINUOUS):
        answer = await connection.receive()
    return first.response_code


async def values_of(register: Database, handles: Sequence[Handle]) -> list[set[tuple[int, str, bytes]] | None]:
    """Return what is stored under each handle, but for stamps."""
    keys = [handle.key() for handle in handles]
    found = await RecordReader(register).fetch(keys)
    return [_told(found[key].values) if key in found else None for key in keys]


def _told(values: Sequence[HandleValue]) -> set[tuple[int, str, bytes]]:
    return {(value.index, value.value_type, value.data) for value in values}


def test_the_matrix_is_as_large_as_it_must_be() -> None:
    assert len(OPERATIONS) * len(GRANTS) >= CELLS_MIN
    used = {bit for each in OPERATIONS.values() for way in each.ways for bit in BITS if way & bit}
    assert set(BITS) - used == {DELETE_DERIVED_PREFIX}  # The reference asks for DELETE_HANDLE there, too.


@pytest.mark.parametrize("name", OPERATIONS)
async def test_each_administrator_may_do_just_what_the_bits_say(world: World, register: Database, name: str) -> None:
    operation = OPERATIONS[name]
    handles = {granted: handle_of(name, granted) for granted in GRANTS}
    before = await values_of(register, list(handles.values()))
    ended = await asyncio.gather(
        *(code_of(world.connections[each], operation.wish(handle)) for each, handle in handles.items())
    )
    codes = dict(zip(GRANTS, ended, strict=True))
    assert codes == {granted: operation.code_for(granted) for granted in GRANTS}
    after = await values_of(register, list(handles.values()))
    changed = {granted for granted, old, new in zip(GRANTS, before, after, strict=True) if old != new}
    assert changed == {each for each in GRANTS if operation.changes and codes[each] == ResponseCode.SUCCESS}


@pytest.mark.parametrize("value_type", ["HS_ADMIN", "hs_admin", "HS_ADMIN.X", "Hs_Admin.甲"])
async def test_whoever_may_change_all_values_makes_no_administrator(
    node: StartedNode, world: World, register: Database, value_type: str
) -> None:
    grant = admin_value(99, CLERK.identity, MODIFY_VALUE | ADD_VALUE | REMOVE_VALUE)
    handle = Handle(f"{PREFIX}/值管理员-{value_type}")
    record = HandleRecord.of(handle, (*record_values(), grant))
    await settle(node, world.enterprise, description(world.enterprise), record)
    mine = replace(admin_value(9, CLERK.identity), value_type=value_type)
    attempts = (
        addition(handle, mine),
        addition(handle, replace(mine, index=URL), op_flags=OVERWRITING),
        addition(handle, replace(mine, index=99), op_flags=OVERWRITING),
        modification(handle, replace(mine, index=URL)),
        modification(handle, replace(mine, index=99)),
        removal(handle, ADMIN),
        creation(handle, *record.values, mine, op_flags=OVERWRITING),
        creation(handle, mine, op_flags=OVERWRITING),
    )
    async with stream(node, SOURCE) as connection:
        assert (await log_in(connection, CLERK)).response_code == ResponseCode.SUCCESS
        codes = [await code_of(connection, attempt) for attempt in attempts]
        assert codes == [ResponseCode.INSUFFICIENT_PERMISSIONS] * len(attempts)
        assert await values_of(register, [handle]) == [_told(record.values)]
        assert await code_of(connection, addition(handle, new_value(9))) == ResponseCode.SUCCESS
