"""What becomes of a record when a command is done to it: no waiting, no clock, no knowledge of who is asking."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from handle_protocol.codes import ResponseCode
from handle_protocol.limits import VALUE_LIST_OCTETS_MAX, VALUES_MAX
from handle_protocol.predefined.admin import AdminPermission
from handle_protocol.record import HandleRecord, encode_value_list
from handle_protocol.value import HandleValue, Permissions
from resolver.administration.commands import AddValues, Create, Delete, ModifyValues, RemoveValues
from resolver.administration.outcomes import Refused
from resolver.administration.rights import (
    ADMIN_TYPE,
    GROUP_TYPE,
    NO_PERMISSION,
    TO_CHANGE_A_VALUE,
    Need,
    Ways,
    gives_rights,
    need_to_create,
    type_has,
    ways_to_replace,
)
from resolver.administration.value_rules import EMPTY, TOO_LONG, find_conflict, find_fault

RecordCommand = Create | Delete | AddValues | ModifyValues | RemoveValues

ALREADY_THERE: Final = Refused(ResponseCode.HANDLE_ALREADY_EXISTS)
NOT_THERE: Final = Refused(ResponseCode.HANDLE_NOT_FOUND)
_NO_SUCH_VALUE: Final = Refused(ResponseCode.VALUES_NOT_FOUND)
_READ_ONLY: Final = Refused(ResponseCode.INSUFFICIENT_PERMISSIONS, "Value is read-only 该值只读")
_NO_SUFFIX: Final = Refused(ResponseCode.INVALID_HANDLE, "Handle has no suffix 标识缺少后缀")

_NEVER_OPEN: Final = (ADMIN_TYPE, GROUP_TYPE, "HS_PUBKEY", "HS_SECKEY")
"""The reference lets anybody write groups and keys that are public-write; nobody can have meant that."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a record is to become, and who may decide that.

    Attributes:
        value_list: the new values in wire form, sorted by index and stamped; None = the record is deleted.
        ways: what it takes.
        has_overwritten: whether a record or values that were to be new replace others.
    """

    value_list: bytes | None
    ways: Ways
    has_overwritten: bool = False


def check(command: RecordCommand) -> Refused | None:
    """Return what is wrong with a command whatever is stored; None when nothing is."""
    match command:
        case Create(handle, values):
            return _NO_SUFFIX if not handle.suffix else find_fault(values)  # The reference creates without values.
        case AddValues(values=values) | ModifyValues(values=values):
            return find_fault(values) if values else EMPTY
        case RemoveValues(indexes=indexes):
            return TOO_LONG if len(indexes) > VALUES_MAX else None
        case Delete():
            return None


def make_plan(command: RecordCommand, record: HandleRecord | None, now: int) -> Plan | Refused:
    """Decide what becomes of `record`.

    Args:
        command: one in which `check` finds nothing wrong.
        record: as it is stored; None = there is none.
        now: Unix seconds, the stamp of what changes. Values that stay equal keep their stamps.
    """
    return _PLANS[type(command)](command, record, now)


def _plan_create(command: Create, record: HandleRecord | None, now: int) -> Plan | Refused:
    if record is None:
        return _conclude(_stamped(command.values, {}, now), ((need_to_create(command.handle),),))
    if not command.overwrites:
        return ALREADY_THERE
    before = _by_index(record.values)
    after = _stamped(command.values, before, now)
    permissions = _permissions(before, after, _differing(before, after))
    return _conclude(after, ways_to_replace(command.handle, permissions), has_overwritten=True)


def _plan_delete(command: Delete, record: HandleRecord | None, _now: int) -> Plan | Refused:
    if record is None:
        return NOT_THERE
    return Plan(None, ((Need(command.handle, AdminPermission.DELETE_HANDLE),),))


def _plan_add(command: AddValues, record: HandleRecord | None, now: int) -> Plan | Refused:
    if record is None:
        return NOT_THERE
    before = _by_index(record.values)
    conflict = find_conflict(before, command.values)
    if conflict is not None and not command.overwrites:
        return conflict
    after = before | _stamped(command.values, before, now)
    need = Need(command.handle, _permissions(before, after, _differing(before, after)))
    return _conclude(after, ((need,),), has_overwritten=conflict is not None)


def _plan_modify(command: ModifyValues, record: HandleRecord | None, now: int) -> Plan | Refused:
    if record is None:
        return NOT_THERE
    before = _by_index(record.values)
    if any(value.index not in before for value in command.values):
        return _NO_SUCH_VALUE
    if not all(before[value.index].permissions & Permissions.ADMIN_WRITE for value in command.values):
        return _READ_ONLY
    after = before | _stamped(command.values, before, now)
    permissions = _permissions(before, after, [value.index for value in command.values])
    ways = ((Need(command.handle, permissions),),) if permissions else ()
    return _conclude(after, ways)


def _plan_remove(command: RemoveValues, record: HandleRecord | None, _now: int) -> Plan | Refused:
    if record is None:
        return NOT_THERE
    before = _by_index(record.values)
    removed = frozenset(command.indexes)
    if not removed <= before.keys():
        return _NO_SUCH_VALUE
    after = {index: value for index, value in before.items() if index not in removed}
    permissions = _permissions(before, after, removed) or AdminPermission.REMOVE_VALUE  # Of nothing, too (reference).
    return _conclude(after, ((Need(command.handle, permissions),),))


_PLANS: Final[Mapping[type[RecordCommand], Callable[[Any, HandleRecord | None, int], Plan | Refused]]] = {
    Create: _plan_create,
    Delete: _plan_delete,
    AddValues: _plan_add,
    ModifyValues: _plan_modify,
    RemoveValues: _plan_remove,
}

_ByIndex = Mapping[int, HandleValue]


def _by_index(values: Iterable[HandleValue]) -> dict[int, HandleValue]:
    return {value.index: value for value in values}


def _stamped(values: Iterable[HandleValue], before: _ByIndex, now: int) -> dict[int, HandleValue]:
    """Return `values` with the stamp of now, but those that equal what was there as they were there."""
    return {value.index: _stamp(value, before.get(value.index), now) for value in values}


def _stamp(value: HandleValue, before: HandleValue | None, now: int) -> HandleValue:
    if before is not None and replace(value, modified_at=before.modified_at) == before:
        return before
    return replace(value, modified_at=now)


def _differing(before: _ByIndex, after: _ByIndex) -> Iterable[int]:
    return (index for index in {*before, *after} if before.get(index) != after.get(index))


def _permissions(before: _ByIndex, after: _ByIndex, indexes: Iterable[int]) -> AdminPermission:
    """Return what it takes to make `after` of `before` at `indexes`."""
    needed = NO_PERMISSION
    for index in indexes:
        old, new = before.get(index), after.get(index)
        if not _is_open(old, new):
            needed |= TO_CHANGE_A_VALUE[_right_of(old), _right_of(new)]
    return needed


def _right_of(value: HandleValue | None) -> bool | None:
    return None if value is None else gives_rights(value)


def _is_open(old: HandleValue | None, new: HandleValue | None) -> bool:
    """Tell whether anybody may replace `old` by `new`. A value that rights or proofs hang on is never open."""
    if old is None or new is None or not old.permissions & Permissions.PUBLIC_WRITE:
        return False
    return not any(type_has(value.value_type, each) for value in (old, new) for each in _NEVER_OPEN)


def _conclude(after: _ByIndex, ways: Ways, *, has_overwritten: bool = False) -> Plan | Refused:
    if len(after) > VALUES_MAX:
        return TOO_LONG
    value_list = encode_value_list(tuple(after[index] for index in sorted(after)))
    if len(value_list) > VALUE_LIST_OCTETS_MAX:
        return TOO_LONG
    return Plan(value_list, ways, has_overwritten)
