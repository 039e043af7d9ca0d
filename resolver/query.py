"""What somebody wants to know, whichever door they came through."""

from __future__ import annotations

from dataclasses import dataclass

from handle_protocol.handle import Handle
from handle_protocol.value import HandleValue


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

    def selects(self, value: HandleValue) -> bool:
        """Tell whether `value` is among what is wanted."""
        return self.wants_everything or value.index in self.indexes or any(map(value.has_type, self.types))
