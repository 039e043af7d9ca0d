"""Which permissions a command needs, and from the administrators of which record: the tables of the reference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from handle_protocol.handle import Handle, fold
from handle_protocol.predefined.admin import AdminPermission
from handle_protocol.record import HandleRecord
from handle_protocol.value import HandleValue

NO_PERMISSION: Final = AdminPermission(0)
ALL_PERMISSIONS: Final = ~NO_PERMISSION

ADMIN_TYPE: Final = "HS_ADMIN"
GROUP_TYPE: Final = "HS_VLIST"

WhatIsThere = bool | None
"""A value that gives rights (True), one that does not (False), or none at all (None)."""

TO_CHANGE_A_VALUE: Final[Mapping[tuple[WhatIsThere, WhatIsThere], AdminPermission]] = {
    (None, False): AdminPermission.ADD_VALUE,
    (None, True): AdminPermission.ADD_ADMIN,
    (False, False): AdminPermission.MODIFY_VALUE,
    (True, True): AdminPermission.MODIFY_ADMIN,
    (False, True): AdminPermission.REMOVE_VALUE | AdminPermission.ADD_ADMIN,
    (True, False): AdminPermission.REMOVE_ADMIN | AdminPermission.ADD_VALUE,
    (False, None): AdminPermission.REMOVE_VALUE,
    (True, None): AdminPermission.REMOVE_ADMIN,
}
"""By what was there before and what is there afterwards (RFC 3651 §3.2.1). Who may add and remove values still cannot
make themselves an administrator."""


@dataclass(frozen=True, slots=True)
class Need:
    """Permissions that somebody must have as an administrator of one record.

    Attributes:
        handle: that record.
        permissions: none of them = just being an administrator.
    """

    handle: Handle
    permissions: AdminPermission


Ways = tuple[tuple[Need, ...], ...]
"""Each of these suffices, with all of its needs together. None at all: nobody is asked who they are."""


def type_has(value_type: str, parent: str) -> bool:
    """Tell whether a type is `parent` or a dotted child of it: HS_ADMIN.X gives rights as HS_ADMIN does."""
    return fold(value_type).partition(".")[0] == parent


def gives_rights(value: HandleValue) -> bool:
    """Tell whether a value may name an administrator. Whoever is found by such values needs its permissions, too."""
    return type_has(value.value_type, ADMIN_TYPE)


def need_to_create(handle: Handle) -> Need:
    """Return what it takes to make a record: its prefix says who may, that of a derived prefix its parent."""
    described = handle.described_prefix
    if described is not None and described.parent is not None:
        return Need(described.parent.handle, AdminPermission.ADD_DERIVED_PREFIX)
    return Need(handle.prefix.handle, AdminPermission.ADD_HANDLE)


def ways_to_know(handle: Handle, record: HandleRecord | None) -> Ways:
    """Return what it takes to hear that `handle`, or a value of its `record`, is not there: being an administrator.

    Of the record, with whatever permissions; where there is none, of the one that says who may make it.
    """
    whose = need_to_create(handle).handle if record is None else handle
    return ((Need(whose, NO_PERMISSION),),)


def ways_to_replace(handle: Handle, for_the_difference: AdminPermission) -> Ways:
    """Return how a record that exists may be created once more (reference, create with OVERWRITE).

    Who may create it may say the same again: a request that is repeated is answered as the first time.
    """
    creation = need_to_create(handle)
    ways = (
        (Need(handle, for_the_difference),),
        (Need(handle, AdminPermission.ADD_ADMIN),),
        (Need(handle, AdminPermission.DELETE_HANDLE), creation),
    )
    return ways if for_the_difference else (*ways, (creation,))
