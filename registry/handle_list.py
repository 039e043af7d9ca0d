"""The names of living records, directly below one prefix and in the order of their keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from handle_protocol.handle import Handle, Prefix
from registry.database import Database
from registry.queries import queries

COUNTED_MAX: Final = 1_000_000
"""So far names are counted one by one, in a second or so; of more it is said that there are so many."""

_SQL: Final = queries("handle_list")


class HandleList:
    """Lists and counts. Everything raises ConnectionError or TimeoutError in an outage."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list_handles(self, prefix: Prefix, after: bytes, handles_max: int) -> Sequence[tuple[bytes, Handle]]:
        """Return keys and registered names directly below `prefix`, after the key `after`; empty = from the first."""
        first, end = key_range_of_own_handles(prefix)
        rows = await self._database.fetch(_SQL["list"], max(after, first), end, handles_max)
        return [(key, Handle((spelling or key).decode())) for key, spelling in rows]

    async def count_handles(self, prefix: Prefix) -> int:
        """Return how many there are, or COUNTED_MAX when there are more."""
        ((count,),) = await self._database.fetch(_SQL["count"], *key_range_of_own_handles(prefix), COUNTED_MAX)
        number: int = count
        return number


def key_range_of_own_handles(prefix: Prefix) -> tuple[bytes, bytes]:
    """Return between which keys, both excluded, the handles stand that are `prefix`, a slash, and a suffix."""
    return prefix.key + b"/", prefix.key + b"0"
