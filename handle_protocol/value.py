"""A handle value: one typed, timed, guarded piece of data in a record (RFC 3651 §3.1).

Layout of an encoded value:

octets  field
     4  index
     4  timestamp of the last change, Unix seconds
     1  kind of time to live
     4  time to live, signed
     1  permissions
   4+n  type, UTF-8
   4+n  data
     4  number of references, then for each: 4+n handle, 4 index
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import IntEnum, IntFlag
from typing import Final

from handle_protocol import octets
from handle_protocol.handle import Handle, fold
from handle_protocol.limits import REFERENCE_OCTETS_MIN, TTL_SECONDS_DEFAULT, TTL_SECONDS_MAX
from handle_protocol.octets import OctetReader


class Permissions(IntFlag):
    """Who may read and write a value (RFC 3651 §3.1). Other bits pass through."""

    ADMIN_READ = 8
    ADMIN_WRITE = 4
    PUBLIC_READ = 2
    PUBLIC_WRITE = 1


PERMISSIONS_DEFAULT: Final = Permissions.ADMIN_READ | Permissions.ADMIN_WRITE | Permissions.PUBLIC_READ


class TtlKind(IntEnum):
    """How the number of a time to live is meant."""

    RELATIVE = 0
    ABSOLUTE = 1


@dataclass(frozen=True, slots=True)
class Ttl:
    """How long a value may be believed.

    Attributes:
        amount: seconds when relative, Unix time when absolute; signed, 32 bits.
        kind: a TtlKind, or an unknown octet that passes through and counts as relative.
    """

    amount: int = TTL_SECONDS_DEFAULT
    kind: int = TtlKind.RELATIVE

    def lifetime_seconds(self, now: float) -> int:
        """Return for how many seconds from `now` (Unix time) a cache may keep the value: 0 to two days."""
        left = self.amount - int(now) if self.kind == TtlKind.ABSOLUTE else self.amount
        return min(max(left, 0), TTL_SECONDS_MAX)


_INDEX: Final = re.compile("[0-9]{1,10}")
_INDEX_MAX: Final = 2**32 - 1


@dataclass(frozen=True, slots=True)
class ValueReference:
    """A value of a record, named by its index and its handle: `300:0.NA/88.118.8`.

    An index of 0 stands for any value of that record.
    """

    index: int
    handle: str

    @classmethod
    def parse(cls, spelling: str) -> ValueReference:
        """Read "index:handle"; without an index (four octets) before a colon the whole is a handle, index 0."""
        index, colon, handle = spelling.partition(":")
        if colon and _INDEX.fullmatch(index) and int(index) <= _INDEX_MAX:
            return cls(int(index), handle)
        return cls(0, spelling)

    def covers(self, claimed: ValueReference) -> bool:
        """Tell whether somebody who is listed with this reference is meant by the `claimed` one.

        Handles compare by their case rules; an index of 0 in the list, but not in the claim, stands for any.
        """
        if self.index not in (0, claimed.index):
            return False
        return Handle(self.handle).key() == Handle(claimed.handle).key()

    def __str__(self) -> str:
        return f"{self.index}:{self.handle}"


@dataclass(frozen=True, slots=True)
class HandleValue:
    """One row of a record.

    Attributes:
        index: unique in its record, 1 to 2³²-1.
        value_type: UTF-8 text; compared without regard to ASCII case.
        modified_at: last change, Unix seconds; 0 = not stamped yet, the register stamps it when it stores it.
    """

    index: int
    value_type: str
    data: bytes
    ttl: Ttl = field(default_factory=Ttl)
    permissions: int = PERMISSIONS_DEFAULT
    modified_at: int = 0
    references: tuple[ValueReference, ...] = ()

    @property
    def is_public(self) -> bool:
        """Whether anybody may read the value."""
        return bool(self.permissions & Permissions.PUBLIC_READ)

    def has_type(self, wanted: str) -> bool:
        """Tell whether a query for type `wanted` selects this value.

        "URL" selects URL in any case; "URL." also selects URL.CN and every other dotted child.
        """
        ours, wanted = fold(self.value_type), fold(wanted)
        if wanted.endswith("."):
            return ours == wanted[:-1] or ours.startswith(wanted)
        return ours == wanted


_FIXED = octets.layout("IIBiB")


def encode_value(value: HandleValue) -> bytes:
    """Return the octets of one value."""
    head = _FIXED.pack(value.index, value.modified_at, value.ttl.kind, value.ttl.amount, value.permissions)
    return b"".join(
        (
            head,
            octets.text(value.value_type),
            octets.counted(value.data),
            encode_references(value.references),
        )
    )


def decode_value(reader: OctetReader) -> HandleValue:
    """Read one value.

    Raises:
        MalformedMessage: the octets end early or a text is not UTF-8.
    """
    index, modified_at, ttl_kind, ttl_amount, permissions = reader.fields(_FIXED, "handle value")
    return HandleValue(
        index=index,
        value_type=reader.text("value type"),
        data=reader.counted("value data"),
        ttl=Ttl(ttl_amount, ttl_kind),
        permissions=permissions,
        modified_at=modified_at,
        references=decode_references(reader),
    )


def encode_references(references: tuple[ValueReference, ...]) -> bytes:
    """Return a count and that many references, each a handle and an index."""
    each = (octets.text(reference.handle) + octets.u32(reference.index) for reference in references)
    return octets.u32(len(references)) + b"".join(each)


def decode_references(reader: OctetReader) -> tuple[ValueReference, ...]:
    """Read a count and that many references.

    Raises:
        MalformedMessage: the octets end early, or a handle is not UTF-8.
    """
    return tuple(_decode_reference(reader) for _ in range(reader.count("references", REFERENCE_OCTETS_MIN)))


def _decode_reference(reader: OctetReader) -> ValueReference:
    handle = reader.text("referenced handle")
    return ValueReference(reader.u32("referenced index"), handle)
