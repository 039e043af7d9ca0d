"""Who is found to be an administrator: by reference, by group, and never by likeness."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from handle_protocol.handle import Handle
from handle_protocol.predefined.admin import AdminPermission
from handle_protocol.record import HandleRecord
from handle_protocol.value import HandleValue, ValueReference
from resolver.administration.administrators import (
    GROUP_DEPTH_MAX,
    GROUP_RECORD_OCTETS_MAX,
    GROUP_RECORDS_MAX,
    find_permissions,
    named_in,
)
from resolver.administration.rights import ALL_PERMISSIONS
from resolver.administration.value_rules import GROUP_OCTETS_MAX
from tests.builders import text_value
from tests.unit.resolver.administration.administered_world import OWNER, admin_value, group_value

P = AdminPermission
VECTORS = json.loads((Path(__file__).parents[3] / "vectors/handle/12-matching.json").read_text())["vectors"]
ADMIN_MATCHES = [vector for vector in VECTORS if vector["name"] == "admin match"]
GROUP = ValueReference(200, "0.NA/88.300.15907")


class Records:
    """Stored records by key, which counts how often they are asked for."""

    def __init__(self, records: dict[str, tuple[HandleValue, ...]]) -> None:
        self.records = {Handle(name).key(): HandleRecord.of(Handle(name), values) for name, values in records.items()}
        self.asked: list[str] = []

    async def find(self, handle: Handle) -> HandleRecord | None:
        self.asked.append(handle.spelling)
        return self.records.get(handle.key())


async def found(claimed, permitted, records=None, enough=ALL_PERMISSIONS) -> object:
    return await find_permissions(claimed, permitted, enough, Records(records or {}).find)


@pytest.mark.parametrize("vector", ADMIN_MATCHES, ids=lambda vector: str(list(vector.values())[1:]))
async def test_references_match_as_in_the_reference(vector) -> None:
    listed = ValueReference(vector["listed_index"], vector["listed_handle"])
    claimed = ValueReference(vector["client_index"], vector["client_handle"])
    expected = P.READ_VALUE if vector["matched"] else None
    assert await found(claimed, {listed: P.READ_VALUE}) == expected
    in_group = {GROUP.handle: (group_value(200, listed),)}
    assert await found(claimed, {GROUP: P.READ_VALUE}, in_group) == expected


LISTED = "0.NA/88.111.1"
LOOK_ALIKES = [
    "0.NA/88.111.10",
    "0.NA/88.111.1.1",
    "0.NA/88.111",
    "0.NA/88.111.01",
    "0.NA/88.111.1 ",
    " 0.NA/88.111.1",
    "0.NA/88.111.1\0",
    "0.NA/88.111.1/",
    "0.NA//88.111.1",
    "0.NA%2F88.111.1",
    "0.NA/88.111.1%00",
    "0.NA/88.111.１",
    "０.NA/88.111.1",
    "0．NA/88.111.1",
    "0.NA\N{DIVISION SLASH}88.111.1",
    "0.NA/88.111.1\N{ZERO WIDTH SPACE}",
    "0.N\N{CYRILLIC CAPITAL LETTER A}/88.111.1",
    "88.111.1/",
    "",
]


@pytest.mark.parametrize("spelling", LOOK_ALIKES, ids=ascii)
async def test_a_likeness_is_nobody(spelling) -> None:
    assert await found(ValueReference(300, spelling), {ValueReference(300, LISTED): ALL_PERMISSIONS}) is None
    assert await found(ValueReference(300, spelling), {ValueReference(0, LISTED): ALL_PERMISSIONS}) is None


@pytest.mark.parametrize("spelling", ["0.na/88.111.1", "88.111.1", "0.Na/88.111.1"])
async def test_another_spelling_of_the_same_handle_is_the_same(spelling) -> None:
    assert await found(ValueReference(300, spelling), {ValueReference(300, LISTED): P.LIST_HANDLES}) == P.LIST_HANDLES


async def test_an_index_beyond_the_listed_one_is_nobody() -> None:
    for index in (0, 30, 299, 301, 3000, 2**32 + 300, -1):
        assert await found(ValueReference(index, LISTED), {ValueReference(300, LISTED): ALL_PERMISSIONS}) is None


def test_only_values_of_the_type_that_parse_name_somebody() -> None:
    good = admin_value(OWNER, P.ADD_VALUE)
    record = HandleRecord.of(
        Handle("88.300.15907/泵"),
        (
            good,
            HandleValue(101, "hs_admin.备用", admin_value(ValueReference(1, "88.1/a"), P.READ_VALUE).data),
            HandleValue(102, "HS_ADMIN", good.data[:-1]),
            HandleValue(103, "HS_ADMIN", good.data + b"\0"),
            HandleValue(104, "HS_ADMIN", b""),
            HandleValue(105, "HS_ADMINX", admin_value(ValueReference(2, "88.1/b")).data),
            HandleValue(106, "HS_ADMIN\0", admin_value(ValueReference(3, "88.1/c")).data),
            HandleValue(107, "HS_VLIST", group_value(1, ValueReference(4, "88.1/d")).data),
            admin_value(OWNER, P.READ_VALUE, index=108),
        ),
    )
    assert named_in(record) == {OWNER: P.ADD_VALUE | P.READ_VALUE, ValueReference(1, "88.1/a"): P.READ_VALUE}


async def test_a_group_may_hold_groups_and_each_gives_what_leads_to_it() -> None:
    staff, night = ValueReference(201, "88.300.15907/全体"), ValueReference(1, "88.300.15907/夜班")
    member = ValueReference(300, "88.300.15907/李工")
    records = {
        GROUP.handle: (group_value(200, staff, OWNER),),
        staff.handle: (group_value(201, night), text_value(202, "URL", "x")),
        night.handle: (group_value(1, member),),
    }
    permitted = {GROUP: P.ADD_VALUE, night: P.READ_VALUE, ValueReference(202, staff.handle): P.DELETE_HANDLE}
    assert await found(member, permitted, records) == P.ADD_VALUE | P.READ_VALUE
    assert await found(OWNER, permitted, records) == P.ADD_VALUE
    assert await found(staff, permitted, records) == P.ADD_VALUE  # Whoever holds a key there, too.
    assert await found(ValueReference(301, member.handle), permitted, records) is None


async def test_an_index_of_zero_is_for_keys_and_opens_no_group() -> None:
    records = Records({GROUP.handle: (group_value(0, OWNER), group_value(200, OWNER))})
    permitted = {ValueReference(0, "88.300.15907/组"): P.ADD_VALUE}
    assert await find_permissions(OWNER, permitted, ALL_PERMISSIONS, records.find) is None
    assert records.asked == []


async def test_nobody_looks_into_groups_when_the_permission_is_found_already() -> None:
    records = Records({GROUP.handle: (group_value(200, OWNER),)})
    permitted = {GROUP: P.LIST_HANDLES, OWNER: P.ADD_HANDLE}
    assert await find_permissions(OWNER, permitted, P.ADD_HANDLE, records.find) == P.ADD_HANDLE
    assert records.asked == []
    assert await find_permissions(OWNER, permitted, P.LIST_HANDLES, records.find) == P.ADD_HANDLE | P.LIST_HANDLES
    assert records.asked == [GROUP.handle]


async def test_a_group_that_holds_itself_ends() -> None:
    other = ValueReference(201, "88.300.15907/组")
    records = Records(
        {GROUP.handle: (group_value(200, GROUP, other),), other.handle: (group_value(201, GROUP, other),)}
    )
    assert await find_permissions(OWNER, {GROUP: P.ADD_VALUE}, ALL_PERMISSIONS, records.find) is None
    assert records.asked == [GROUP.handle, other.handle]


async def test_an_administrator_that_points_at_its_own_value_is_nobody_but_itself() -> None:
    itself = ValueReference(100, "88.300.15907/泵")
    records = {itself.handle: (admin_value(itself),)}
    assert await found(OWNER, {itself: ALL_PERMISSIONS}, records) is None


def chain(length: int) -> dict[str, tuple[HandleValue, ...]]:
    """Return groups of which each holds the next, and the last one OWNER."""
    names = [ValueReference(1, f"88.300.15907/组{number}") for number in range(length)]
    return {
        group.handle: (group_value(1, following),) for group, following in zip(names, [*names[1:], OWNER], strict=True)
    }


async def test_groups_are_followed_to_their_depth_and_no_further() -> None:
    first = {ValueReference(1, "88.300.15907/组0"): P.ADD_VALUE}
    assert await found(OWNER, first, chain(GROUP_DEPTH_MAX)) == P.ADD_VALUE
    assert await found(OWNER, first, chain(GROUP_DEPTH_MAX + 1)) is None


async def test_no_more_records_are_looked_into_than_is_bearable() -> None:
    members = [ValueReference(1, f"88.300.15907/组{number}") for number in range(1_000)]
    records = Records({GROUP.handle: (group_value(200, *members),)} | {each.handle: () for each in members})
    assert await find_permissions(OWNER, {GROUP: P.ADD_VALUE}, ALL_PERMISSIONS, records.find) is None
    assert len(records.asked) == GROUP_RECORDS_MAX


async def test_groups_and_records_that_are_too_long_name_nobody() -> None:
    member = ValueReference(300, "0.NA/88.300.15907")
    long_group = (group_value(200, *[member] * (GROUP_OCTETS_MAX // 20)),)
    assert await found(member, {GROUP: P.ADD_VALUE}, {GROUP.handle: long_group}) is None
    filling = text_value(1, "名称", "x" * GROUP_RECORD_OCTETS_MAX)
    assert await found(member, {GROUP: P.ADD_VALUE}, {GROUP.handle: (filling, group_value(200, member))}) is None


async def test_all_groups_together_are_no_longer_than_one_may_be() -> None:
    member = ValueReference(300, "0.NA/88.300.15907")
    half = [ValueReference(1, "88.1/a")] * (GROUP_OCTETS_MAX // 30)
    groups = {f"88.300.15907/组{number}": (group_value(1, *half, member),) for number in range(3)}
    assert await found(member, {ValueReference(1, "88.300.15907/组2"): P.ADD_VALUE}, groups) == P.ADD_VALUE
    behind = groups | {"88.300.15907/组1": (group_value(1, *half, ValueReference(1, "88.300.15907/组2")),)}
    behind["88.300.15907/组0"] = (group_value(1, *half, ValueReference(1, "88.300.15907/组1")),)
    assert await found(member, {ValueReference(1, "88.300.15907/组0"): P.ADD_VALUE}, behind) is None
