"""HS_ADMIN: who may change a record (RFC 3651 §3.2.1).

octets  field
     2  permissions
   4+n  handle of the administrator
     4  index of the administrator's key or group there
     2  zero, from old writers alone
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntFlag
from typing import Final

from handle_protocol import octets
from handle_protocol.octets import OctetReader
from handle_protocol.value import ValueReference

_SPARE_OCTETS: Final = bytes(2)


class AdminPermission(IntFlag):
    """What an administrator may do. Other bits pass through."""

    ADD_HANDLE = 0x001
    DELETE_HANDLE = 0x002
    ADD_DERIVED_PREFIX = 0x004
    DELETE_DERIVED_PREFIX = 0x008
    MODIFY_VALUE = 0x010
    REMOVE_VALUE = 0x020
    ADD_VALUE = 0x040
    MODIFY_ADMIN = 0x080
    REMOVE_ADMIN = 0x100
    ADD_ADMIN = 0x200
    READ_VALUE = 0x400
    LIST_HANDLES = 0x800


@dataclass(frozen=True, slots=True)
class Administrator:
    """One who may change a record.

    Attributes:
        permissions: bits of AdminPermission.
        reference: the value that holds the administrator's key, or a group of them.
        has_spare_octets: two zero octets follow, as old writers leave them.
    """

    permissions: int
    reference: ValueReference
    has_spare_octets: bool = False


def encode_administrator(administrator: Administrator) -> bytes:
    """Return the octets of an administrator."""
    return b"".join(
        (
            octets.u16(administrator.permissions),
            octets.text(administrator.reference.handle),
            octets.u32(administrator.reference.index),
            _SPARE_OCTETS if administrator.has_spare_octets else b"",
        )
    )


def decode_administrator(data: bytes) -> Administrator:
    """Read an administrator that fills `data`.

    Raises:
        MalformedMessage: the octets are no administrator.
    """
    reader = OctetReader(data)
    permissions = reader.u16("administrator permissions")
    handle = reader.text("administrator handle")
    index = reader.u32("administrator index")
    has_spare_octets = reader.skip(_SPARE_OCTETS)
    reader.finish("administrator")
    return Administrator(permissions, ValueReference(index, handle), has_spare_octets)
