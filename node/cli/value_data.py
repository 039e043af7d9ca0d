"""The data of a value as people write it on a command line: text, or the short form of a type whose data has a shape.

HS_ADMIN   INDEX:HANDLE or INDEX:HANDLE:PERMISSIONS, twelve binary digits as in JSON; without them everything is allowed
HS_VLIST   INDEX:HANDLE,INDEX:HANDLE
HS_PUBKEY  @FILE: what `idnode keygen` printed, or a key in PEM
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import click

from handle_protocol.handle import fold
from handle_protocol.predefined.admin import Administrator, encode_administrator
from handle_protocol.predefined.vlist import AdministratorGroup, encode_group
from node.cli.language import words
from node.cli.names import parse_reference
from node.public_key_files import read_public_data

ALL_PERMISSIONS: Final = 0xFFF

_ADMINISTRATOR: Final = re.compile(r"(?P<reference>.+?)(?::(?P<permissions>[01]{12}))?", re.DOTALL)


def parse_data(value_type: str, text: str) -> bytes:
    """Return the octets of a value's data.

    Raises:
        click.BadParameter: it is not written as its type wants it.
        NodeError: a file holds no key.
    """
    read = _READERS.get(fold(value_type))
    return text.encode() if read is None else read(text)


def _administrator(text: str) -> bytes:
    found = _ADMINISTRATOR.fullmatch(text)
    if found is None:
        raise click.BadParameter(
            words("expected INDEX:HANDLE[:PERMISSIONS] in HS_ADMIN", "HS_ADMIN 应为 索引:标识[:权限]")
        )
    digits = found["permissions"]
    permissions = ALL_PERMISSIONS if digits is None else int(digits, 2)
    return encode_administrator(Administrator(permissions, parse_reference(found["reference"])))


def _group(text: str) -> bytes:
    return encode_group(AdministratorGroup(tuple(parse_reference(each.strip()) for each in text.split(","))))


def _public_key(text: str) -> bytes:
    return read_public_data(Path(text[1:])) if text.startswith("@") else text.encode()


_READERS: Final[Mapping[str, Callable[[str], bytes]]] = {
    "HS_ADMIN": _administrator,
    "HS_VLIST": _group,
    "HS_PUBKEY": _public_key,
}
