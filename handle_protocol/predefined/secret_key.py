"""HS_SECKEY: a secret shared with an administrator (RFC 3651 §3.2.4). Any octets; never shown."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class SecretKey:
    """A secret, left out of every representation for people."""

    octets: bytes = field(repr=False)


def encode_secret_key(key: SecretKey) -> bytes:
    """Return the octets of a secret."""
    return key.octets


def decode_secret_key(data: bytes) -> SecretKey:
    """Take `data` as a secret."""
    return SecretKey(data)
