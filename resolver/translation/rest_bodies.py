"""The JSON that somebody sends to be stored: read strictly, within bounds that hold before anything is built of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Final, NoReturn

from handle_protocol.errors import InvalidValue
from handle_protocol.handle import Handle, fold
from handle_protocol.json_form import value_from_json
from handle_protocol.limits import VALUES_MAX
from handle_protocol.value import HandleValue

DEPTH_MAX: Final = 32
"""Ours: values as the reference writes them are seven deep."""

CONTAINERS_MAX: Final = 50_000
"""Ours: objects and lists in one body; 2,048 values with their data take some 8,000, the longest group 33,000."""

ITEMS_MAX: Final = 100_000
"""Ours: commas between members and items in one body; the longest group of references has 66,000."""

SIGNS_MAX: Final = 600_000
"""Ours: quotes, backslashes and commas in one body, by which reading it takes its time: the longest record has two for
each of its 262,144 octets, as text in which everything is escaped, and 50,000 around 2,048 values."""

NUMBER_DIGITS_MAX: Final = 20
"""Ours: the longest number that means anything here has ten."""

_TEXT: Final = re.compile(r'"[^"\\]*(?:\\(?:.|\Z)[^"\\]*)*(?:"|\Z)', re.DOTALL)
"""A text in JSON, or the rest of what has no end: something is always matched, so nothing is looked at twice."""

_NO_BRACKET: Final = re.compile(r"[^\[\]{}]+")
_LONG_NUMBER: Final = re.compile(rf"[0-9.eE+-]{{{NUMBER_DIGITS_MAX + 1}}}")


class UnreadableJson(ValueError):
    """A body that is no JSON, or none of ours: the text tells what was expected."""


def read_json(octets: bytes) -> object:
    """Read JSON in UTF-8 (RFC 8259); a name stands once in an object.

    Raises:
        UnreadableJson: it is none, or larger than anything that could be stored.
    """
    if sum(map(octets.count, (b'"', b"\\", b","))) > SIGNS_MAX:
        raise UnreadableJson("Expected less JSON 请求正文过长")
    try:
        text = octets.decode()
        _check_bounds(_TEXT.sub("", text))
        return json.loads(text, object_pairs_hook=_object, parse_constant=_refuse_constant)
    except UnicodeDecodeError:
        raise UnreadableJson("Invalid JSON in request: expected UTF-8 请求正文应为 UTF-8 编码") from None
    except json.JSONDecodeError as error:
        raise UnreadableJson(f"Invalid JSON in request 请求正文不是有效的 JSON (line {error.lineno})") from None


def read_values(octets: bytes, handle: Handle) -> tuple[HandleValue, ...]:
    """Read values to be stored: a list of them, an object with `values`, or just one (vector 14).

    Raises:
        UnreadableJson: it is no JSON, or names another handle.
        InvalidValue: a value is not as it should be; it names the field.
    """
    body = read_json(octets)
    if isinstance(body, dict) and "values" in body:
        named = body.get("handle")
        is_named = isinstance(named, str) and is_text((named,)) and fold(named) == fold(handle.spelling)
        if named is not None and not is_named:
            raise UnreadableJson("Handle in request does not match 正文中的标识与网址不一致")
        body = body["values"]
    values = [body] if isinstance(body, dict) else body
    if not isinstance(values, list):
        raise UnreadableJson("Invalid JSON in request: expected values 请求正文应为标识值")
    if len(values) > VALUES_MAX:
        raise InvalidValue("values", f"at most {VALUES_MAX} values, not {len(values)}")
    return tuple(value_from_json(value, f"values[{number}]") for number, value in enumerate(values))


def read_fields(octets: bytes) -> dict[str, str]:
    """Read an object whose members are texts, numbers or truth values.

    Raises:
        UnreadableJson: it is something else.
    """
    body = read_json(octets)
    if not isinstance(body, dict) or any(isinstance(member, dict | list) for member in body.values()):
        raise UnreadableJson("Invalid JSON in request: expected an object of texts 请求正文应为文本对象")
    fields = {name: _as_text(member) for name, member in body.items() if member is not None}
    if not is_text((*fields, *fields.values())):
        raise UnreadableJson("Invalid JSON in request: expected whole characters 请求正文含有不完整的字符")
    return fields


def is_text(texts: Iterable[str]) -> bool:
    """Tell whether texts from JSON can be written in UTF-8: an escape may be half a character (RFC 8259 §8.2)."""
    try:
        "".join(texts).encode()
    except UnicodeEncodeError:
        return False
    return True


def _check_bounds(structure: str) -> None:
    """Check what is left of JSON without its texts."""
    if structure.count(",") > ITEMS_MAX or structure.count("[") + structure.count("{") > CONTAINERS_MAX:
        raise UnreadableJson(f"Expected at most {CONTAINERS_MAX} objects and lists, {ITEMS_MAX} items 内容过多")
    if _LONG_NUMBER.search(structure):
        raise UnreadableJson(f"Expected numbers of at most {NUMBER_DIGITS_MAX} digits 数字过长")
    depth = 0
    for bracket in _NO_BRACKET.sub("", structure):
        depth += 1 if bracket in "[{" else -1
        if depth > DEPTH_MAX:
            raise UnreadableJson(f"Expected at most {DEPTH_MAX} levels of JSON 嵌套过深")


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise UnreadableJson("Expected every name once in an object 对象中的名称重复")
    return members


def _refuse_constant(name: str) -> NoReturn:
    raise UnreadableJson(f"Invalid JSON in request: {name}")


def _as_text(member: object) -> str:
    return str(member).lower() if isinstance(member, bool) else str(member)
