"""Values on a command line: how they are written for `register` and shown by `resolve`."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Final

import click

from handle_protocol.handle import fold
from handle_protocol.json_form import value_to_json
from handle_protocol.value import PERMISSIONS_DEFAULT, HandleValue, Permissions
from node.cli.language import words
from node.cli.value_data import parse_data

INDEX_AND_TYPE: Final = re.compile(r"(?:(?P<index>[0-9]{1,10}):)?(?P<value_type>.+)", re.DOTALL)
INDEX_MAX: Final = 2**32 - 1
SECRET_PERMISSIONS: Final = Permissions.ADMIN_READ | Permissions.ADMIN_WRITE
"""Whoever types a secret key does not mean that everybody may read it."""

UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def parse_values(spellings: Sequence[str], *, needs_index: bool = False) -> tuple[HandleValue, ...]:
    """Read values written as TYPE=TEXT or INDEX:TYPE=TEXT; those without an index get the lowest that is free.

    Args:
        spellings: the values.
        needs_index: they go to a record that has values already; which of its indexes are free is not known here.

    Raises:
        click.BadParameter: one is written otherwise, or two have the same index.
        NodeError: a file that one names holds no key.
    """
    parts = [_split(spelling) for spelling in spellings]
    given = [index for index, _, _ in parts if index is not None]
    if len(set(given)) != len(given):
        raise click.BadParameter(words("two values have the same index", "两个值的索引相同"))
    if needs_index and len(given) < len(parts):
        raise click.BadParameter(
            words(
                "say which index: INDEX:TYPE=TEXT; which ones are in use: idnode resolve HANDLE",
                "请指明索引:索引:类型=内容;查看已用索引:idnode resolve 标识",
            )
        )
    free = (index for index in range(1, len(spellings) + len(given) + 1) if index not in given)
    return tuple(
        HandleValue(
            next(free) if index is None else index,
            value_type,
            parse_data(value_type, text),
            permissions=_permissions(value_type),
        )
        for index, value_type, text in parts
    )


def format_value(value: HandleValue) -> tuple[str, str, str]:
    """Return index, type and data of a value for a person to read."""
    form = value_to_json(value)["data"]
    data = form["value"] if isinstance(form, dict) else form
    text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
    return str(value.index), visible(value.value_type), visible(text)


def visible(text: str) -> str:
    """Return `text` with control characters escaped: a record must not steer the terminal of who looks at it."""
    return UNPRINTABLE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def _permissions(value_type: str) -> int:
    return SECRET_PERMISSIONS if fold(value_type) == "HS_SECKEY" else PERMISSIONS_DEFAULT


def _split(spelling: str) -> tuple[int | None, str, str]:
    name, equals, text = spelling.partition("=")
    found = INDEX_AND_TYPE.fullmatch(name)
    index = int(found["index"]) if found and found["index"] else None
    if equals and index is not None and not 1 <= index <= INDEX_MAX:
        raise click.BadParameter(
            words(
                f"an index is a number from 1 to {INDEX_MAX}, not {index}",
                f"索引应为 1 至 {INDEX_MAX} 的整数,而不是 {index}",
            )
        )
    if not equals or not found:
        raise click.BadParameter(
            words(
                f'expected TYPE=TEXT or INDEX:TYPE=TEXT, such as "1:URL=https://example.cn", not {spelling!r}',
                f'应为 类型=内容 或 索引:类型=内容,例如 "1:URL=https://example.cn",而不是 {spelling!r}',
            )
        )
    return index, found["value_type"], text
