"""On which terms values may be remembered and shown, read from their octets without decoding them.

Every record that comes from the register passes here, and needs two of the fields in `handle_protocol.value`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

from handle_protocol import octets
from handle_protocol.record import decode_value_list, encode_value_list
from handle_protocol.value import Permissions, Ttl

_HEAD: Final = octets.layout("8xBiBI")
"""Of a value: kind of time to live, time to live, permissions, length of the type."""

_LENGTH: Final = octets.layout("I")
_PUBLIC_READ: Final = int(Permissions.PUBLIC_READ)  # Enumerations calculate in Python, plain numbers do not.


class Terms(NamedTuple):
    """What holds for a value list.

    Attributes:
        ttls: the different times to live of its values, in no order.
        public_list: the values that everybody may read; the same object when these are all.
    """

    ttls: tuple[Ttl, ...]
    public_list: bytes


def terms_of(value_list: bytes) -> Terms:
    """Return the terms of a value list as the register keeps it."""
    head, length = _HEAD.unpack_from, _LENGTH.unpack_from
    ttls: set[tuple[int, int]] = set()
    common_permissions = _PUBLIC_READ
    offset = _LENGTH.size
    for _ in range(length(value_list)[0]):
        kind, amount, permissions, type_octets = head(value_list, offset)
        ttls.add((amount, kind))
        common_permissions &= permissions
        offset += _HEAD.size + type_octets
        offset += _LENGTH.size + length(value_list, offset)[0]
        (references,) = length(value_list, offset)
        offset += _LENGTH.size
        for _ in range(references):
            offset += 2 * _LENGTH.size + length(value_list, offset)[0]
    public_list = value_list if common_permissions else _public_part(value_list)
    return Terms(tuple(_ttl(*each) for each in ttls), public_list)


@lru_cache(maxsize=1_024)
def _ttl(amount: int, kind: int) -> Ttl:
    return Ttl(amount, kind)


def _public_part(value_list: bytes) -> bytes:
    return encode_value_list(tuple(value for value in decode_value_list(value_list) if value.is_public))
