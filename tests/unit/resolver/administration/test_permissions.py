"""Each of the twelve permissions against each command: a right opens what it names, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from handle_protocol.codes import ResponseCode
from handle_protocol.handle import Handle, Prefix
from handle_protocol.predefined.admin import AdminPermission
from handle_protocol.value import PERMISSIONS_DEFAULT, Permissions, ValueReference
from resolver.administration.commands import (
    AddValues,
    Create,
    Delete,
    HomePrefix,
    ListHandles,
    ListPrefixes,
    ModifyValues,
    ReadValues,
    RemoveValues,
    UnhomePrefix,
)
from resolver.administration.outcomes import Done, Listed, Refused, ValuesRead
from resolver.query import Query
from tests.builders import text_value
from tests.fakes.claims import KnownClaim
from tests.unit.resolver.administration.administered_world import OWNER, AdministeredWorld, admin_value

P = AdminPermission
PUMP = Handle("88.300.15907/水泵")
NEW = Handle("88.300.15907/新泵")
URL = text_value(1, "URL", "https://泵.cn")
NAME = text_value(2, "名称", "离心泵")
OPEN = text_value(3, "备注", "谁都可写", permissions=PERMISSIONS_DEFAULT | Permissions.PUBLIC_WRITE)
SECRET = text_value(4, "图纸", "机密", permissions=Permissions.ADMIN_READ | Permissions.ADMIN_WRITE)
SOMEBODY = ValueReference(300, "88.300.15907/张工")
OTHER_ADMIN = admin_value(SOMEBODY, index=101)
STORED = (URL, NAME, OPEN, SECRET, OTHER_ADMIN)


def another(value, text="改") -> object:
    return text_value(value.index, "名称", text, permissions=value.permissions)


ON_THE_RECORD = {
    "delete": (Delete(PUMP), P.DELETE_HANDLE),
    "add a value": (AddValues(PUMP, (text_value(9, "型号", "IS80"),)), P.ADD_VALUE),
    "add an administrator": (AddValues(PUMP, (admin_value(OWNER, index=9),)), P.ADD_ADMIN),
    "add both": (AddValues(PUMP, (text_value(8, "型号", "I"), admin_value(OWNER, index=9))), P.ADD_VALUE | P.ADD_ADMIN),
    "add an administrator of a dotted type": (
        AddValues(PUMP, (replace(admin_value(OWNER, index=9), value_type="hs_admin.x"),)),
        P.ADD_ADMIN,
    ),
    "add over a value": (AddValues(PUMP, (another(URL),), overwrites=True), P.MODIFY_VALUE),
    "add over an administrator": (AddValues(PUMP, (admin_value(OWNER, index=101),), overwrites=True), P.MODIFY_ADMIN),
    "add an administrator over a value": (
        AddValues(PUMP, (admin_value(OWNER, index=1),), overwrites=True),
        P.REMOVE_VALUE | P.ADD_ADMIN,
    ),
    "add a value over an administrator": (
        AddValues(PUMP, (another(OTHER_ADMIN),), overwrites=True),
        P.REMOVE_ADMIN | P.ADD_VALUE,
    ),
    "modify a value": (ModifyValues(PUMP, (another(URL),)), P.MODIFY_VALUE),
    "modify an equal value": (ModifyValues(PUMP, (URL,)), P.MODIFY_VALUE),
    "modify an administrator": (ModifyValues(PUMP, (admin_value(OWNER, index=101),)), P.MODIFY_ADMIN),
    "modify both": (
        ModifyValues(PUMP, (another(URL), admin_value(OWNER, index=101))),
        P.MODIFY_VALUE | P.MODIFY_ADMIN,
    ),
    "make a value an administrator": (ModifyValues(PUMP, (admin_value(OWNER, index=1),)), P.REMOVE_VALUE | P.ADD_ADMIN),
    "make an open value an administrator": (
        ModifyValues(PUMP, (admin_value(OWNER, index=3),)),
        P.REMOVE_VALUE | P.ADD_ADMIN,
    ),
    "make an open value a key": (ModifyValues(PUMP, (text_value(3, "HS_SECKEY", "x"),)), P.MODIFY_VALUE),
    "make an administrator a value": (ModifyValues(PUMP, (another(OTHER_ADMIN),)), P.REMOVE_ADMIN | P.ADD_VALUE),
    "remove a value": (RemoveValues(PUMP, (1,)), P.REMOVE_VALUE),
    "remove nothing": (RemoveValues(PUMP, ()), P.REMOVE_VALUE),
    "remove an administrator": (RemoveValues(PUMP, (101,)), P.REMOVE_ADMIN),
    "remove both": (RemoveValues(PUMP, (1, 101)), P.REMOVE_VALUE | P.REMOVE_ADMIN),
    "read": (ReadValues(Query(PUMP, is_public_only=False)), P.READ_VALUE),
}

ON_THE_PREFIX = {
    "create": (Create(NEW, (URL,)), P.ADD_HANDLE),
    "create with a minted suffix": (Create(Handle("88.300.15907/批次-"), (URL,), mints_suffix=True), P.ADD_HANDLE),
    "create over nothing": (Create(NEW, (URL,), overwrites=True), P.ADD_HANDLE),
    "create a derived prefix": (Create(Handle("0.NA/88.300.15907.1"), (URL,)), P.ADD_DERIVED_PREFIX),
    "list": (ListHandles(Prefix("88.300.15907")), P.LIST_HANDLES),
    "delete the prefix record": (Delete(Handle("0.NA/88.300.15907")), P.DELETE_HANDLE),
}

GRANTS = [bit for single in P for bit in (single, ~single)] + [P(0), ~P(0)]

Good = Done | Listed | ValuesRead


def expected_code(granted: AdminPermission, *ways: AdminPermission) -> object:
    is_enough = any(not way & ~granted for way in ways)
    return "done" if is_enough else ResponseCode.INSUFFICIENT_PERMISSIONS


def shown(outcome: object) -> object:
    return outcome.code if isinstance(outcome, Refused) else "done" if isinstance(outcome, Good) else outcome


@pytest.mark.parametrize(("command", "needed"), ON_THE_RECORD.values(), ids=ON_THE_RECORD)
async def test_the_records_administrators_may_do_just_what_their_permissions_say(command, needed, world) -> None:
    for granted in GRANTS:
        world.register.put(PUMP.spelling, *STORED, admin_value(OWNER, granted))
        before = world.register.records[PUMP.key()]
        outcome = await world.perform(command, OWNER)
        assert (granted, shown(outcome)) == (granted, expected_code(granted, needed))
        if isinstance(outcome, Refused):
            assert world.register.records[PUMP.key()] == before


@pytest.mark.parametrize(("command", "needed"), ON_THE_PREFIX.values(), ids=ON_THE_PREFIX)
async def test_the_prefixs_administrators_may_do_just_what_their_permissions_say(command, needed, world) -> None:
    for granted in GRANTS:
        world.register.records.clear()
        world.register.put("0.NA/88.300.15907", admin_value(OWNER, granted))
        before = dict(world.register.records)
        outcome = await world.perform(command, OWNER)
        assert (granted, shown(outcome)) == (granted, expected_code(granted, needed))
        if isinstance(outcome, Refused):
            assert world.register.records == before


@pytest.mark.parametrize(
    ("values", "difference"),
    [
        ((URL, NAME, OPEN, SECRET, OTHER_ADMIN, admin_value(OWNER, P(0)), text_value(9, "X", "x")), P.ADD_VALUE),
        ((another(URL), NAME, OPEN, SECRET, OTHER_ADMIN), P.MODIFY_VALUE | P.REMOVE_ADMIN),
        ((URL,), P.REMOVE_VALUE | P.REMOVE_ADMIN),
        ((), P.REMOVE_VALUE | P.REMOVE_ADMIN),
        ((admin_value(OWNER, index=1), NAME, OPEN, SECRET, OTHER_ADMIN), P.REMOVE_VALUE | P.ADD_ADMIN | P.REMOVE_ADMIN),
    ],
)
@pytest.mark.parametrize("prefix_grant", [P(0), P.ADD_HANDLE, ~P.ADD_HANDLE])
async def test_a_record_is_replaced_in_one_of_three_ways(values, difference, prefix_grant, world) -> None:
    world.register.put("0.NA/88.300.15907", admin_value(OWNER, prefix_grant))
    for granted in [*GRANTS, difference, *(difference & ~bit for bit in P)]:
        mine = admin_value(OWNER, granted)
        sent = tuple(mine if value == admin_value(OWNER, P(0)) else value for value in values)
        world.register.put(PUMP.spelling, *STORED, mine)
        outcome = await world.perform(Create(PUMP, sent, overwrites=True), OWNER)
        whole = (P.DELETE_HANDLE,) if prefix_grant & P.ADD_HANDLE else ()
        assert (granted, shown(outcome)) == (granted, expected_code(granted, difference, P.ADD_ADMIN, *whole))


async def test_permissions_of_several_values_add_up(world) -> None:
    world.register.put(PUMP.spelling, URL, admin_value(OWNER, P.REMOVE_VALUE), admin_value(OWNER, P.ADD_ADMIN, index=5))
    command = ModifyValues(PUMP, (admin_value(OWNER, index=1),))
    assert await world.perform(command, OWNER) == Done(PUMP, revision=2)


@pytest.mark.parametrize("command", [HomePrefix(Prefix("88.9")), UnhomePrefix(Prefix("88.300.4")), ListPrefixes()])
async def test_only_server_administrators_place_prefixes(command, world) -> None:
    world.register.put("0.NA/0.NA", admin_value(OWNER))
    assert await world.perform(command, OWNER) == Refused(ResponseCode.INVALID_ADMIN)
    assert isinstance(await world.perform(command, ValueReference(300, "0.na/0.NA")), Good)


async def test_a_prefix_is_homed_once_and_listed_until_it_is_unhomed(world) -> None:
    server = ValueReference(300, "0.NA/0.NA")
    new = Prefix("88.9")
    assert await world.perform(HomePrefix(new), server) == Done(new.handle)
    assert await world.perform(HomePrefix(new), server) == Done(new.handle, has_overwritten=True)
    world.learn_prefixes()
    hosted = ("88.300.15907", "88.300.2", "88.300.4", "88.9")  # The delegated one is answered for elsewhere.
    assert await world.perform(ListPrefixes(), server) == Listed(tuple(Prefix(each).handle for each in hosted))
    assert await world.perform(UnhomePrefix(new), server) == Done(new.handle)
    assert await world.perform(UnhomePrefix(new), server) == Done(new.handle, has_overwritten=True)
    refused = await world.perform(HomePrefix(Prefix("88.300.3")), server)
    assert refused == Refused(ResponseCode.ERROR, "88.300.3 is delegated")


async def test_a_server_administrator_is_none_of_a_record(world) -> None:
    outcome = await world.perform(Delete(Handle("88.300.15907/水泵-001")), ValueReference(300, "0.NA/0.NA"))
    assert outcome == Refused(ResponseCode.INVALID_ADMIN)


async def test_a_revoked_right_ends_with_the_next_command(world: AdministeredWorld) -> None:
    claim = KnownClaim(OWNER)
    assert await world.perform(Create(NEW, (URL,)), claim) == Done(NEW, revision=1)
    world.register.put("0.NA/88.300.15907", admin_value(OWNER, ~P.ADD_HANDLE))  # The feed has not told yet.
    again = Create(Handle("88.300.15907/另一"), (URL,))
    assert await world.perform(again, claim) == Refused(ResponseCode.INSUFFICIENT_PERMISSIONS)


@pytest.mark.parametrize("granted", list(P), ids=lambda each: each.name)
async def test_a_record_that_names_nobody_is_changed_by_who_may_change_its_prefix_record(granted, world) -> None:
    world.register.put(PUMP.spelling, URL, NAME)
    world.register.put("0.NA/88.300.15907", admin_value(OWNER, granted))
    outcome = await world.perform(ModifyValues(PUMP, (another(URL),)), OWNER)
    assert isinstance(outcome, Done) == (granted is P.MODIFY_VALUE)


@pytest.mark.parametrize(
    ("handle", "values"),
    [(PUMP, (URL, text_value(100, "HS_ADMIN", "读不懂"))), (Handle("0.NA/88.300.15907.1"), (URL,))],
    ids=["names somebody who cannot be read", "describes a prefix"],
)
async def test_a_record_is_not_nobodys_if_it_names_an_administrator_or_describes_a_prefix(
    handle, values, world
) -> None:
    world.register.put(handle.spelling, *values)
    world.register.put("0.NA/88.300.15907", admin_value(OWNER))
    assert await world.perform(Delete(handle), OWNER) == Refused(ResponseCode.INVALID_ADMIN)
