"""Values and records as JSON, in the form that Handle.Net's REST interface made usual (its version 9.2.0).

Here are plain dictionaries, lists, texts and numbers, no JSON text. Names and order of the members are the
reference's. Where 9.2.0 misreads what it wrote itself (permissions such as "0110" never clear the first digit), we
do not.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from handle_protocol.errors import InvalidValue
from handle_protocol.handle import Handle
from handle_protocol.json_data import JsonDict, data_from_json, data_to_json, reference_from_json, reference_to_json
from handle_protocol.json_fields import U32_MAX, JsonObject, whole_number
from handle_protocol.limits import HANDLE_OCTETS_MAX, TTL_SECONDS_DEFAULT, VALUE_TYPE_OCTETS_MAX
from handle_protocol.record import HandleRecord
from handle_protocol.value import PERMISSIONS_DEFAULT, HandleValue, Ttl, TtlKind

_PERMISSION_BITS: Final = 0b1111
_PERMISSIONS: Final = re.compile(r"[01]{4}")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND: Final = timedelta(seconds=1)
_I32_MIN: Final = -(2**31)
_I32_MAX: Final = 2**31 - 1


def record_to_json(record: HandleRecord) -> JsonDict:
    """Return a record as an object with handle and values."""
    return {"handle": str(record.handle), "values": [value_to_json(value) for value in record.values]}


def record_from_json(json: object) -> HandleRecord:
    """Read an object with handle and values; other members are left alone.

    Raises:
        InvalidHandle: `handle` can be no handle.
        InvalidValue: something else is not as it should be; it names the field.
    """
    form = JsonObject(json, "")
    handle = Handle.parse(form.text("handle", HANDLE_OCTETS_MAX))
    return HandleRecord.of(handle, (value_from_json(*item) for item in form.items("values")))


def value_to_json(value: HandleValue) -> JsonDict:
    """Return a value as an object, without the members that say what is usual."""
    form: JsonDict = {"index": value.index, "type": value.value_type, "data": data_to_json(value)}
    permissions = value.permissions & _PERMISSION_BITS
    if permissions != PERMISSIONS_DEFAULT:
        form["permissions"] = f"{permissions:04b}"
    amount = value.ttl.amount
    form["ttl"] = _time_to_json(amount) if value.ttl.kind == TtlKind.ABSOLUTE else amount
    if value.modified_at:
        form["timestamp"] = _time_to_json(value.modified_at)
    if value.references:
        form["references"] = [reference_to_json(reference) for reference in value.references]
    return form


def value_from_json(json: object, field: str = "") -> HandleValue:
    """Read a value.

    Args:
        json: an object with index, type and data; permissions, ttl, timestamp and references may be missing.
        field: where the object stands, for errors.

    Raises:
        InvalidValue: something is missing or not as it should be; it names the field.
    """
    form = JsonObject(json, field)
    return HandleValue(
        index=form.number("index", 1, U32_MAX),
        value_type=form.text("type", VALUE_TYPE_OCTETS_MAX),
        data=data_from_json(form.get("data"), form.path("data")),
        ttl=_ttl_from_json(form.get("ttl"), form.path("ttl")),
        permissions=_permissions_from_json(form.get("permissions"), form.path("permissions")),
        modified_at=_timestamp_from_json(form.get("timestamp"), form.path("timestamp")),
        references=tuple(reference_from_json(*item) for item in form.items("references")),
    )


def _permissions_from_json(json: object, field: str) -> int:
    """Read digits in the order admin read, admin write, public read, public write; "*" is all of them."""
    if json is None:
        return PERMISSIONS_DEFAULT
    if json == "*":
        return _PERMISSION_BITS
    if not isinstance(json, str) or not _PERMISSIONS.fullmatch(json):
        raise InvalidValue(field, "four binary digits, such as 1110")
    return int(json, 2)


def _ttl_from_json(json: object, field: str) -> Ttl:
    if json is None:
        return Ttl(TTL_SECONDS_DEFAULT)
    if isinstance(json, str):
        return Ttl(_time_from_json(json, field, _I32_MIN, _I32_MAX), TtlKind.ABSOLUTE)
    return Ttl(whole_number(json, field, _I32_MIN, _I32_MAX))


def _timestamp_from_json(json: object, field: str) -> int:
    return 0 if json is None else _time_from_json(json, field, 0, U32_MAX)


def _time_to_json(unix_seconds: int) -> str:
    return f"{_EPOCH + unix_seconds * _SECOND:%Y-%m-%dT%H:%M:%SZ}"


def _time_from_json(json: object, field: str, least: int, most: int) -> int:
    """Read a time as ISO 8601 writes it, in UTC where it names no zone; fractions of a second are dropped."""
    try:
        moment = datetime.fromisoformat(json) if isinstance(json, str) else None
    except ValueError:
        moment = None
    if moment is None:
        raise InvalidValue(field, "a time such as 2026-11-22T06:25:51Z")
    seconds = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH
    return whole_number(seconds // _SECOND, field, least, most)
