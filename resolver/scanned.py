"""What a scanner or a person yields, read as a handle.

The rule above all others: a handle written plainly, with a half-width prefix and slash, is returned as it is, and so
is whatever this file returned before. What differs from that is brought there by the steps of `_STEPS`, again and
again until nothing changes, because wrappings nest: a label may hold a link that holds `hdl:` and a handle.
Source of the forms: what Chinese nodes print on labels and teach in their course books.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import chain
from typing import Final
from urllib.parse import parse_qsl, unquote_to_bytes

from handle_protocol.errors import InvalidHandle
from handle_protocol.handle import Handle, Prefix

SCANNED_CHARACTERS_MAX: Final = 8_192
"""Ours: four times the longest handle, as every octet may be written as three; also the longest URL we take."""

_ROUNDS_MAX: Final = 6
"""Ours: a link in a link in a link, each encoded, is an attack and no label."""

_QUERY_FIELDS_MAX: Final = 100
"""Ours: no label has a link with more parameters."""

_NODE_DIGITS: Final = (3, 4, 5)
"""How long the code of a secondary node may be, the usual length first."""

_QUERY_NAMES: Final = ("id", "handle", "hdl", "code", "text", "identifier")
"""What links call the handle when it stands in their query."""

_PREFIX: Final = r"[0-9A-Za-z_-]+(?:\.[0-9A-Za-z_-]+)*"
_NUMERIC_PREFIX: Final = r"[0-9]+(?:\.[0-9A-Za-z_-]+)+"

_HANDLE_SHAPE: Final = re.compile(rf"{_PREFIX}/.+|{_NUMERIC_PREFIX}", re.DOTALL)
_SYMBOLOGY: Final = re.compile(r"\][A-Za-z][0-9A-Za-z]")
_SCHEME: Final = re.compile(
    r"(?:info[:：](?:hdl|doi)[/／]|(?:urn[:：])?(?:hdl|doi)[:：]/*|urn[:：](?=[0-9]))\s*", re.IGNORECASE
)
_URN_SEPARATOR: Final = re.compile(rf"({_NUMERIC_PREFIX}):")
_URL: Final = re.compile(r"https?://[^/?#]*/?(?P<path>[^?#]*)(?:\?(?P<query>[^#]*))?", re.IGNORECASE)
_OUR_PATHS: Final = ("api/handles/", "resolve/")
_PROMISING: Final = re.compile(r"[0-9０-９]+[.．。]|VAA0|(?:hdl|doi|urn|info|https?)[:：]", re.IGNORECASE)
_VAA: Final = re.compile(r"VAA0(?P<country>8[68])(?P<digits>[0-9]{4,})(?P<suffix>/.+)?", re.DOTALL | re.IGNORECASE)
_BLANK_SEPARATOR: Final = re.compile(rf"({_NUMERIC_PREFIX}|VAA0[0-9]+) +(?:[/／] *)?", re.IGNORECASE)

_HALF_WIDTH: Final = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_STRUCTURE: Final[dict[int, int | str]] = {**_HALF_WIDTH, ord("。"): ".", ord("｡"): ".", 0x3000: " "}
_SUFFIX_WIDTH: Final = {code: half for code, half in _HALF_WIDTH.items() if chr(half).isalnum() or chr(half) in "-_./"}
_BLANKS: Final = " \u00a0\u3000"
_NOISE: Final[dict[int, str | None]] = {
    **dict.fromkeys((*range(0x20), *range(0x7F, 0xA0))),
    **dict.fromkeys((0xFEFF, 0x200B, 0x200E, 0x200F, 0x2060)),
    ord("\t"): " ",
}
"""Control characters (the group separator that stands for FNC1 is one), byte order mark, invisible marks."""

IsKnownPrefix = Callable[[Prefix], bool]
"""Tells whether a prefix is registered, to find out where a node code ends."""


def read_scanned(text: str, *, is_known_prefix: IsKnownPrefix | None = None) -> Handle:
    """Return the handle that `text` means.

    Args:
        text: a handle, plain or in one of the forms of `_STEPS`; at most 8 192 characters.
        is_known_prefix: chooses between node codes of 3, 4 and 5 digits in VAA codes; without it a node has 3.

    Raises:
        InvalidHandle: it means none; the text says what was expected.
    """
    if len(text) > SCANNED_CHARACTERS_MAX:
        raise InvalidHandle(f"expected at most {SCANNED_CHARACTERS_MAX} characters, not {len(text)}")
    for _ in range(_ROUNDS_MAX):
        before = text
        for step in _STEPS:
            text = step(text)
        text = _read_vaa(text, is_known_prefix)
        if text == before:
            break
    else:
        raise InvalidHandle("expected a handle, not a link in a link in a link")
    if not _HANDLE_SHAPE.fullmatch(text):
        raise InvalidHandle(f"expected a handle such as 88.118.8/JXDY2106023, not {text[:100]!r}")
    return Handle.parse(text)


def _drop_noise(text: str) -> str:
    return text.translate(_NOISE).strip(_BLANKS)


def _drop_symbology(text: str) -> str:
    """Drop what some scanners say about the kind of code: ]Q3, ]d2, ]C1."""
    said = _SYMBOLOGY.match(text)
    return text[said.end() :] if said else text


def _unwrap_scheme(text: str) -> str:
    """Take hdl:, info:hdl/, urn:hdl:, urn:88… and doi: away; a urn may have a colon where a handle has its slash."""
    scheme = _SCHEME.match(text)
    if not scheme:
        return text
    text = text[scheme.end() :]
    return _URN_SEPARATOR.sub(r"\1/", text, count=1) if _URN_SEPARATOR.match(text) else text


def _unwrap_url(text: str) -> str:
    """Take a link apart: the path is the handle, or one of the usual names in its query is.

    A path is decoded once, so %2F in a suffix becomes a slash. What follows "?" or "#" belongs to the link.
    """
    url = _URL.match(text)
    if not url:
        return text
    path = url["path"]
    for ours in _OUR_PATHS:
        path = path.removeprefix(ours)
    try:
        queried = dict(reversed(parse_qsl(url["query"] or "", max_num_fields=_QUERY_FIELDS_MAX)))
    except ValueError:
        raise InvalidHandle(f"expected a link with at most {_QUERY_FIELDS_MAX} parameters") from None
    candidates = (_decode(path), *(queried[name] for name in _QUERY_NAMES if name in queried))
    return next(filter(_PROMISING.match, candidates), _decode(path))


def _decode_leftovers(text: str) -> str:
    """Decode what is plainly still encoded: an escaped slash where there is none, or escapes that spell Chinese.

    Other percent signs stay: 88.118.8/50%25 is a handle.
    """
    if "%" not in text:
        return text
    try:
        decoded = _decode(text)
    except InvalidHandle:
        return text
    lacks_slash = "/" not in text and "/" in decoded
    spells_text = "%" not in decoded and not decoded.isascii() and text.isascii()
    return decoded if lacks_slash or spells_text else text


def _fold_width(text: str) -> str:
    """Make prefix and slash half-width; the suffix only where its width is plainly an accident.

    It is one when prefix or slash were full-width too (the keyboard stood in that mode) and the suffix has no
    half-width letter or digit. Then letters, digits and -_./ fold; brackets and the like are Chinese typography.
    """
    separator = re.search("[/／ \u3000]", text)
    end = separator.end() if separator else len(text)
    head, suffix = text[:end], text[end:]
    folded = head.translate(_STRUCTURE)
    was_accident = folded != head and not re.search("[0-9A-Za-z]", suffix)
    return folded + (suffix.translate(_SUFFIX_WIDTH) if was_accident else suffix)


def _join_at_blank(text: str) -> str:
    """Read a blank after the prefix as the slash, as in a printed example of a Taiyuan node."""
    return _BLANK_SEPARATOR.sub(r"\1/", text, count=1) if _BLANK_SEPARATOR.match(text) else text


_STEPS: Final[tuple[Callable[[str], str], ...]] = (
    _drop_noise,
    _drop_symbology,
    _unwrap_scheme,
    _unwrap_url,
    _decode_leftovers,
    _fold_width,
    _join_at_blank,
)


def _read_vaa(text: str, is_known_prefix: IsKnownPrefix | None) -> str:
    """Write a VAA code (ISO/IEC 15459) as a handle: VAA08810012345678/abc123 is 88.100.12345678/abc123.

    After VAA come three digits of the country part (088 or 086), the node code, and for the rest the enterprise.
    """
    code = _VAA.fullmatch(text)
    if not code:
        return text
    country, digits, suffix = code["country"], code["digits"], code["suffix"] or ""
    readings = [
        Prefix(f"{country}.{digits[:length]}.{digits[length:]}") for length in _NODE_DIGITS if len(digits) > length
    ]
    return f"{_choose(readings, is_known_prefix)}{suffix}"


def _choose(readings: list[Prefix], is_known_prefix: IsKnownPrefix | None) -> Prefix:
    """Return the reading whose enterprise is registered, else whose node is, else the first."""
    if is_known_prefix is None:
        return readings[0]
    nodes = {reading: reading.parent for reading in readings}
    known_enterprises = (reading for reading in readings if is_known_prefix(reading))
    known_nodes = (reading for reading, node in nodes.items() if node is not None and is_known_prefix(node))
    return next(chain(known_enterprises, known_nodes, readings))


def _decode(escaped: str) -> str:
    try:
        return unquote_to_bytes(escaped).decode()
    except UnicodeDecodeError:
        raise InvalidHandle("expected percent-encoded UTF-8") from None
