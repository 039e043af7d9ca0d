"""L1: the records a worker remembers, bounded in octets, exact through the change feed.

An entry is a plain tuple of octets and numbers: the garbage collector does not walk such tuples, so a million of
them cost no pauses. Records live in two generations; what is asked for moves to the young one, what is not is
dropped with the old one. Handles known to be absent are kept apart, so that no flood of made-up names can push
records out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

from cachetools import LRUCache

from handle_protocol.record import HandleRecord
from resolver.value_terms import terms_of

Entry = tuple[int, bytes, bytes, int]
"""When it expires (seconds of the cache's clock), the values everybody may read, all values, the revision.

Both lists are in wire form; they are one object when every value is public.
"""

ENTRY_OCTETS: Final = 250
"""What an entry weighs beside its key and its lists: dictionary slot, tuple, numbers, object heads (measured)."""

ABSENT_KEY_OCTETS_MAX: Final = 256
"""Longer names are looked for each time: no real handle is as long, and a flood of them would take the memory."""

STALE_SECONDS_MAX: Final = 86_400
"""How long past its time a record may still be shown while the register cannot be asked (a working day)."""

TRUST_SECONDS: Final = 60
"""How long after the last word from the change feed entries are believed without asking the register."""

_RETIRED_PER_ENTRY: Final = 4
"""How many entries of a dropped generation are freed for each that comes: dropping all at once stalls the loop."""


@dataclass(frozen=True, slots=True)
class CacheLimits:
    """How much is remembered, and for how long.

    Attributes:
        octets_max: memory for records.
        seconds_max: upper bound of a record's time, whatever its values say.
        absent_max: how many absent handles are remembered.
        absent_seconds: and for how long.
    """

    octets_max: int = 256 * 2**20
    seconds_max: int = 3_600
    absent_max: int = 100_000
    absent_seconds: int = 30


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


class _Absence(NamedTuple):
    expires_at: float
    was_deleted: bool


_NEVER: Final = _Absence(0.0, was_deleted=False)


class RecordCache:
    """Records and absences by key. Times are seconds of one monotonic clock, given by the caller.

    Attributes:
        invalidations: how many records were forgotten because they changed.
    """

    def __init__(self, limits: CacheLimits) -> None:
        self._limits = limits
        self._generation_octets_max = limits.octets_max // 3  # The third one is being freed meanwhile.
        self._young, self._old, self._retired = _Generation(), _Generation(), _Generation()
        self._absent: LRUCache[bytes, _Absence] = LRUCache(limits.absent_max)
        self._trusted_until = 0.0
        self.invalidations = 0

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    @property
    def octets(self) -> int:
        """The memory that records take, as far as they were weighed."""
        return self._young.octets + self._old.octets + self._retired.octets

    def look_up(self, key: bytes, now: float) -> Entry | None:
        """Return the entry of `key` if it may be believed at `now`."""
        entry = self._young.get(key)
        if entry is None:
            entry = self._old.remove(key)
            if entry is None:
                return None
            self._remember(key, entry)
        return entry if now < entry[0] and now < self._trusted_until else None

    def look_up_stale(self, key: bytes, now: float) -> Entry | None:
        """Return the entry of `key` even if its time is over, for when the register cannot be asked."""
        entry = self._young.get(key) or self._old.get(key)
        return entry if entry is not None and now < entry[0] + STALE_SECONDS_MAX else None

    def is_absent(self, key: bytes, now: float) -> bool:
        """Tell whether the register was found not to hold `key`, just now."""
        return now < self._trusted_until and now < self._absent.get(key, _NEVER).expires_at

    def was_deleted(self, key: bytes) -> bool:
        """Tell whether a record under `key` was there before, as far as is remembered."""
        return self._absent.get(key, _NEVER).was_deleted

    def put(self, key: bytes, record: HandleRecord | None, now: float, unix_now: float) -> None:
        """Remember what the register holds under `key`; None = nothing.

        Args:
            key: see Handle.key.
            record: as it is stored.
            now: seconds of the cache's clock.
            unix_now: the same moment in Unix seconds, in which absolute times to live are written.
        """
        if record is None or record.is_deleted:
            self._forget(key)
            if len(key) <= ABSENT_KEY_OCTETS_MAX:
                self._absent[key] = _Absence(now + self._limits.absent_seconds, was_deleted=record is not None)
            return
        ttls, public_list = terms_of(record.value_list)
        seconds = min((ttl.lifetime_seconds(unix_now) for ttl in ttls), default=self._limits.seconds_max)
        expires_at = int(now) + min(seconds, self._limits.seconds_max)
        self._absent.pop(key, None)
        self._remember(key, (expires_at, public_list, record.value_list, record.revision))

    def evict(self, key: bytes) -> None:
        """Forget whatever is known of `key`, because it changed."""
        self._absent.pop(key, None)
        self.invalidations += self._forget(key)

    def clear(self) -> None:
        """Forget everything."""
        self._young, self._old, self._retired = _Generation(), _Generation(), _Generation()
        self._absent.clear()

    def trust(self, now: float) -> None:
        """Note that every change committed before `now` has been applied."""
        self._trusted_until = now + TRUST_SECONDS

    def _forget(self, key: bytes) -> bool:
        return self._young.remove(key) is not None or self._old.remove(key) is not None

    def _remember(self, key: bytes, entry: Entry) -> None:
        self._old.remove(key)
        self._young.add(key, entry)
        self._retired.remove_some(_RETIRED_PER_ENTRY)
        if self._young.octets > self._generation_octets_max:
            self._retired, self._old, self._young = self._old, self._young, _Generation()


def _weight(key: bytes, entry: Entry) -> int:
    _, public_list, value_list, _ = entry
    is_shared = public_list is value_list
    return ENTRY_OCTETS + len(key) + len(value_list) + (0 if is_shared else len(public_list))
