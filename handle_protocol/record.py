"""A handle with all its values: what the register keeps, the cache holds and the wire carries.

A *value list* is a u32 count and that many encoded values, exactly as a resolution response carries them. A
record keeps its values in this form, so that an answer is a concatenation, and decodes them when they are looked at.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from handle_protocol import octets
from handle_protocol.handle import Handle
from handle_protocol.limits import VALUE_OCTETS_MIN, VALUES_MAX
from handle_protocol.octets import OctetReader
from handle_protocol.value import HandleValue, decode_value, encode_value

NO_VALUES: Final = octets.u32(0)
"""The value list of a record without values."""


@dataclass(frozen=True, slots=True)
class HandleRecord:
    """A handle and its values.

    Attributes:
        value_list: the values in wire form.
        revision: grows with every change of this handle, over deletion too; 0 = not stored yet.
        is_deleted: it was deleted, and only its revision goes on.
    """

    handle: Handle
    value_list: bytes
    revision: int = 0
    is_deleted: bool = False

    @classmethod
    def of(cls, handle: Handle, values: Iterable[HandleValue], revision: int = 0) -> HandleRecord:
        """Make a record from values."""
        return cls(handle, encode_value_list(tuple(values)), revision)

    @property
    def values(self) -> tuple[HandleValue, ...]:
        """The values, decoded anew at each look, in the order in which they are stored."""
        return decode_value_list(self.value_list)


@dataclass(frozen=True, slots=True)
class RecordChange:
    """One record as somebody decided it should be from now on.

    Attributes:
        handle: whose record; a record that lives already keeps its spelling.
        value_list: the new values in wire form, stamped; None = the record is deleted.
        expected_revision: of the living record that the decision was made upon; 0 = there was none.
        identity: who decided, as "300:0.NA/88.118.8"; empty for a value that anybody may write.
    """

    handle: Handle
    value_list: bytes | None
    expected_revision: int
    identity: str


class ChangeResult(Enum):
    """What became of a RecordChange."""

    DONE = "done"
    CONFLICT = "conflict"
    """The record has another revision meanwhile: look again, decide again."""
    NOT_OURS = "not_ours"
    SUSPENDED = "suspended"
    DELEGATED = "delegated"
    TOO_LONG = "too_long"


def encode_value_list(values: tuple[HandleValue, ...]) -> bytes:
    """Return a count and the octets of that many values."""
    return octets.u32(len(values)) + b"".join(map(encode_value, values))


def decode_value_list(value_list: bytes) -> tuple[HandleValue, ...]:
    """Read a value list that fills its octets exactly.

    Raises:
        MalformedMessage: the octets are no value list.
    """
    reader = OctetReader(value_list)
    values = read_value_list(reader)
    reader.finish("value list")
    return values


def read_value_list(reader: OctetReader) -> tuple[HandleValue, ...]:
    """Read a count and that many values.

    Raises:
        MalformedMessage: the octets end early.
    """
    return tuple(decode_value(reader) for _ in range(reader.count("values", VALUE_OCTETS_MIN, VALUES_MAX)))
