"""Reading the members of JSON objects, so that a mistake names the field and nothing is larger than it may be."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from typing import Final

from handle_protocol.errors import InvalidValue
from handle_protocol.limits import JSON_ITEMS_MAX

U16_MAX: Final = 2**16 - 1
U32_MAX: Final = 2**32 - 1

_DIGITS: Final = re.compile(r"[0-9]{1,10}")
"""No number here has more digits."""


def text_octets(json: object, field: str, octets_max: int) -> bytes:
    """Return a text in UTF-8.

    Raises:
        InvalidValue: it is no text, cannot be said in UTF-8, or takes more than `octets_max`.
    """
    if not isinstance(json, str):
        raise InvalidValue(field, "a text")
    try:
        octets = json.encode()
    except UnicodeEncodeError:
        raise InvalidValue(field, "a text in UTF-8, without lone surrogates") from None
    if len(octets) > octets_max:
        raise InvalidValue(field, f"at most {octets_max} octets, not {len(octets)}")
    return octets


def whole_number(json: object, field: str, least: int, most: int) -> int:
    """Return a whole number. One in quotes counts too: pyhandle writes the index of an administrator so.

    Raises:
        InvalidValue: it is none, or outside `least` to `most`.
    """
    if isinstance(json, str) and _DIGITS.fullmatch(json):
        json = int(json)
    if not isinstance(json, int) or isinstance(json, bool) or not least <= json <= most:
        raise InvalidValue(field, f"a whole number from {least} to {most}")
    return json


def base64_octets(json: object, field: str, octets_max: int, alphabet: bytes = b"+/") -> bytes:
    """Return what base64 text stands for, with or without padding.

    Raises:
        InvalidValue: it is no base64 text, or stands for more than `octets_max`.
    """
    written = text_octets(json, field, octets_max * 4 // 3 + 4).rstrip(b"=")
    try:
        return base64.b64decode(written + b"=" * (-len(written) % 4), altchars=alphabet, validate=True)
    except binascii.Error:
        raise InvalidValue(field, "base64") from None


class JsonObject:
    """An object that is being read.

    Attributes:
        field: where it stands, empty at the top; errors name it.
    """

    __slots__ = ("_members", "field")

    def __init__(self, json: object, field: str) -> None:
        """Take an object; raises InvalidValue when `json` is none."""
        if not isinstance(json, Mapping):
            raise InvalidValue(field or "value", "an object")
        self._members = json
        self.field = field

    def path(self, name: str) -> str:
        """Return where a member stands."""
        return f"{self.field}.{name}" if self.field else name

    def get(self, name: str) -> object:
        """Return a member, or None where it is missing."""
        return self._members.get(name)

    def text(self, name: str, octets_max: int) -> str:
        """Return a text member. Raises InvalidValue as `text_octets`."""
        return text_octets(self.get(name), self.path(name), octets_max).decode()

    def number(self, name: str, least: int, most: int, default: int | None = None) -> int:
        """Return a number member, or `default` where it is missing. Raises InvalidValue as `whole_number`."""
        json = self.get(name)
        return default if json is None and default is not None else whole_number(json, self.path(name), least, most)

    def truth(self, name: str) -> bool:
        """Return a true-or-false member, False where it is missing. Raises InvalidValue."""
        json = self.get(name)
        if json is not None and not isinstance(json, bool):
            raise InvalidValue(self.path(name), "true or false")
        return bool(json)

    def items(self, name: str) -> Iterator[tuple[object, str]]:
        """Yield the items of a list member with their places, none where it is missing. Raises InvalidValue."""
        json = self.get(name)
        return items(json, self.path(name)) if json is not None else iter(())


def items(json: object, field: str) -> Iterator[tuple[object, str]]:
    """Yield the items of a list with their places.

    Raises:
        InvalidValue: it is no list, or longer than JSON_ITEMS_MAX.
    """
    if not isinstance(json, list | tuple):
        raise InvalidValue(field, "a list")
    if len(json) > JSON_ITEMS_MAX:
        raise InvalidValue(field, f"at most {JSON_ITEMS_MAX} items, not {len(json)}")
    return ((item, f"{field}[{number}]") for number, item in enumerate(json))
