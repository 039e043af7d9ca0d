"""Stamps inside value lists: found, compared and patched in the octets, without decoding the values.

A stamp is the field `modified_at` of a value; the layout is that of `handle_protocol.value`. Lengths and counts are
checked; whether texts are UTF-8 is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from handle_protocol import octets
from handle_protocol.errors import MalformedMessage
from handle_protocol.limits import REFERENCE_OCTETS_MIN, VALUE_LIST_OCTETS_MAX, VALUE_OCTETS_MIN, VALUES_MAX

COUNT_OCTETS: Final = 4
STAMP: Final = slice(4, 8)
"""Where the stamp stands in a value."""

_COUNT_MAX: Final = octets.u32(VALUES_MAX)
_LENGTH: Final = octets.layout("I")
_HEAD: Final = octets.layout("4xI6xI")
"""The fixed fields of a value, of which only the stamp and the length of its type are read."""


def split(value_list: bytes) -> Sequence[bytes]:
    """Return the octets of each value.

    Raises:
        MalformedMessage: the octets are no value list.
    """
    starts, _ = _starts_and_stamps(value_list)
    ends = [*starts[1:], len(value_list)]
    return [value_list[start:end] for start, end in zip(starts, ends, strict=False)]  # No values, one end.


def is_too_long(value_list: bytes) -> bool:
    """Tell whether no message could carry these values."""
    return len(value_list) > VALUE_LIST_OCTETS_MAX or value_list[:COUNT_OCTETS] > _COUNT_MAX


def stamp(value_list: bytes, now: int) -> bytes:
    """Return the value list with `now` (Unix seconds) in the values that have no stamp yet.

    Raises:
        MalformedMessage: the octets are no value list.
    """
    starts, stamps = _starts_and_stamps(value_list)
    if all(stamps):
        return value_list
    stamped = bytearray(value_list)
    write = _LENGTH.pack_into
    for start, known in zip(starts, stamps, strict=True):
        if not known:
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
    starts, _ = _starts_and_stamps(one)
    for start in starts:
        place = slice(start + STAMP.start, start + STAMP.stop)
        restamped[place] = one[place]
    return restamped == one


def keep_stamps(new: bytes, old: bytes) -> bytes:
    """Return `new` where each value that `old` holds too has the stamp it has there."""
    known = {_unstamped(value): value for value in split(old)}
    return new[:COUNT_OCTETS] + b"".join(known.get(_unstamped(value), value) for value in split(new))


def _unstamped(value: bytes) -> bytes:
    return value[: STAMP.start] + value[STAMP.stop :]


def _starts_and_stamps(value_list: bytes) -> tuple[Sequence[int], Sequence[int]]:
    # Every record that is stored passes here: written out for speed, 0.2 µs a value.
    length, head, end = _LENGTH.unpack_from, _HEAD.unpack_from, len(value_list)
    if end < COUNT_OCTETS:
        raise MalformedMessage("a value list", 0)
    (count,) = length(value_list)
    if count > VALUES_MAX:
        raise MalformedMessage(f"at most {VALUES_MAX} values", 0)
    starts, stamps = [], []
    offset = COUNT_OCTETS
    last_head, last_data, last_references = end - VALUE_OCTETS_MIN, end - 2 * _LENGTH.size, end - _LENGTH.size
    for _ in range(count):
        if offset > last_head:
            raise MalformedMessage("a value", offset)
        stamp, type_octets = head(value_list, offset)
        starts.append(offset)
        stamps.append(stamp)
        offset += _HEAD.size + type_octets
        if offset > last_data:
            raise MalformedMessage("the data of a value", offset)
        offset += _LENGTH.size + length(value_list, offset)[0]
        if offset > last_references:
            raise MalformedMessage("the references of a value", offset)
        (references,) = length(value_list, offset)
        offset += _LENGTH.size
        if references:
            offset = _after_references(value_list, offset, references)
    if offset != end:
        raise MalformedMessage("the end of the value list", offset)
    return starts, stamps


def _after_references(value_list: bytes, offset: int, references: int) -> int:
    for _ in range(references):
        if offset + REFERENCE_OCTETS_MIN > len(value_list):
            raise MalformedMessage("a reference", offset)
        offset += REFERENCE_OCTETS_MIN + _LENGTH.unpack_from(value_list, offset)[0]
    return offset
