"""Somebody's claim to be an administrator, and whether it is true."""

from __future__ import annotations

from enum import Enum
from typing import Protocol

from handle_protocol.value import ValueReference


class Proof(Enum):
    """What a claim turned out to be worth."""

    VALID = "valid"
    WRONG = "wrong"
    """The signature or code does not fit the key: 403."""
    UNUSABLE = "unusable"
    """The proof has no shape, or the named value is no key of the kind that was claimed: 404."""
    TOO_WEAK = "too_weak"
    """An algorithm or key that is off by setting, or a demand on our time beyond all bounds: 404."""
    TOO_MANY = "too_many"
    """Too many wrong proofs for this key came from there: 406."""
    UNKNOWN = "unknown"
    """The key cannot be found, now or at all: 406."""
    BUSY = "busy"
    """Too much is being verified, or the register cannot be asked: try later, 3."""


class Claim(Protocol):
    """Somebody says to be an administrator, and can prove it.

    The order of the reference is kept: whether the claimed one may do it is looked at before the proof.
    """

    @property
    def identity(self) -> ValueReference:
        """Who it is said to be: the value that holds the key; its index may be 0 for any key of that handle."""

    async def prove(self) -> Proof:
        """Verify the proof, once; later calls return the same. What was proved before (a session) is VALID at once."""
