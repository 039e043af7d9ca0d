"""What became of each record of a change."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class OutcomeKind(StrEnum):
    """What was done."""

    CREATED = "created"
    CHANGED = "changed"
    SAME = "same"
    """Stored already with equal values; nothing was written."""
    DELETED = "deleted"
    MISSING = "missing"
    """To be deleted, but not there."""
    REFUSED = "refused"


class RefusalReason(StrEnum):
    """Why a record was refused."""

    NOT_OURS = "not ours"
    """No registered prefix covers the handle."""
    SUSPENDED = "suspended"
    """The prefix is suspended: nothing below it changes."""
    DELEGATED = "delegated"
    """The enterprise's own node answers for the prefix."""
    DUPLICATE = "duplicate"
    """An earlier record of the same call has the same key."""
    TOO_LONG = "too long"
    """No message can carry its values, see VALUE_LIST_OCTETS_MAX and VALUES_MAX."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one record; `reason` is there when it was refused."""

    kind: OutcomeKind
    reason: RefusalReason | None = None
