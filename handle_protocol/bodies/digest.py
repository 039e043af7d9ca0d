"""The digest of the request that an answer may return (RFC 3652 §2.2.3, flag RD).

octets  field, from version 2.1
     1  algorithm: 1 MD5, 2 SHA-1, 3 SHA-256
     n  digest

Before 2.1 it is a counted field holding an MD5 digest. The digest covers the request's header and body.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, NamedTuple

from handle_protocol import octets
from handle_protocol.errors import MalformedMessage
from handle_protocol.octets import OctetReader


class DigestAlgorithm(IntEnum):
    """How a digest was made."""

    MD5 = 1
    SHA1 = 2
    SHA256 = 3


@dataclass(frozen=True, slots=True)
class RequestDigest:
    """The digest of a request; which request it proves the answer to belong to."""

    algorithm: DigestAlgorithm
    octets: bytes


class _Algorithm(NamedTuple):
    octet_count: int
    digest: Callable[[bytes], bytes]


_ALGORITHMS: Final = {
    DigestAlgorithm.MD5: _Algorithm(16, lambda data: hashlib.md5(data, usedforsecurity=False).digest()),
    DigestAlgorithm.SHA1: _Algorithm(20, lambda data: hashlib.sha1(data, usedforsecurity=False).digest()),
    DigestAlgorithm.SHA256: _Algorithm(32, lambda data: hashlib.sha256(data).digest()),
}

DIGEST_OCTETS: Final = {algorithm: each.octet_count for algorithm, each in _ALGORITHMS.items()}
"""The size of each digest."""

_ALGORITHM_OCTET_SINCE: Final = (2, 1)
_SHA256_SINCE: Final = (2, 7)


def digest_of(header_and_body: bytes, algorithm: DigestAlgorithm) -> RequestDigest:
    """Return the digest of a request's header and body."""
    return RequestDigest(algorithm, _ALGORITHMS[algorithm].digest(header_and_body))


def usual_algorithm(version: tuple[int, int]) -> DigestAlgorithm:
    """Return the algorithm that answers of `version` use."""
    if version < _ALGORITHM_OCTET_SINCE:
        return DigestAlgorithm.MD5
    return DigestAlgorithm.SHA1 if version < _SHA256_SINCE else DigestAlgorithm.SHA256


def encode_digest(digest: RequestDigest, version: tuple[int, int]) -> bytes:
    """Return the octets of a digest in an answer of `version`."""
    if version < _ALGORITHM_OCTET_SINCE:
        return octets.counted(digest.octets)
    return octets.u8(digest.algorithm) + digest.octets


def decode_digest(reader: OctetReader, version: tuple[int, int]) -> RequestDigest:
    """Read the digest at the start of an answer's body.

    Raises:
        MalformedMessage: the octets end early or the algorithm is unknown, so that the digest's end is, too.
    """
    start = reader.offset
    if version < _ALGORITHM_OCTET_SINCE:
        old = reader.counted("request digest")
        if len(old) != _ALGORITHMS[DigestAlgorithm.MD5].octet_count:
            raise MalformedMessage("an MD5 request digest", start)
        return RequestDigest(DigestAlgorithm.MD5, old)
    number = reader.u8("digest algorithm")
    if number not in _ALGORITHMS:
        raise MalformedMessage(f"a known digest algorithm, not {number},", start)
    algorithm = DigestAlgorithm(number)
    return RequestDigest(algorithm, reader.take(_ALGORITHMS[algorithm].octet_count, "request digest"))
