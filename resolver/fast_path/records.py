"""Records by key, bounded in octets: in Python, for where the compiled table is not.

An entry is a plain tuple of octets and numbers: the garbage collector does not walk such tuples, so a million of them
cost no pauses. Records live in two generations; what is asked for moves to the young one, what is not is dropped with
the old one.
"""

from __future__ import annotations

from typing import Final

Entry = tuple[int, bytes, bytes, int]
"""When it expires (seconds of the cache's clock), the values everybody may read, all values, the revision.

Both lists are in wire form; they are one object when every value is public.
"""

ENTRY_OCTETS: Final = 250
"""What an entry weighs beside its key and its lists: dictionary slot, tuple, numbers, object heads (measured)."""

_RETIRED_PER_ENTRY: Final = 4
"""How many entries of a dropped generation are freed for each that comes: dropping all at once stalls the loop."""


class RecordTable:
    """Records by key; those that nobody asked for lately go first.

    Attributes:
        evictions: how many records had to go for others.
    """

    def __init__(self, octets_max: int) -> None:
        self._generation_octets_max = octets_max // 3  # The third one is being freed meanwhile.
        self._young, self._old, self._retired = _Generation(), _Generation(), _Generation()
        self._record_octets_max = octets_max // 8
        self.evictions = 0

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    @property
    def octets(self) -> int:
        """The memory that is taken."""
        return self._young.octets + self._old.octets + self._retired.octets

    def get(self, key: bytes) -> Entry | None:
        """Return what is kept under `key`."""
        entry = self._young.get(key)
        if entry is None:
            entry = self._old.remove(key)
            if entry is not None:
                self._keep(key, entry)
        return entry

    def put(self, key: bytes, expires_at: int, public_list: bytes, value_list: bytes, revision: int) -> None:
        """Keep a record in the place of what was there; one that would take an eighth of the room is not kept."""
        if len(key) + len(public_list) + len(value_list) > self._record_octets_max:
            self.pop(key)
            return
        self._keep(key, (expires_at, public_list, value_list, revision))

    def pop(self, key: bytes) -> bool:
        """Forget a record; tell whether it was there."""
        return self._young.remove(key) is not None or self._old.remove(key) is not None

    def clear(self) -> None:
        """Forget everything."""
        self._young, self._old, self._retired = _Generation(), _Generation(), _Generation()

    def _keep(self, key: bytes, entry: Entry) -> None:
        self._old.remove(key)
        self._young.add(key, entry)
        self._retired.remove_some(_RETIRED_PER_ENTRY)
        if self._young.octets > self._generation_octets_max:
            self.evictions += len(self._old)
            self._retired, self._old, self._young = self._old, self._young, _Generation()


class _Generation(dict[bytes, Entry]):
    """Entries that came, or were last asked for, at about the same time; knows what it weighs."""

    octets = 0

    def add(self, key: bytes, entry: Entry) -> None:
        self.remove(key)
        self[key] = entry
        self.octets += _weight(key, entry)

    def remove(self, key: bytes) -> Entry | None:
        entry = self.pop(key, None)
        if entry is not None:
            self.octets -= _weight(key, entry)
        return entry

    def remove_some(self, count: int) -> None:
        for _ in range(min(count, len(self))):
            self.octets -= _weight(*self.popitem())


def _weight(key: bytes, entry: Entry) -> int:
    _, public_list, value_list, _ = entry
    is_shared = public_list is value_list
    return ENTRY_OCTETS + len(key) + len(value_list) + (0 if is_shared else len(public_list))
