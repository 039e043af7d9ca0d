"""L1: the records a worker remembers, bounded in octets, exact through the change feed.

An entry is a plain tuple of octets and numbers: the garbage collector does not walk such tuples, so a million of
them cost no pauses. Records live in two generations; what is asked for moves to the young one, what is not is
dropped with the old one. Handles known to be absent are kept apart, so that no flood of made-up names can push
records out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cachetools import TTLCache

from handle_protocol.record import HandleRecord, encode_value_list

Entry = tuple[int, bytes, bytes, int]
"""When it expires (seconds of the cache's clock), the values everybody may read, all values, the revision.

Both lists are in wire form; they are one object when every value is public.
"""

ENTRY_OCTETS: Final = 250
"""What an entry weighs beside its key and its lists: dictionary slot, tuple, numbers, object heads (measured)."""

STALE_SECONDS_MAX: Final = 86_400
"""How long past its time a record may still be shown while the register cannot be asked (a working day)."""

TRUST_SECONDS: Final = 60
"""How long after the last word from the change feed entries are believed without asking the register."""

_RETIRED_PER_PUT: Final = 4
"""How many entries of a dropped generation one put frees: dropping it at once would stall the loop."""


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


class RecordCache:
    """Records and absences by key. Times are seconds of one monotonic clock, given by the caller."""

    def __init__(self, limits: CacheLimits) -> None:
        self._limits = limits
        self._generation_octets_max = limits.octets_max // 3
        self._young: dict[bytes, Entry] = {}
        self._old: dict[bytes, Entry] = {}
        self._retired: dict[bytes, Entry] = {}
        self._young_octets = 0
        self._absent: TTLCache[bytes, int] = TTLCache(limits.absent_max, limits.absent_seconds, timer=self._time)
        self._now = 0.0
        self._trusted_until = 0.0
        self.evictions = 0

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def look_up(self, key: bytes, now: float) -> Entry | None:
        """Return the entry of `key` if it may be believed at `now`."""
        entry = self._young.get(key)
        if entry is None:
            entry = self._promote(key)
        return entry if entry is not None and now < entry[0] and now < self._trusted_until else None

    def look_up_stale(self, key: bytes, now: float) -> Entry | None:
        """Return the entry of `key` even if its time is over, for when the register cannot be asked."""
        entry = self._young.get(key) or self._old.get(key)
        return entry if entry is not None and now < entry[0] + STALE_SECONDS_MAX else None

    def is_absent(self, key: bytes, now: float) -> bool:
        """Tell whether the register was found not to hold `key`, just now."""
        self._now = now
        return now < self._trusted_until and key in self._absent

    def put(self, key: bytes, record: HandleRecord | None, now: float, unix_now: float) -> None:
        """Remember what the register holds under `key`; None = nothing.

        Args:
            key: see Handle.key.
            record: as it is stored.
            now: seconds of the cache's clock.
            unix_now: the same moment in Unix seconds, which absolute times to live are written in.
        """
        self._free_retired()
        if record is None:
            self._now = now
            self._absent[key] = 1
            return
        values = record.values
        seconds = min((value.ttl.lifetime_seconds(unix_now) for value in values), default=self._limits.seconds_max)
        public = tuple(value for value in values if value.is_public)
        public_list = record.value_list if len(public) == len(values) else encode_value_list(public)
        expires_at = int(now) + min(seconds, self._limits.seconds_max)
        self._absent.pop(key, None)
        self._remember(key, (expires_at, public_list, record.value_list, record.revision))

    def evict(self, key: bytes) -> None:
        """Forget whatever is known of `key`."""
        self._absent.pop(key, None)
        entry = self._young.pop(key, None)
        if entry is not None:
            self._young_octets -= _weight(key, entry)
        if self._old.pop(key, None) is not None or entry is not None:
            self.evictions += 1

    def clear(self) -> None:
        """Forget everything."""
        self._young, self._old, self._retired, self._young_octets = {}, {}, {}, 0
        self._absent.clear()

    def trust(self, now: float) -> None:
        """Note that every change committed before `now` has been applied."""
        self._trusted_until = now + TRUST_SECONDS

    def _promote(self, key: bytes) -> Entry | None:
        entry = self._old.pop(key, None)
        if entry is not None:
            self._remember(key, entry)
        return entry

    def _remember(self, key: bytes, entry: Entry) -> None:
        before = self._young.get(key)
        self._young_octets += _weight(key, entry) - (0 if before is None else _weight(key, before))
        self._young[key] = entry
        self._old.pop(key, None)
        if self._young_octets > self._generation_octets_max:
            self._retired, self._old, self._young, self._young_octets = self._old, self._young, {}, 0

    def _free_retired(self) -> None:
        for _ in range(min(_RETIRED_PER_PUT, len(self._retired))):
            self._retired.popitem()

    def _time(self) -> float:
        return self._now


def _weight(key: bytes, entry: Entry) -> int:
    _, public_list, value_list, _ = entry
    shared = public_list is value_list
    return ENTRY_OCTETS + len(key) + len(value_list) + (0 if shared else len(public_list))
