"""Stamps inside value lists: found, compared and patched in the octets, without decoding the values.

A stamp is the field `modified_at` of a value; the layout is that of `handle_protocol.value`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from handle_protocol import octets
from handle_protocol.errors import MalformedMessage
from handle_protocol.limits import REFERENCE_OCTETS_MIN, VALUE_OCTETS_MIN, VALUES_MAX

COUNT_OCTETS: Final = 4
STAMP: Final = slice(4, 8)
"""Where the stamp stands in a value."""

_LENGTH: Final = octets.layout("I")
_STAMP: Final = octets.layout("4xI")
_HEAD: Final = octets.layout("14xI")
"""The fixed fields of a value, of which only the last, the length of its type, is read."""


def split(value_list: bytes) -> Sequence[bytes]:
    """Return the octets of each value.

    Raises:
        MalformedMessage: the octets are no value list.
    """
    starts = _starts(value_list)
    ends = [*starts[1:], len(value_list)]
    return [value_list[start:end] for start, end in zip(starts, ends, strict=False)]  # No values, one end.


def stamp(value_list: bytes, now: int) -> bytes:
    """Return the value list with `now` (Unix seconds) in the values that have no stamp yet.

    Raises:
        MalformedMessage: the octets are no value list.
    """
    stamped = bytearray(value_list)
    read, write = _STAMP.unpack_from, _LENGTH.pack_into
    for start in _starts(value_list):
        if read(value_list, start)[0] == 0:
            write(stamped, start + STAMP.start, now)
    return bytes(stamped)


def are_equal_but_for_stamps(one: bytes, other: bytes) -> bool:
    """Tell whether two value lists hold the same values in the same order, whenever these were changed.

    Raises:
        MalformedMessage: `one` is no value list.
    """
    if len(one) != len(other):
        return False
    restamped = bytearray(other)
    for start in _starts(one):
        place = slice(start + STAMP.start, start + STAMP.stop)
        restamped[place] = one[place]
    return restamped == one


def keep_stamps(new: bytes, old: bytes) -> bytes:
    """Return `new` where each value that `old` holds too has the stamp it has there."""
    known = {_unstamped(value): value for value in split(old)}
    return new[:COUNT_OCTETS] + b"".join(known.get(_unstamped(value), value) for value in split(new))


def _unstamped(value: bytes) -> bytes:
    return value[: STAMP.start] + value[STAMP.stop :]


def _starts(value_list: bytes) -> Sequence[int]:
    # Every record that is stored passes here: written out for speed, 0.3 µs a value.
    length, head, end = _LENGTH.unpack_from, _HEAD.unpack_from, len(value_list)
    if end < COUNT_OCTETS:
        raise MalformedMessage("a value list", 0)
    starts = []
    offset = COUNT_OCTETS
    (count,) = length(value_list)
    if count > VALUES_MAX:
        raise MalformedMessage(f"at most {VALUES_MAX} values", 0)
    for _ in range(count):
        if offset + VALUE_OCTETS_MIN > end:
            raise MalformedMessage("a value", offset)
        starts.append(offset)
        offset += _HEAD.size + head(value_list, offset)[0]
        if offset + 2 * _LENGTH.size > end:
            raise MalformedMessage("the data of a value", offset)
        offset += _LENGTH.size + length(value_list, offset)[0]
        if offset + _LENGTH.size > end:
            raise MalformedMessage("the references of a value", offset)
        (references,) = length(value_list, offset)
        offset += _LENGTH.size
        if references:
            offset = _after_references(value_list, offset, references)
    if offset != end:
        raise MalformedMessage("the end of the value list", offset)
    return starts


def _after_references(value_list: bytes, offset: int, references: int) -> int:
    for _ in range(references):
        if offset + REFERENCE_OCTETS_MIN > len(value_list):
            raise MalformedMessage("a reference", offset)
        offset += REFERENCE_OCTETS_MIN + _LENGTH.unpack_from(value_list, offset)[0]
    return offset
