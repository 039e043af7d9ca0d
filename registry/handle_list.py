"""The names of living records directly below one prefix, in pages, and how many there are."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from handle_protocol.handle import Handle, Prefix
from registry.database import Database
from registry.queries import queries

LISTED_MAX: Final = 20_000
"""Handles in one look: 40 MB if each were as long as it can be."""

COUNTED_MAX: Final = 1_000_000
"""Counted one by one up to here, some 0.3 s; beyond it the planner's estimate says it."""

_SQL: Final = queries("records")


class HandleList:
    """Lists handles in the order of their keys: octet by octet, so upper case before lower case before Chinese.

    Everything raises ConnectionError or TimeoutError in an outage.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list_handles(self, prefix: Prefix, after: bytes, handles_max: int) -> Sequence[tuple[bytes, Handle]]:
        """Return keys and handles, as registered, directly below `prefix` and not below prefixes derived from it.

        Args:
            prefix: whose handles.
            after: the last key of the page before; b"" = from the beginning.
            handles_max: at most LISTED_MAX.

        Raises:
            ValueError: it is more than that.
        """
        if handles_max > LISTED_MAX:
            raise ValueError(f"at most {LISTED_MAX} handles in one look, not {handles_max}")
        rows = await self._database.fetch(_SQL["list"], *_own_range(prefix), after, handles_max)
        return [(row["key"], Handle((row["spelling"] or row["key"]).decode())) for row in rows]

    async def count_handles(self, prefix: Prefix) -> int:
        """Return how many there are: exactly up to COUNTED_MAX, beyond it about."""
        ((count,),) = await self._database.fetch(_SQL["count"], *_own_range(prefix), COUNTED_MAX)
        if count < COUNTED_MAX:
            return int(count)
        ((plan,),) = await self._database.fetch(_SQL["estimate_range"], *_own_range(prefix))
        return max(COUNTED_MAX, int(json.loads(plan)[0]["Plan"]["Plan Rows"]))


def _own_range(prefix: Prefix) -> tuple[bytes, bytes]:
    """Return the first key that can stand directly below `prefix`, and the first one beyond: "0" follows "/"."""
    return prefix.key + b"/", prefix.key + b"0"
