"""The digests that signatures are made over: their names on the wire, and which a version uses.

Reference: "SHA1" and "SHA-256" are written, "SHA-1" and "SHA256" are read as well; "SM3" is China's (SDK of Teleinfo).
"""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import Final

from cryptography.hazmat.primitives import hashes

from handle_protocol.envelope import Version
from handle_protocol.security.errors import UnsupportedAlgorithm, check_bounds
from handle_protocol.security.limits import DIGEST_NAME_OCTETS


class Digest(StrEnum):
    """A digest, by the name that is written on the wire."""

    MD5 = "MD5"
    SHA1 = "SHA1"
    SHA256 = "SHA-256"
    SM3 = "SM3"

    @property
    def is_weak(self) -> bool:
        """Whether collisions can be made."""
        return self in _WEAK


_WEAK: Final = frozenset({Digest.MD5, Digest.SHA1})
_BY_FOLDED_NAME: Final = {digest.value.replace("-", ""): digest for digest in Digest}

RSA_SHA256_SINCE: Final = Version(2, 7)
DSA_SHA256_SINCE: Final = Version(2, 11)


def digest_named(name: str) -> Digest:
    """Return the digest that is called `name`, in any spelling of the field.

    Raises:
        OutOfBounds: the name is empty or too long.
        UnsupportedAlgorithm: no such digest.
    """
    check_bounds("octets of a digest name", len(name), DIGEST_NAME_OCTETS)
    try:
        return _BY_FOLDED_NAME[name.upper().replace("-", "")]
    except KeyError:
        raise UnsupportedAlgorithm(f"expected digest MD5, SHA1, SHA-256 or SM3, not {name!r}") from None


def hash_algorithm(digest: Digest) -> hashes.HashAlgorithm:
    """Return a digest as :mod:`cryptography` names it."""
    return _HASHES[digest]()


def md5(octets: bytes) -> bytes:
    """Return the MD5 digest; for old peers alone."""
    return hashlib.md5(octets, usedforsecurity=False).digest()


def sha1(octets: bytes) -> bytes:
    """Return the SHA-1 digest; for old peers alone."""
    return hashlib.sha1(octets, usedforsecurity=False).digest()


def sha256(octets: bytes) -> bytes:
    """Return the SHA-256 digest."""
    return hashlib.sha256(octets).digest()


def sm3(octets: bytes) -> bytes:
    """Return the SM3 digest (GB/T 32905)."""
    state = hashes.Hash(hashes.SM3())
    state.update(octets)
    return state.finalize()


_HASHES: Final[dict[Digest, type[hashes.HashAlgorithm]]] = {
    Digest.MD5: hashes.MD5,
    Digest.SHA1: hashes.SHA1,
    Digest.SHA256: hashes.SHA256,
    Digest.SM3: hashes.SM3,
}
