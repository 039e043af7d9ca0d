"""What the resolver counts. Doors count in plain numbers; once a second these flow into Prometheus.

Labels have few values: never a handle, a prefix or a peer.
"""

from __future__ import annotations

from collections import Counter as Tally
from typing import Final

from prometheus_client import Counter, Gauge

RESOLUTIONS: Final = Counter("idnode_resolutions", "Questions answered, by door and outcome.", ("door", "outcome"))
OPERATIONS: Final = Counter(
    "idnode_operations",
    "Operations of the Handle protocol beyond plain resolution, by door, operation and response code.",
    ("door", "operation", "code"),
)
DISCARDED: Final = Counter("idnode_discarded", "Input that got no answer or an error, by door.", ("door", "reason"))
CACHE_RECORDS: Final = Gauge("idnode_cache_records", "Records remembered.", multiprocess_mode="livesum")
CACHE_OCTETS: Final = Gauge("idnode_cache_octets", "Memory that these take.", multiprocess_mode="livesum")
CACHE_EVICTIONS: Final = Counter("idnode_cache_evictions", "Records forgotten to make room for others.")
CACHE_INVALIDATIONS: Final = Counter("idnode_cache_invalidations", "Records forgotten because they changed.")
FEED_AGE: Final = Gauge(
    "idnode_feed_age_seconds", "Time since the change feed last said where it stands.", multiprocess_mode="livemax"
)
AUTHENTICATIONS: Final = Counter(
    "idnode_authentications", "Proofs of identity that were looked at, by kind and result.", ("method", "outcome")
)
LEGACY_AUTHENTICATIONS: Final = Counter(
    "idnode_legacy_authentications", "Proofs that were valid, though weak, by what is weak about them.", ("kind",)
)
CHALLENGE_RECORDS: Final = Gauge(
    "idnode_challenge_records", "Challenges that wait for an answer.", multiprocess_mode="livesum"
)
CHALLENGE_OCTETS: Final = Gauge(
    "idnode_challenge_octets", "Octets of the requests that these are for.", multiprocess_mode="livesum"
)
SESSION_RECORDS: Final = Gauge(
    "idnode_session_records", "Open sessions, by kind.", ("kind",), multiprocess_mode="livesum"
)


class DoorTally:
    """What one door counted since the last flush.

    Attributes:
        outcomes: answers by outcome, a short word such as found or not_found.
        operations: answers beyond plain resolution by operation and response code.
        discarded: input without an ordinary answer by reason, a short word such as malformed.
    """

    def __init__(self, door: str) -> None:
        self.door = door
        self.outcomes: Tally[str] = Tally()
        self.operations: Tally[tuple[int, int]] = Tally()
        self.discarded: Tally[str] = Tally()

    def flush(self) -> None:
        """Hand the numbers over to Prometheus and begin at zero."""
        for outcome, count in self.outcomes.items():
            RESOLUTIONS.labels(self.door, outcome).inc(count)
        for (op_code, code), count in self.operations.items():
            OPERATIONS.labels(self.door, op_code, code).inc(count)
        for reason, count in self.discarded.items():
            DISCARDED.labels(self.door, reason).inc(count)
        self.outcomes.clear()
        self.operations.clear()
        self.discarded.clear()
