"""HS_VLIST: a group of administrators, as a list of references (RFC 3651 §3.2.8): u32 count, then each."""

from __future__ import annotations

from dataclasses import dataclass

from handle_protocol.octets import OctetReader
from handle_protocol.value import ValueReference, decode_references, encode_references


@dataclass(frozen=True, slots=True)
class AdministratorGroup:
    """References to keys or to further groups; index 0 = every value of that handle."""

    members: tuple[ValueReference, ...]


def encode_group(group: AdministratorGroup) -> bytes:
    """Return the octets of a group."""
    return encode_references(group.members)


def decode_group(data: bytes) -> AdministratorGroup:
    """Read a group that fills `data`.

    Raises:
        MalformedMessage: the octets are no group.
    """
    reader = OctetReader(data)
    members = decode_references(reader)
    reader.finish("administrator group")
    return AdministratorGroup(members)
