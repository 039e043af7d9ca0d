"""The states of a registered prefix and the steps between them, as a table."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from handle_protocol.handle import Prefix
from registry.errors import TransitionForbidden


class PrefixStatus(StrEnum):
    """Where a prefix stands. The words are stored."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    WITHDRAWN = "withdrawn"
    """Its records stay, but it is as little ours as one that was never registered, also below a parent of ours."""


class Step(StrEnum):
    """What an operator does with a prefix."""

    SUSPEND = "suspend"
    RESUME = "resume"
    WITHDRAW = "withdraw"
    RETURN = "return"


TRANSITIONS: Final[Mapping[tuple[PrefixStatus, Step], PrefixStatus]] = {
    (PrefixStatus.ACTIVE, Step.SUSPEND): PrefixStatus.SUSPENDED,
    (PrefixStatus.SUSPENDED, Step.SUSPEND): PrefixStatus.SUSPENDED,
    (PrefixStatus.SUSPENDED, Step.RESUME): PrefixStatus.ACTIVE,
    (PrefixStatus.ACTIVE, Step.RESUME): PrefixStatus.ACTIVE,
    (PrefixStatus.ACTIVE, Step.WITHDRAW): PrefixStatus.WITHDRAWN,
    (PrefixStatus.WITHDRAWN, Step.WITHDRAW): PrefixStatus.WITHDRAWN,
    (PrefixStatus.WITHDRAWN, Step.RETURN): PrefixStatus.ACTIVE,
    (PrefixStatus.ACTIVE, Step.RETURN): PrefixStatus.ACTIVE,
    (PrefixStatus.SUSPENDED, Step.RETURN): PrefixStatus.SUSPENDED,
}
"""A step taken twice changes nothing, so that an operator in a hurry may repeat it.

A suspended prefix cannot be withdrawn: it could come back without the suspension."""


def after(prefix: Prefix, status: PrefixStatus, step: Step) -> PrefixStatus:
    """Return the status of `prefix` after `step`.

    Raises:
        TransitionForbidden: the table has no such step.
    """
    following = TRANSITIONS.get((status, step))
    if following is None:
        raise TransitionForbidden(prefix, status, step)
    return following
