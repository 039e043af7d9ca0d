"""Reading and writing octets: the only file that knows byte order (big-endian, RFC 3652 §2.1).

A *counted* field is a u32 length followed by that many octets; a *text* is a counted field in UTF-8.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final

from handle_protocol.errors import MalformedMessage
from handle_protocol.limits import MESSAGE_OCTETS_MAX

_U8: Final = struct.Struct(">B")
_U16: Final = struct.Struct(">H")
_U32: Final = struct.Struct(">I")

u8 = _U8.pack
u16 = _U16.pack
u32 = _U32.pack


def layout(fields: str) -> struct.Struct:
    """Compile a fixed run of fields, in the letters of :mod:`struct`, without padding."""
    return struct.Struct(">" + fields)


def counted(octets: bytes) -> bytes:
    """Write a counted field."""
    return _U32.pack(len(octets)) + octets


def text(characters: str) -> bytes:
    """Write a text."""
    return counted(characters.encode())


def u32s(numbers: Sequence[int]) -> bytes:
    """Write 32-bit numbers one after another."""
    return struct.pack(f">{len(numbers)}I", *numbers)


def integer(number: int) -> bytes:
    """Write a number of any size as a counted field: two's complement, no more octets than needed."""
    return counted(number.to_bytes(number.bit_length() // 8 + 1, "big", signed=True))


class OctetReader:
    """A cursor over octets that never reads past its end.

    Every method raises MalformedMessage, naming `what` it wanted, when the octets do not hold it. Lengths and
    counts are checked against the octets that remain before anything is allocated.
    """

    __slots__ = ("_end", "_octets", "_offset")

    def __init__(self, octets: bytes, start: int = 0, end: int | None = None) -> None:
        self._octets = octets
        self._offset = start
        self._end = len(octets) if end is None else end

    @property
    def offset(self) -> int:
        """Where the cursor stands, in octets from the start of the underlying octets."""
        return self._offset

    @property
    def remaining(self) -> int:
        """How many octets are left."""
        return self._end - self._offset

    def fields(self, run: struct.Struct, what: str) -> tuple[int, ...]:
        """Read a fixed run of fields."""
        return run.unpack_from(self._octets, self._advance(run.size, what))

    def u8(self, what: str) -> int:
        """Read one octet as a number."""
        return self._octets[self._advance(1, what)]

    def u16(self, what: str) -> int:
        """Read a 16-bit number."""
        number: int = _U16.unpack_from(self._octets, self._advance(2, what))[0]
        return number

    def u32(self, what: str) -> int:
        """Read a 32-bit number."""
        number: int = _U32.unpack_from(self._octets, self._advance(4, what))[0]
        return number

    def u32s(self, count: int, what: str) -> tuple[int, ...]:
        """Read `count` 32-bit numbers."""
        start = self._advance(count * _U32.size, what)
        return struct.unpack_from(f">{count}I", self._octets, start)

    def integer(self, what: str) -> int:
        """Read a number of any size: a counted field in two's complement."""
        return int.from_bytes(self.counted(what), "big", signed=True)

    def take(self, count: int, what: str) -> bytes:
        """Read `count` octets."""
        start = self._advance(count, what)
        return self._octets[start : self._offset]

    def skip(self, wanted: bytes) -> bool:
        """Step over `wanted` if it is all that is left, and tell whether it was."""
        is_there = self.remaining == len(wanted) and self._octets[self._offset : self._end] == wanted
        self._offset += len(wanted) * is_there
        return is_there

    def rest(self) -> bytes:
        """Read all that is left, possibly nothing."""
        return self.take(self.remaining, "the rest")

    def counted(self, what: str) -> bytes:
        """Read a counted field."""
        return self.take(self.u32(what), what)

    def text(self, what: str) -> str:
        """Read a text."""
        start = self._offset
        try:
            return self.counted(what).decode()
        except UnicodeDecodeError as error:
            raise MalformedMessage(f"{what} in UTF-8", start + 4 + error.start) from None

    def count(self, what: str, octets_each: int, most: int = MESSAGE_OCTETS_MAX) -> int:
        """Read how many items follow, each of at least `octets_each` octets, and `most` of them."""
        start = self._offset
        number = self.u32(what)
        possible = min(most, self.remaining // octets_each)
        if number > possible:
            raise MalformedMessage(f"at most {possible} {what}, not {number},", start)
        return number

    def region(self, count: int, what: str) -> OctetReader:
        """Step over the next `count` octets and return a reader of just these."""
        start = self._advance(count, what)
        return OctetReader(self._octets, start, self._offset)

    def finish(self, what: str) -> None:
        """Check that nothing is left: leftovers are malformed."""
        if self.remaining:
            raise MalformedMessage(f"the end of {what}, not {self.remaining} more octets,", self._offset)

    def _advance(self, count: int, what: str) -> int:
        start = self._offset
        if count > self._end - start:
            raise MalformedMessage(f"{what} ({count} octets, {self._end - start} left)", start)
        self._offset = start + count
        return start
