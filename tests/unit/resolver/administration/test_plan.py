"""What becomes of the values of a record."""

from __future__ import annotations

from dataclasses import replace

import pytest

from handle_protocol.handle import Handle
from handle_protocol.limits import VALUE_LIST_OCTETS_MAX, VALUES_MAX
from handle_protocol.record import HandleRecord, decode_value_list
from handle_protocol.value import Ttl, ValueReference
from resolver.administration.commands import AddValues, Create, Delete, ModifyValues, RemoveValues
from resolver.administration.plan import Plan, check, make_plan
from resolver.administration.rights import need_to_create
from resolver.administration.value_rules import TOO_LONG
from tests.builders import text_value

PUMP = Handle("88.300.15907/水泵")
THEN, NOW = 1_700_000_000, 1_764_000_000
URL = text_value(1, "URL", "https://泵.cn", modified_at=THEN)
NAME = text_value(2, "名称", "离心泵", modified_at=THEN)
MODEL = text_value(9, "型号", "IS80", modified_at=THEN)
RECORD = HandleRecord.of(PUMP, (URL, NAME, MODEL), 5)


def sent(value, text=None, **fields) -> object:
    data = value.data if text is None else text.encode()
    return replace(value, data=data, modified_at=123, **fields)


def changed(value, text=None, **fields) -> object:
    return replace(sent(value, text, **fields), modified_at=NOW)


STORIES = {
    "create": (Create(PUMP, (sent(NAME), sent(URL))), None, (changed(URL), changed(NAME)), False),
    "replace": (
        Create(PUMP, (sent(MODEL, "IS100"), sent(URL)), overwrites=True),
        RECORD,
        (URL, changed(MODEL, "IS100")),
        True,
    ),
    "add": (
        AddValues(PUMP, (sent(NAME, index=7), sent(URL, index=3))),
        RECORD,
        (URL, NAME, changed(URL, index=3), changed(NAME, index=7), MODEL),
        False,
    ),
    "add over": (
        AddValues(PUMP, (sent(NAME, "新"), sent(URL), sent(URL, index=3)), overwrites=True),
        RECORD,
        (URL, changed(NAME, "新"), changed(URL, index=3), MODEL),
        True,
    ),
    "modify": (ModifyValues(PUMP, (sent(MODEL, "新"), sent(URL))), RECORD, (URL, NAME, changed(MODEL, "新")), False),
    "modify the time to live": (
        ModifyValues(PUMP, (sent(NAME, ttl=Ttl(60)),)),
        RECORD,
        (URL, changed(NAME, ttl=Ttl(60)), MODEL),
        False,
    ),
    "modify the references": (
        ModifyValues(PUMP, (sent(NAME, references=(ValueReference(1, "88.1/a"),)),)),
        RECORD,
        (URL, changed(NAME, references=(ValueReference(1, "88.1/a"),)), MODEL),
        False,
    ),
    "remove": (RemoveValues(PUMP, (9, 1, 9)), RECORD, (NAME,), False),
    "remove all": (RemoveValues(PUMP, (1, 2, 9)), RECORD, (), False),
    "remove nothing": (RemoveValues(PUMP, ()), RECORD, (URL, NAME, MODEL), False),
}


@pytest.mark.parametrize(("command", "record", "values", "has_overwritten"), STORIES.values(), ids=STORIES)
def test_values_are_sorted_and_only_those_that_change_are_stamped(command, record, values, has_overwritten) -> None:
    assert check(command) is None
    plan = make_plan(command, record, NOW)
    assert (decode_value_list(plan.value_list), plan.has_overwritten) == (values, has_overwritten)


def test_a_deleted_record_has_no_values() -> None:
    plan = make_plan(Delete(PUMP), RECORD, NOW)
    assert plan.value_list is None


@pytest.mark.parametrize(
    ("spelling", "need"),
    [
        ("88.300.15907/泵", ("0.NA/88.300.15907", "ADD_HANDLE")),
        ("88.300.15907.1/泵", ("0.NA/88.300.15907.1", "ADD_HANDLE")),
        ("0.NA/88.300.15907", ("0.NA/88.300", "ADD_DERIVED_PREFIX")),
        ("0.na/88.300", ("0.NA/88", "ADD_DERIVED_PREFIX")),
        ("88.300", ("0.NA/88", "ADD_DERIVED_PREFIX")),
        ("0.NA/88", ("0.NA/0.NA", "ADD_HANDLE")),
    ],
)
def test_the_prefix_says_who_may_create_and_the_parent_for_a_derived_one(spelling, need) -> None:
    needed = need_to_create(Handle(spelling))
    assert (needed.handle.spelling, needed.permissions.name) == need


def test_a_record_never_grows_beyond_what_an_answer_can_carry() -> None:
    long = text_value(3, "名称", "x" * (VALUE_LIST_OCTETS_MAX - len(RECORD.value_list) - 35))
    assert isinstance(make_plan(AddValues(PUMP, (long,)), RECORD, NOW), Plan)
    longer = replace(long, data=long.data + b"xxxxx")
    assert make_plan(AddValues(PUMP, (longer,)), RECORD, NOW) == TOO_LONG
    many = HandleRecord.of(PUMP, [text_value(index, "X", "") for index in range(1, VALUES_MAX + 1)])
    assert make_plan(AddValues(PUMP, (text_value(VALUES_MAX + 1, "X", ""),)), many, NOW) == TOO_LONG
    assert check(RemoveValues(PUMP, (1,) * (VALUES_MAX + 1))) == TOO_LONG
