"""The kinds of setting: how each is read from text or TOML, its unit, and what an operator is told to write.

A reader raises ValueError for whatever it does not understand; the sentence is the kind's `expected`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from handle_protocol.handle import Handle
from handle_protocol.value import ValueReference
from node.errors import Text

PORT_MAX: Final = 65_535
SECONDS_MAX: Final = 7 * 86_400.0
OCTETS_MAX: Final = 2**50

SECONDS_SUFFIXES: Final[Mapping[str, float]] = {"": 1, "ms": 0.001, "s": 1, "min": 60, "h": 3600}
OCTETS_SUFFIXES: Final[Mapping[str, int]] = {"": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}


SWITCH_WORDS: Final[Mapping[str, bool]] = {"1": True, "true": True, "yes": True, "on": True} | {
    "0": False, "false": False, "no": False, "off": False,
}  # fmt: skip

NO_UNIT: Final = Text("", "")


@dataclass(frozen=True, slots=True)
class Kind:
    """What a setting is made of.

    Attributes:
        read: turns a value from TOML, the environment or a command line into the setting's type.
        expected: what to write, said when something else was found.
        unit: for the list of settings; empty when there is none.
    """

    read: Callable[[object], object]
    expected: Text
    unit: Text = NO_UNIT


def count(maximum: int) -> Kind:
    """Return the kind of a number of things, from 1 to `maximum`; what is beyond is a slip of the keyboard."""
    return Kind(
        lambda value: _bounded(_whole(value), 1, maximum),
        Text(f"a whole number from 1 to {maximum}", f"1 至 {maximum} 的整数"),
        Text("count", "个"),
    )


def choice(*words: str) -> Kind:
    """Return the kind of a setting that takes one of a few words."""

    def read(value: object) -> str:
        if value not in words:
            raise ValueError
        return str(value)

    listed = ", ".join(words)
    return Kind(read, Text(f"one of {listed}", f"以下之一:{listed}"))


def seconds_up_to(maximum: float) -> Kind:
    """Return the kind of a duration that somebody else must be able to rely on: it has an upper bound of its own."""
    return Kind(
        lambda value: _read_seconds(value, maximum),
        Text(f"a duration above 0, {maximum:g} s at most, such as 30, 500ms", f"大于 0、至多 {maximum:g} 秒的时长"),
        Text("seconds", "秒"),
    )


def url(*schemes: str, words: tuple[str, ...]) -> Kind:
    """Return the kind of a setting that takes one of `words` or a URL with one of `schemes`."""

    def read(value: object) -> str:
        if not isinstance(value, str) or (value not in words and urlsplit(value).scheme not in schemes):
            raise ValueError
        return value

    listed = ", ".join((*words, *(f"{scheme}://…" for scheme in schemes)))
    return Kind(read, Text(f"one of {listed}", f"以下之一:{listed}"))


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError  # noqa: TRY004 - for whoever writes settings a wrong type is a wrong value
    return int(value)


def _bounded(number: int, least: int, most: int) -> int:
    if not least <= number <= most:
        raise ValueError
    return number


def _read_seconds(value: object, maximum: float = SECONDS_MAX) -> float:
    amount = _with_suffix(value, SECONDS_SUFFIXES)
    if not 0 < amount <= maximum:
        raise ValueError
    return amount


def _read_octets(value: object) -> int:
    amount = _with_suffix(value, OCTETS_SUFFIXES)
    if not 0 <= amount <= OCTETS_MAX or amount != int(amount):
        raise ValueError
    return int(amount)


def _with_suffix(value: object, suffixes: Mapping[str, float]) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError  # noqa: TRY004 - as above
    found = re.fullmatch(r"([0-9][0-9_]*(?:\.[0-9]+)?)\s*([A-Za-z]*)", str(value).strip())
    if found is None or found[2] not in suffixes:
        raise ValueError
    amount = float(found[1]) * suffixes[found[2]]
    if not math.isfinite(amount):
        raise ValueError
    return amount


def _read_address(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError  # noqa: TRY004 - as above
    return str(ip_address(value))


def _read_automatic_address(value: object) -> str:
    return "" if value == "" else _read_address(value)


def _read_path(value: object) -> Path:
    if not isinstance(value, str | Path) or not str(value) or "\0" in str(value):
        raise ValueError
    return Path(value).expanduser().absolute()


def _read_optional_file(value: object) -> str:
    return "" if value == "" else str(_read_path(value))


def _read_switch(value: object) -> bool:
    if isinstance(value, bool):
        return value
    if not isinstance(value, str) or value.lower() not in SWITCH_WORDS:
        raise ValueError
    return SWITCH_WORDS[value.lower()]


def _listed(read: Callable[[str], str]) -> Callable[[object], tuple[str, ...]]:
    """Return a reader of several texts: a list in TOML, elsewhere one text with commas between them."""

    def read_all(value: object) -> tuple[str, ...]:
        parts = value.split(",") if isinstance(value, str) else value
        if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
            raise ValueError
        return tuple(read(part.strip()) for part in parts if part.strip())

    return read_all


def _read_reference(text: str) -> str:
    reference = ValueReference.parse(text)
    if not reference.index or not Handle.parse(reference.handle).spelling:
        raise ValueError
    return str(reference)


def _read_trust_anchor(text: str) -> str:
    reference, equals, file = text.partition("=")
    if not equals or not file:
        raise ValueError
    return f"{_read_reference(reference)}={_read_path(file)}"


def _read_node_address(text: str) -> str:
    host, _, port = text.rpartition(":")
    if not host:
        raise ValueError
    return f"{host}:{_bounded(int(port), 1, PORT_MAX)}"


def _read_no_port(value: object) -> int:
    return _bounded(_whole(value), 0, 0)


PORT: Final = Kind(
    lambda value: _bounded(_whole(value), 1, PORT_MAX),
    Text(f"a port from 1 to {PORT_MAX}", f"1 至 {PORT_MAX} 的端口号"),
    Text("port", "端口"),
)
PORT_OF_A_CLOSED_DOOR: Final = Kind(
    _read_no_port,
    Text("0: this version answers no DNS questions yet", "0:此版本尚不支持 DNS 解析"),
    Text("port", "端口"),
)
SECONDS: Final = Kind(
    _read_seconds,
    Text("a duration above 0, such as 30, 0.5, 500ms, 15min", "大于 0 的时长,例如 30、0.5、500ms、15min"),
    Text("seconds", "秒"),
)
OCTETS: Final = Kind(
    _read_octets,
    Text("a size such as 268435456, 256MiB, 2GiB", "容量,例如 268435456、256MiB、2GiB"),
    Text("octets", "字节"),
)
ADDRESS: Final = Kind(
    _read_address,
    Text("an IPv4 or IPv6 address, such as 0.0.0.0, 127.0.0.1, ::1", "IPv4 或 IPv6 地址,例如 0.0.0.0、127.0.0.1、::1"),
)
AUTOMATIC_ADDRESS: Final = Kind(_read_automatic_address, ADDRESS.expected)
PATH: Final = Kind(_read_path, Text("the path of a directory", "目录路径"))
OPTIONAL_FILE: Final = Kind(_read_optional_file, Text("the path of a file", "文件路径"))
SWITCH: Final = Kind(_read_switch, Text("true or false (1 or 0)", "true 或 false(1 或 0)"))
VALUE_REFERENCES: Final = Kind(
    _listed(_read_reference), Text("INDEX:HANDLE, such as 300:0.NA/88.118.8", "索引:标识,例如 300:0.NA/88.118.8")
)
NODE_ADDRESSES: Final = Kind(
    _listed(_read_node_address), Text("HOST:PORT, such as 127.0.0.1:2641", "主机:端口,例如 127.0.0.1:2641")
)
TRUST_ANCHORS: Final = Kind(
    _listed(_read_trust_anchor),
    Text(
        "INDEX:HANDLE=FILE, such as 300:0.0/0.0=/etc/idnode/root.pem",
        "索引:标识=文件,例如 300:0.0/0.0=/etc/idnode/root.pem",
    ),
)
