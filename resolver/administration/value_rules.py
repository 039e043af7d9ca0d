"""What values must be like to be written at all, whoever sends them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from handle_protocol.codes import ResponseCode
from handle_protocol.errors import ProtocolError
from handle_protocol.limits import VALUE_LIST_OCTETS_MAX, VALUES_MAX
from handle_protocol.predefined import parse_data
from handle_protocol.security.errors import UnsupportedKey
from handle_protocol.security.public_keys import read_public_key
from handle_protocol.value import HandleValue
from resolver.administration.outcomes import Refused
from resolver.administration.rights import ADMIN_TYPE, GROUP_TYPE, type_has

INDEX_MAX: Final = 2**31 - 1
"""Reference: clients in Java hold an index in a signed number; a larger one reads as negative there."""

GROUP_OCTETS_MAX: Final = 65_536
"""Ours: the longest HS_VLIST, some two thousand members; every one is compared when somebody claims to be one."""

_NOT_IN_URLS: Final = re.compile(rb"[\x00-\x1f\x7f\\]")
"""Line ends would forge headers of a redirect, the others hide from a reader where a browser will go."""

KEY_TYPE: Final = "HS_PUBKEY"
"""An owner whose key cannot be read has lost the record."""

EMPTY: Final = Refused(ResponseCode.INVALID_VALUE, "Value list was empty 值列表为空")
TOO_LONG: Final = Refused(
    ResponseCode.INVALID_VALUE,
    f"At most {VALUES_MAX} values in {VALUE_LIST_OCTETS_MAX} octets 值过多或过长:最多 {VALUES_MAX} 个,"
    f"共 {VALUE_LIST_OCTETS_MAX} 字节",
)
_NOT_POSITIVE: Final = Refused(ResponseCode.INVALID_VALUE, "Value indexes must be positive")  # vector 14


def find_fault(values: Sequence[HandleValue]) -> Refused | None:
    """Return why `values`, as they were sent in one request, cannot be written; None when they can."""
    if len(values) > VALUES_MAX:
        return TOO_LONG
    if not all(1 <= value.index <= INDEX_MAX for value in values):
        return _NOT_POSITIVE
    seen: set[int] = set()
    for value in values:
        if value.index in seen:
            return index_conflict(value.index)
        seen.add(value.index)
    return next(filter(None, map(_find_fault_of_one, values)), None)


def find_conflict(taken: Iterable[int], values: Iterable[HandleValue]) -> Refused | None:
    """Return the refusal of the first of `values` whose index is among those `taken` already."""
    indexes = sorted(set(taken).intersection(value.index for value in values))
    return index_conflict(indexes[0]) if indexes else None


def index_conflict(index: int) -> Refused:
    """Return the refusal of an index that is used twice (vector 14, "PUT duplicate indexes")."""
    return Refused(ResponseCode.VALUE_ALREADY_EXISTS, f"Index conflict for {index}")


def _find_fault_of_one(value: HandleValue) -> Refused | None:
    if not value.value_type:
        return _invalid(value, "has no type", "没有类型")
    if type_has(value.value_type, "URL") and _NOT_IN_URLS.search(value.data):
        return _invalid(
            value, "is no URL: control characters and backslashes are refused", "不是 URL:含控制字符或反斜杠"
        )
    if type_has(value.value_type, ADMIN_TYPE) or type_has(value.value_type, GROUP_TYPE):
        if len(value.data) > GROUP_OCTETS_MAX:
            return _invalid(value, f"is longer than {GROUP_OCTETS_MAX} octets", f"超过 {GROUP_OCTETS_MAX} 字节")
        if isinstance(parse_data(value), bytes):
            return _invalid(value, f"is no {value.value_type[:20]}", f"不是有效的 {value.value_type[:20]}")
    if type_has(value.value_type, KEY_TYPE) and not _is_key(value.data):
        return _invalid(value, "is no public key", "不是有效的公钥")
    return None


def _is_key(data: bytes) -> bool:
    """Tell whether octets are a public key; one of a kind that is not supported here may be of use elsewhere."""
    try:
        read_public_key(data)
    except UnsupportedKey:
        return True
    except ProtocolError:
        return False
    return True


def _invalid(value: HandleValue, english: str, chinese: str) -> Refused:
    return Refused(ResponseCode.INVALID_VALUE, f"Value {value.index} {english} 值 {value.index} {chinese}")
