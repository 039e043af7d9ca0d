"""Plain questions answered by the short way, as the resolver knows its prefixes and the time."""

from __future__ import annotations

import socket
from typing import Final

from handle_protocol.limits import ENVELOPE_OCTETS, HEADER_OCTETS
from resolver.fast_path.choice import FastPath, short_way_over
from resolver.fast_path.short_way import Left
from resolver.flights import Landing
from resolver.resolve import Resolver

_HANDLE_AT: Final = slice(ENVELOPE_OCTETS + HEADER_OCTETS + 4, -12)
"""Where a plain question has its handle: before no indexes, no types and no credential."""

_NO_PREFIXES: Final[frozenset[bytes]] = frozenset()


class PlainAnswers:
    """Answers plain questions; none where the fast path is off.

    Args:
        resolver: knows the prefixes, the records and the time.

    Attributes:
        way: the twin that serves.
    """

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self.way = short_way_over(resolver.cache.records)
        self._is_on = resolver.cache.fast_path is not FastPath.OFF

    @property
    def hits(self) -> int:
        """How many questions were answered here since they were taken last."""
        return self.way.hits

    def take_hits(self) -> int:
        """Return that, and count anew."""
        count, self.way.hits = self.way.hits, 0
        return count

    def take_not_sent(self) -> int:
        """Return how many answers the kernel did not take, and count anew."""
        count, self.way.not_sent = self.way.not_sent, 0
        return count

    def answer(self, request: bytes) -> bytes | None:
        """Return the answer to one whole request; empty = just its record is missing, None = it takes the long way."""
        return self.way.answer(request, *self._moment())

    def answer_stream(self, octets: bytes) -> tuple[bytes, int]:
        """Return answers to the plain questions that stand first in `octets`, and how many octets those are."""
        return self.way.answer_stream(octets, *self._moment())

    def serve_datagrams(self, listener: socket.socket) -> list[Left]:
        """Answer what has come, as far as it is plain, and return the rest."""
        return self.way.serve_datagrams(listener, *self._moment())

    def fetch_missing(self, request: bytes) -> Landing | None:
        """Let the record be fetched that is all that `request` lacked; None = that would not help: the long way.

        Ask again when it has landed; no answer then means the long way, as ever.
        """
        key = request[_HANDLE_AT]
        prefix, slash, _ = key.partition(b"/")
        if not slash or prefix not in self._resolver.authority.exact_prefixes:
            return None
        return self._resolver.fetch(key)

    def _moment(self) -> tuple[frozenset[bytes], float, float, float]:
        resolver = self._resolver
        prefixes = resolver.authority.plain_prefixes if self._is_on else _NO_PREFIXES
        return prefixes, resolver.clock(), resolver.unix_clock(), resolver.cache.trusted_until
