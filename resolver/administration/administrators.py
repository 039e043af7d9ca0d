"""Who a record names as its administrators, directly or through groups, and what they may do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from typing import Final

from handle_protocol.handle import Handle
from handle_protocol.predefined import parse_data
from handle_protocol.predefined.admin import Administrator, AdminPermission
from handle_protocol.predefined.vlist import AdministratorGroup
from handle_protocol.record import HandleRecord
from handle_protocol.value import HandleValue, ValueReference
from resolver.administration.rights import GROUP_TYPE, NO_PERMISSION, gives_rights, type_has
from resolver.administration.value_rules import GROUP_OCTETS_MAX

GROUP_DEPTH_MAX: Final = 8
"""Ours: how deep groups may hold groups; real ones are one or two deep."""

GROUP_RECORDS_MAX: Final = 64
"""Ours: records that are looked into for groups, to decide about one claim."""

GROUP_RECORD_OCTETS_MAX: Final = 524_288
"""Ours: what these may have of values in all, which is twice the longest record."""

Permitted = Mapping[ValueReference, AdminPermission]
"""What is permitted to whom."""

FindRecord = Callable[[Handle], Awaitable[HandleRecord | None]]
"""Finds a record as it is stored; None where there is none that we know. Raises ConnectionError when it cannot tell."""


def named_in(record: HandleRecord) -> Permitted:
    """Return whom the HS_ADMIN values of `record` name; one that does not parse names nobody."""
    permitted: dict[ValueReference, AdminPermission] = {}
    for data in (parse_data(value) for value in record.values if gives_rights(value)):
        if isinstance(data, Administrator):
            _permit(permitted, data.reference, AdminPermission(data.permissions))
    return permitted


async def find_permissions(
    claimed: ValueReference, permitted: Permitted, enough: AdminPermission, find_record: FindRecord
) -> AdminPermission | None:
    """Return what the `claimed` one may do, or None if it is nobody who is permitted anything.

    A reference that is not to the claimed one may be to a group; so may every member of a group. The walk ends when
    `enough` was found, and at its bounds; what it has not reached by then is not permitted. It visits a group once
    for the same permissions, so that a group which holds itself ends it, too.

    Raises:
        ConnectionError: a group could not be looked at.
    """
    groups = _Groups(find_record)
    found: AdminPermission | None = None
    visited: dict[ValueReference, AdminPermission] = {}
    for _ in range(GROUP_DEPTH_MAX + 1):
        for reference, permissions in permitted.items():
            if reference.covers(claimed):
                found = (found or NO_PERMISSION) | permissions
        if not permitted or (found is not None and not enough & ~found):
            break
        permitted = await _step_into_groups(permitted, visited, groups)
    return found


async def _step_into_groups(
    permitted: Permitted, visited: dict[ValueReference, AdminPermission], groups: _Groups
) -> Permitted:
    members: dict[ValueReference, AdminPermission] = {}
    for reference, permissions in permitted.items():
        if reference in visited and not permissions & ~visited[reference]:
            continue
        _permit(visited, reference, permissions)
        for member in await groups.members_of(reference):
            _permit(members, member, permissions)
    return members


def _permit(
    permitted: dict[ValueReference, AdminPermission], reference: ValueReference, permissions: AdminPermission
) -> None:
    permitted[reference] = permitted.get(reference, NO_PERMISSION) | permissions


class _Groups:
    """The groups that one claim leads to, each record looked at once, within the bounds."""

    def __init__(self, find_record: FindRecord) -> None:
        self._find_record = find_record
        self._groups: dict[bytes, Mapping[int, AdministratorGroup]] = {}
        self._octets_left = GROUP_RECORD_OCTETS_MAX
        self._group_octets_left = GROUP_OCTETS_MAX

    async def members_of(self, reference: ValueReference) -> tuple[ValueReference, ...]:
        """Return the members of a group; none when `reference` is to something else, or to a whole record."""
        if reference.index == 0:  # As in the reference: "any value" is meant for keys.
            return ()
        handle = Handle(reference.handle)
        key = handle.key()
        if key not in self._groups:
            if len(self._groups) == GROUP_RECORDS_MAX:
                return ()
            self._groups[key] = {}
            self._groups[key] = self._read(await self._find_record(handle))
        group = self._groups[key].get(reference.index)
        return () if group is None else group.members

    def _read(self, record: HandleRecord | None) -> Mapping[int, AdministratorGroup]:
        if record is None or len(record.value_list) > self._octets_left:
            return {}
        self._octets_left -= len(record.value_list)
        return dict(self._read_groups(record.values))

    def _read_groups(self, values: Iterable[HandleValue]) -> Iterator[tuple[int, AdministratorGroup]]:
        for value in values:
            if type_has(value.value_type, GROUP_TYPE) and len(value.data) <= self._group_octets_left:
                self._group_octets_left -= len(value.data)
                group = parse_data(value)
                if isinstance(group, AdministratorGroup):
                    yield value.index, group
