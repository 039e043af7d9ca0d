"""What is kept for strangers until they come back: bounded in all, and fair between networks.

While there is room, anybody may have any number of entries. When there is none, room is made by whoever has most: the
oldest entry goes of the network that has most, if that is more than its share, else the oldest of all; when it is
octets that there are too many of, the oldest of those that are heavier than one of so many may be. So a flood displaces
itself, and a patient client elsewhere finds its entry where it left it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Final, Generic, NamedTuple, TypeVar

SHARES: Final = 10
"""A network that holds more than a tenth of what there may be holds more than its share, once there is no room."""

Key = TypeVar("Key", bound=Hashable)
Kept = TypeVar("Kept")


class _Entry(NamedTuple, Generic[Kept]):
    kept: Kept
    network: str
    octets: int


class _Holding(OrderedDict[Key, None]):
    """The keys of one network, oldest first. OrderedDict: taking the first from a plain dict is not O(1)."""

    octets = 0


class FairTable(Generic[Key, Kept]):
    """Entries by key, each with the network it is kept for. Every operation is O(1).

    Args:
        entries_max: how many there may be.
        octets_max: how many octets they may have together, as far as the caller weighs them.

    Attributes:
        octets: how many they have now.
    """

    def __init__(self, entries_max: int, octets_max: int = 1) -> None:
        self._entries_max = entries_max
        self._octets_max = octets_max
        self._entries: OrderedDict[Key, _Entry[Kept]] = OrderedDict()
        self._holdings: dict[str, _Holding[Key]] = {}
        self._heavy: OrderedDict[Key, None] = OrderedDict()
        self._greedy: set[str] = set()  # Fewer than twice the shares, whoever comes.
        self.octets = 0

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, key: Key) -> bool:
        return key in self._entries

    def put(self, key: Key, kept: Kept, network: str, octets: int = 0) -> None:
        """Keep something as the newest entry, in place of what `key` meant before, and make room for it."""
        self.pop(key)
        holding = self._holdings.get(network)
        if holding is None:
            holding = self._holdings[network] = _Holding()
        holding[key] = None
        holding.octets += octets
        self.octets += octets
        self._entries[key] = _Entry(kept, network, octets)
        if octets * self._entries_max > self._octets_max:
            self._heavy[key] = None
        self._judge(network, holding)
        while len(self._entries) > self._entries_max or self.octets > self._octets_max:
            self.pop(self._next_to_go())

    def get(self, key: Key) -> Kept | None:
        """Return what is kept under `key`."""
        entry = self._entries.get(key)
        return None if entry is None else entry.kept

    def replace(self, key: Key, kept: Kept) -> None:
        """Keep something else under a `key` that is there, and make it the newest entry."""
        entry = self._entries[key]
        self._entries[key] = entry._replace(kept=kept)
        self._entries.move_to_end(key)
        self._holdings[entry.network].move_to_end(key)
        if key in self._heavy:
            self._heavy.move_to_end(key)

    def pop(self, key: Key) -> Kept | None:
        """Remove what is kept under `key`, and return it."""
        entry = self._entries.pop(key, None)
        if entry is None:
            return None
        self._heavy.pop(key, None)
        holding = self._holdings[entry.network]
        del holding[key]
        holding.octets -= entry.octets
        self.octets -= entry.octets
        self._judge(entry.network, holding)
        if not holding:
            del self._holdings[entry.network]
        return entry.kept

    def oldest(self) -> tuple[Key, Kept] | None:
        """Return the entry that has not been replaced for the longest time."""
        for key, entry in self._entries.items():
            return key, entry.kept
        return None

    def _judge(self, network: str, holding: _Holding[Key]) -> None:
        if len(holding) > 1 and self._part(holding) * SHARES > 1:
            self._greedy.add(network)
        else:
            self._greedy.discard(network)

    def _part(self, holding: _Holding[Key]) -> float:
        """Return how much of what there may be one network has: of the entries or the octets, whichever is more."""
        return max(len(holding) / self._entries_max, holding.octets / self._octets_max)

    def _next_to_go(self) -> Key:
        if not self._greedy:
            candidates = self._heavy if self.octets > self._octets_max and self._heavy else self._entries
            return next(iter(candidates))
        greediest = max(self._greedy, key=lambda network: self._part(self._holdings[network]))
        return next(iter(self._holdings[greediest]))
