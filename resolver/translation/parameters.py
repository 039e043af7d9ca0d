"""The parameters of a web request: pairs of name and text from a query string, a form or a JSON object."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Final
from urllib.parse import parse_qsl

from handle_protocol.limits import VALUES_MAX
from resolver.translation.rest_bodies import UnreadableJson, is_text, read_json

PARAMETERS_MAX: Final = VALUES_MAX
"""Ours: nobody can select more values than a record has."""

_INDEX_MAX: Final = 2**32 - 1
_MEANS_NO: Final = frozenset({"false", "no", "off", "0"})


class UnreadableParameters(ValueError):
    """Parameters that say nothing: the text tells what was expected."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """What was asked for, in the order in which it was written; a name may come several times."""

    pairs: tuple[tuple[str, str], ...] = ()

    @classmethod
    def from_form(cls, form: str) -> Parameters:
        """Read a query string, or the body of a form.

        Raises:
            UnreadableParameters: there are too many, or an escape is no UTF-8.
        """
        if not form:
            return _NONE
        try:
            form.encode()
            pairs = parse_qsl(form, keep_blank_values=True, errors="strict", max_num_fields=PARAMETERS_MAX)
        except UnicodeError:
            raise UnreadableParameters("expected percent-encoded UTF-8") from None
        except ValueError:
            raise UnreadableParameters(f"expected at most {PARAMETERS_MAX} parameters") from None
        return cls(tuple(pairs))

    @classmethod
    def from_json(cls, octets: bytes) -> Parameters:
        """Read an object whose members are texts, numbers, truth values or lists of these.

        Raises:
            UnreadableParameters: it is something else.
        """
        try:
            members = read_json(octets)
        except UnreadableJson as error:
            raise UnreadableParameters(f"{_NO_PARAMETERS}: {error}") from None
        if not isinstance(members, dict):
            raise UnreadableParameters(_NO_PARAMETERS)
        pairs = tuple(_flatten(members))
        if len(pairs) > PARAMETERS_MAX:
            raise UnreadableParameters(f"expected at most {PARAMETERS_MAX} parameters")
        if not is_text(chain.from_iterable(pairs)):
            raise UnreadableParameters("expected whole characters")
        return cls(pairs)

    def first(self, name: str) -> str | None:
        """Return the first text under `name`, or None."""
        return next((text for each, text in self.pairs if each == name), None)

    def texts(self, name: str) -> tuple[str, ...]:
        """Return every text under `name`."""
        return tuple(text for each, text in self.pairs if each == name)

    def unknown(self, known: frozenset[str]) -> str | None:
        """Return the first name that is none of those that are known, or None."""
        return next((name for name, _ in self.pairs if name not in known), None)

    def says(self, name: str, *, default: bool = False) -> bool:
        """Tell whether `name` is there and does not mean no; `default` when it is absent."""
        text = self.first(name)
        return default if text is None else text.lower() not in _MEANS_NO

    def indexes(self) -> tuple[int, ...]:
        """Return the numbers under "index".

        Raises:
            UnreadableParameters: one is no index.
        """
        return tuple(map(_index, self.texts("index")))

    def __add__(self, others: Parameters) -> Parameters:
        return Parameters(self.pairs + others.pairs)


_NONE: Final = Parameters()
_NO_PARAMETERS: Final = "expected a JSON object of parameters"


def _index(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(_INDEX_MAX)) and int(text) <= _INDEX_MAX):
        raise UnreadableParameters(f'expected an index from 1 to {_INDEX_MAX}, not "{text[:40]}"')
    return int(text)


def _flatten(members: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for name, member in members.items():
        for each in member if isinstance(member, list) else (member,):
            yield name, _as_text(each)


def _as_text(member: object) -> str:
    match member:
        case None:
            return ""
        case bool():
            return "true" if member else "false"
        case str() | int() | float():
            return str(member)
        case _:
            raise UnreadableParameters(_NO_PARAMETERS)
