"""NDJSON files as records: each line is one object {"handle": …, "values": [ … ]} in Handle.Net's JSON.

Other members, such as the responseCode of a saved answer, are passed over. Lines whose values are all plain text are
read by their shape alone; every other line goes through the general reader of the JSON form, which knows all types
and says what is wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Annotated, Any, Final, Literal

import msgspec

from handle_protocol import octets
from handle_protocol.errors import InvalidValue
from handle_protocol.handle import Handle
from handle_protocol.json_fields import U32_MAX
from handle_protocol.json_form import value_from_json
from handle_protocol.limits import TTL_SECONDS_DEFAULT, VALUE_TYPE_OCTETS_MAX, VALUES_MAX
from handle_protocol.record import encode_value_list
from handle_protocol.value import HandleValue
from node.input.batch import Batch
from node.input.encoding import Encoding
from node.input.handle_cell import parse_handle
from node.input.limits import INDEX_MAX, LINE_OCTETS_MAX
from node.input.lines import LineBlock
from node.input.problems import Problem, RowProblem
from node.input.seen_handles import SeenHandles
from node.input.urls import is_unsafe, is_url_type
from node.input.value_octets import NO_REFERENCES, value_head

_TTL_MAX: Final = 2**31 - 1


class _Text(msgspec.Struct):
    format: Literal["string"]
    value: str


class _TextValue(msgspec.Struct):
    index: Annotated[int, msgspec.Meta(ge=1, le=INDEX_MAX)]
    type: Annotated[str, msgspec.Meta(min_length=1, max_length=VALUE_TYPE_OCTETS_MAX // 4)]
    data: _Text
    ttl: Annotated[int, msgspec.Meta(ge=0, le=_TTL_MAX)] = TTL_SECONDS_DEFAULT
    permissions: Literal["1110"] = "1110"
    timestamp: datetime | None = None
    references: Annotated[list[Any], msgspec.Meta(max_length=0)] = []


class _TextRecord(msgspec.Struct):
    handle: str
    values: Annotated[list[_TextValue], msgspec.Meta(min_length=1, max_length=VALUES_MAX)]


class _AnyRecord(msgspec.Struct):
    handle: str
    values: list[Any]


class _AnyLine(msgspec.Struct):
    handle: str = ""


_TEXT_RECORD: Final = msgspec.json.Decoder(_TextRecord)
_ANY_RECORD: Final = msgspec.json.Decoder(_AnyRecord)
_HANDLE: Final = msgspec.json.Decoder(_AnyLine)
_length = octets.u32


def read_ndjson(blocks: Iterable[LineBlock], encoding: Encoding, stamp: int = 0) -> Iterator[Batch]:
    """Yield the records of an NDJSON file, about a thousand at a time; blank lines are passed over.

    Values that do not say when they were changed are stamped with `stamp`, Unix seconds.

    Raises:
        UnreadableFile: there are too many rows.
    """
    seen = SeenHandles()
    for block in blocks:
        batch = Batch()
        batch_line = partial(_read_line, batch, encoding, stamp, seen)
        if block.is_too_long:
            batch.refuse(block.first_line, "", RowProblem(Problem.LINE_TOO_LONG, limit=LINE_OCTETS_MAX))
        else:
            for row, line in enumerate(block.octets.split(b"\n"), block.first_line):
                if line and not line.isspace():
                    batch_line(row, line)
        yield batch


def _read_line(batch: Batch, encoding: Encoding, stamp: int, seen: SeenHandles, row: int, line: bytes) -> None:
    try:
        try:
            handle, value_list = _read_text_record(line, stamp)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            handle, value_list = _read_any_record(line, encoding, stamp)
        batch.add(row, handle, value_list, seen)
    except RowProblem as problem:
        batch.refuse(row, _readable_handle(line), problem)


def _read_text_record(line: bytes, stamp: int) -> tuple[Handle, bytes]:
    """Read a line whose values are all plain text."""
    read = _TEXT_RECORD.decode(line)
    _check_indexes([value.index for value in read.values])
    values = [_text_value(value, stamp) for value in read.values]
    return parse_handle(read.handle), _length(len(values)) + b"".join(values)


def _text_value(value: _TextValue, stamp: int) -> bytes:
    modified_at = stamp if value.timestamp is None else _unix_seconds(value.timestamp)
    if is_url_type(value.type) and is_unsafe(value.data.value):
        raise msgspec.ValidationError("unsafe")  # The general reader says where.
    data = value.data.value.encode()
    return value_head(value.index, value.type, value.ttl, modified_at) + _length(len(data)) + data + NO_REFERENCES


def _unix_seconds(moment: datetime) -> int:
    """Return a moment as a stamp; what is none is left to the general reader, which knows and says more."""
    if moment.tzinfo is None or not 0 <= (seconds := int(moment.timestamp())) <= U32_MAX:
        raise msgspec.ValidationError("no moment of the Unix clock")
    return seconds


def _read_any_record(line: bytes, encoding: Encoding, stamp: int) -> tuple[Handle, bytes]:
    """Read a line with values of any type, or say what is wrong with it."""
    try:
        read = _ANY_RECORD.decode(line)
    except UnicodeDecodeError:
        raise RowProblem(Problem.NOT_TEXT, encoding=encoding.value) from None
    except (msgspec.DecodeError, RecursionError) as error:
        raise RowProblem(Problem.INVALID_JSON, detail=str(error)) from None
    handle = parse_handle(read.handle)
    if len(read.values) > VALUES_MAX:
        raise RowProblem(Problem.TOO_MANY_VALUES, "values", limit=VALUES_MAX)
    values = [_any_value(value, position, stamp) for position, value in enumerate(read.values)]
    _check_indexes([value.index for value in values])
    return handle, encode_value_list(tuple(values))


def _any_value(value: object, position: int, stamp: int) -> HandleValue:
    try:
        read = value_from_json(value, f"values[{position}]")
    except InvalidValue as error:
        raise RowProblem(Problem.INVALID_VALUE, error.field, expected=error.expected) from None
    if is_url_type(read.value_type) and is_unsafe(read.data.decode("latin-1")):
        raise RowProblem(Problem.INVALID_URL, f"values[{position}].data")
    return read if read.modified_at else replace(read, modified_at=stamp)


def _check_indexes(indexes: list[int]) -> None:
    if len(set(indexes)) < len(indexes):
        repeated = next(index for index in indexes if indexes.count(index) > 1)
        raise RowProblem(Problem.DUPLICATE_INDEX, "index", index=repeated)


def _readable_handle(line: bytes) -> str:
    """Return the handle of a line that is wrong in some way, "" if it has none."""
    try:
        return _HANDLE.decode(line).handle
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
