"""The body of an operation that this codec does not look into."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RawBody:
    """A body as it came. In an answer that returns the digest of its request, the digest stands first in it."""

    octets: bytes = b""
