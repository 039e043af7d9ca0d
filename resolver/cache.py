"""L1: the records a worker remembers, exact through the change feed.

Handles known to be absent are kept apart, so that no flood of made-up names can push
records out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

from cachetools import LRUCache

from handle_protocol.record import HandleRecord
from resolver.fast_path.choice import FastPath, open_records
from resolver.fast_path.records import Entry
from resolver.value_terms import terms_of

ABSENT_KEY_OCTETS_MAX: Final = 256
"""Longer names are looked for each time: no real handle is as long, and a flood of them would take the memory."""

STALE_SECONDS_MAX: Final = 86_400
"""How long past its time a record may still be shown while the register cannot be asked (a working day)."""

TRUST_SECONDS: Final = 60
"""How long after the last word from the change feed entries are believed without asking the register."""


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


class _Absence(NamedTuple):
    expires_at: float
    was_deleted: bool


_NEVER: Final = _Absence(0.0, was_deleted=False)


class RecordCache:
    """Records and absences by key. Times are seconds of one monotonic clock, given by the caller.

    Args:
        limits: how much, and for how long.
        fast_path: how plain questions are answered, and thus which kind of table keeps the records.

    Attributes:
        fast_path: the same.
        records: those that are remembered; plain questions are answered from them directly.
        trusted_until: when they are believed no longer, unless the change feed is heard again.
        invalidations: how many records were forgotten because they changed.
    """

    def __init__(self, limits: CacheLimits, fast_path: FastPath | None = None) -> None:
        self._limits = limits
        self.fast_path = fast_path or FastPath.usual()
        self.records = open_records(self.fast_path, limits.octets_max)
        self._absent: LRUCache[bytes, _Absence] = LRUCache(limits.absent_max)
        self.trusted_until = 0.0
        self.invalidations = 0

    def __len__(self) -> int:
        return len(self.records)

    @property
    def octets(self) -> int:
        """The memory that records take."""
        return self.records.octets

    def look_up(self, key: bytes, now: float) -> Entry | None:
        """Return the entry of `key` if it may be believed at `now`."""
        entry = self.records.get(key)
        return entry if entry is not None and now < entry[0] and now < self.trusted_until else None

    def look_up_stale(self, key: bytes, now: float) -> Entry | None:
        """Return the entry of `key` even if its time is over, for when the register cannot be asked."""
        entry = self.records.get(key)
        return entry if entry is not None and now < entry[0] + STALE_SECONDS_MAX else None

    def is_absent(self, key: bytes, now: float) -> bool:
        """Tell whether the register was found not to hold `key`, just now."""
        return now < self.trusted_until and now < self._absent.get(key, _NEVER).expires_at

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
            self.records.pop(key)
            if len(key) <= ABSENT_KEY_OCTETS_MAX:
                self._absent[key] = _Absence(now + self._limits.absent_seconds, was_deleted=record is not None)
            return
        ttls, public_list = terms_of(record.value_list)
        seconds = min((ttl.lifetime_seconds(unix_now) for ttl in ttls), default=self._limits.seconds_max)
        expires_at = int(now) + min(seconds, self._limits.seconds_max)
        self._absent.pop(key, None)
        self.records.put(key, expires_at, public_list, record.value_list, record.revision)

    def evict(self, key: bytes) -> None:
        """Forget whatever is known of `key`, because it changed."""
        self._absent.pop(key, None)
        self.invalidations += self.records.pop(key)

    def clear(self) -> None:
        """Forget everything."""
        self.records.clear()
        self._absent.clear()

    def trust(self, now: float) -> None:
        """Note that every change committed before `now` has been applied."""
        self.trusted_until = now + TRUST_SECONDS
