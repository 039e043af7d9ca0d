"""What somebody wants to know, whichever door they came through."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from handle_protocol.handle import Handle, fold
from handle_protocol.value import HandleValue

_DOT: Final = re.compile(r"\.")


@dataclass(frozen=True, slots=True)
class Query:
    """A question about one handle.

    Attributes:
        indexes, types: which values are wanted; one that either list names is selected, and all when both are empty.
        is_public_only: leave out what not everybody may read, instead of asking who is asking.
        is_authoritative: ask the register itself, not a cache.
        may_refer: whether "ask there" is a welcome answer for a prefix that we delegated.
    """

    handle: Handle
    indexes: tuple[int, ...] = ()
    types: tuple[str, ...] = ()
    is_public_only: bool = True
    is_authoritative: bool = False
    may_refer: bool = True

    @property
    def wants_everything(self) -> bool:
        """Whether no index and no type narrows the question."""
        return not self.indexes and not self.types

    def select(self, values: Iterable[HandleValue]) -> tuple[HandleValue, ...]:
        """Return those of `values` that are wanted, as HandleValue.has_type tells for each type.

        Both lists may have thousands of items, so each value is looked up among them instead of compared with each.
        """
        if self.wants_everything:
            return tuple(values)
        indexes = frozenset(self.indexes)
        types = frozenset(map(fold, self.types))
        return tuple(value for value in values if value.index in indexes or _is_among(fold(value.value_type), types))


def _is_among(value_type: str, types: frozenset[str]) -> bool:
    """Tell whether `types` name this one, itself ("URL.CN", "URL.CN.") or by a parent ("URL.")."""
    if value_type in types or f"{value_type}." in types:
        return True
    dots = (match.end() for match in _DOT.finditer(value_type))
    return any(value_type[:end] in types for end in dots)
