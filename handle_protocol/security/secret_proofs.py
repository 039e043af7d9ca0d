"""The proof that somebody knows a secret key (HS_SECKEY): a code over nonce and digest of the request.

octets  field, from version 2.1
     1  algorithm: 1 MD5, 2 SHA-1, 3 SHA-256, 0x12 HMAC-SHA1, 0x13 HMAC-SHA256, 0x22 PBKDF2-HMAC-SHA1
     n  code; with PBKDF2: 4+n salt, 4 iterations, 4 bits of the stretched key, 4+n code

Before 2.1 it is an MD5 code alone. Source: the reference, all forms in vector file 05; the names of the REST scheme
"Handle", which proves nonce and client's nonce, in vector file 14.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, NamedTuple

from handle_protocol import octets
from handle_protocol.envelope import Version
from handle_protocol.errors import MalformedMessage
from handle_protocol.octets import OctetReader
from handle_protocol.security import digests
from handle_protocol.security.errors import UnsupportedAlgorithm, check_bounds
from handle_protocol.security.limits import (
    PROOF_OCTETS_MAX,
    STRETCHED_KEY_BITS,
    STRETCHING_ITERATIONS,
    STRETCHING_SALT_OCTETS,
)

_ALGORITHM_OCTET_SINCE: Final = Version(2, 1)
_STRETCHED_SINCE: Final = Version(2, 7)
_SALT_OCTETS: Final = 16
_BITS_PER_SHA1: Final = 160


class ProofAlgorithm(IntEnum):
    """How a proof was made: the octet on the wire."""

    MD5 = 0x01
    SHA1 = 0x02
    SHA256 = 0x03
    HMAC_SHA1 = 0x12
    HMAC_SHA256 = 0x13
    PBKDF2_HMAC_SHA1 = 0x22


@dataclass(frozen=True, slots=True)
class Stretching:
    """What makes guessing a secret slow. Within bounds by construction.

    Raises:
        OutOfBounds: the salt, the iterations or the key is larger or smaller than we compute.
        UnsupportedAlgorithm: the key is no whole number of octets.
    """

    salt: bytes
    iterations: int = 10_000
    key_bits: int = 160

    def __post_init__(self) -> None:
        check_bounds("octets of salt", len(self.salt), STRETCHING_SALT_OCTETS)
        check_bounds("iterations", self.iterations, STRETCHING_ITERATIONS)
        check_bounds("bits of stretched key", self.key_bits, STRETCHED_KEY_BITS)
        if self.key_bits % 8:
            raise UnsupportedAlgorithm(f"expected whole octets of stretched key, not {self.key_bits} bits")

    @property
    def cost(self) -> int:
        """How many times HMAC-SHA1 is computed."""
        return self.iterations * -(-self.key_bits // _BITS_PER_SHA1)

    def stretch(self, key: bytes) -> bytes:
        """Return the key that the code is made with.

        Reference: the secret's octets become characters, and these UTF-8, so that octets above 0x7F are doubled.
        """
        password = key.decode("latin-1").encode()
        return hashlib.pbkdf2_hmac("sha1", password, self.salt, self.iterations, self.key_bits // 8)


@dataclass(frozen=True, slots=True)
class SecretProof:
    """A proof as it came.

    Attributes:
        stretching: for PBKDF2 alone.

    Raises:
        MalformedMessage: the code has another length than its algorithm makes.
    """

    algorithm: ProofAlgorithm
    code: bytes
    stretching: Stretching | None = None

    def __post_init__(self) -> None:
        expected = _ALGORITHMS[self.algorithm].octet_count
        if len(self.code) != expected:
            raise MalformedMessage(f"{expected} octets of code, not {len(self.code)},", 0)

    @property
    def is_weak(self) -> bool:
        """Whether it rests on MD5 or on SHA-1 without stretching."""
        return self.algorithm in _WEAK

    @property
    def cost(self) -> int:
        """How many digests verifying takes, about."""
        return 1 if self.stretching is None else self.stretching.cost

    def verify(self, key: bytes, nonce: bytes, digest: bytes) -> bool:
        """Tell whether it was made with `key` for `nonce` and `digest`. An empty key proves nothing.

        Args:
            key: octets of the secret.
            nonce: from the challenge.
            digest: of the request, without algorithm; the client's nonce in REST.
        """
        expected = _code(self.algorithm, self.stretching, key, nonce + digest)
        return bool(key) and hmac.compare_digest(expected, self.code)


def make_secret_proof(key: bytes, nonce: bytes, digest: bytes, version: Version, *, salt: bytes | None = None) -> bytes:
    """Return the octets that prove `key`, as clients of `version` make them.

    Args:
        key: octets of the secret.
        nonce: from the challenge.
        digest: of the request, without algorithm.
        version: of the message that carries the proof.
        salt: random unless given.
    """
    if version < _ALGORITHM_OCTET_SINCE:
        return _code(ProofAlgorithm.MD5, None, key, nonce + digest)
    if version < _STRETCHED_SINCE:
        return octets.u8(ProofAlgorithm.SHA1) + _code(ProofAlgorithm.SHA1, None, key, nonce + digest)
    stretching = Stretching(secrets.token_bytes(_SALT_OCTETS) if salt is None else salt)
    return b"".join(
        (
            octets.u8(ProofAlgorithm.PBKDF2_HMAC_SHA1),
            octets.counted(stretching.salt),
            octets.u32s((stretching.iterations, stretching.key_bits)),
            octets.counted(_code(ProofAlgorithm.PBKDF2_HMAC_SHA1, stretching, key, nonce + digest)),
        )
    )


def read_secret_proof(proof_octets: bytes, version: Version) -> SecretProof:
    """Read a proof that came in a message of `version`. Nothing is computed yet.

    Raises:
        MalformedMessage: the octets are no proof, or the code has another length than its algorithm makes.
        UnsupportedAlgorithm: the algorithm is not known.
        OutOfBounds: verifying would cost more than we pay.
    """
    if version < _ALGORITHM_OCTET_SINCE:
        return SecretProof(ProofAlgorithm.MD5, proof_octets)
    reader = OctetReader(proof_octets)
    algorithm = _algorithm(reader.u8("algorithm of the proof"))
    if reader.remaining > PROOF_OCTETS_MAX:
        raise MalformedMessage(f"at most {PROOF_OCTETS_MAX} octets of proof", 0)
    if algorithm is not ProofAlgorithm.PBKDF2_HMAC_SHA1:
        return SecretProof(algorithm, reader.rest())
    stretching = Stretching(reader.counted("salt"), reader.u32("iterations"), reader.u32("bits of stretched key"))
    code = reader.counted("code")
    reader.finish("proof")
    return SecretProof(algorithm, code, stretching)


def secret_proof_of_fields(name: str, code: bytes, stretching: Stretching | None = None) -> SecretProof:
    """Return the proof that named fields describe: `alg`, `signature`; `salt`, `iterations` and `length` in REST.

    Raises:
        MalformedMessage: the code has another length than its algorithm makes.
        UnsupportedAlgorithm: no algorithm has that name, or stretching is missing.
    """
    algorithm = _BY_FOLDED_NAME.get(_folded(name))
    if algorithm is None:
        raise UnsupportedAlgorithm(f"unknown algorithm {name[:32]!r}")
    if algorithm is not ProofAlgorithm.PBKDF2_HMAC_SHA1:
        return SecretProof(algorithm, code)
    if stretching is None:
        raise UnsupportedAlgorithm("expected salt, iterations and length")
    return SecretProof(algorithm, code, stretching)


class _Algorithm(NamedTuple):
    names: tuple[str, ...]
    octet_count: int
    code: Callable[[bytes, bytes], bytes]


def _wrapped(digest: Callable[[bytes], bytes]) -> Callable[[bytes, bytes], bytes]:
    return lambda key, content: digest(key + content + key)


def _hmac(digest_name: str) -> Callable[[bytes, bytes], bytes]:
    return lambda key, content: hmac.digest(key, content, digest_name)


_ALGORITHMS: Final = {
    ProofAlgorithm.MD5: _Algorithm(("MD5",), 16, _wrapped(digests.md5)),
    ProofAlgorithm.SHA1: _Algorithm(("SHA1",), 20, _wrapped(digests.sha1)),
    ProofAlgorithm.SHA256: _Algorithm(("SHA256",), 32, _wrapped(digests.sha256)),
    ProofAlgorithm.HMAC_SHA1: _Algorithm(("HMACSHA1",), 20, _hmac("sha1")),
    ProofAlgorithm.HMAC_SHA256: _Algorithm(("HMACSHA256",), 32, _hmac("sha256")),
    ProofAlgorithm.PBKDF2_HMAC_SHA1: _Algorithm(("PBKDF2HMACSHA1", "PBKDF2WITHHMACSHA1"), 20, _hmac("sha1")),
}

_BY_FOLDED_NAME: Final = {name: number for number, algorithm in _ALGORITHMS.items() for name in algorithm.names}
_WEAK: Final = frozenset({ProofAlgorithm.MD5, ProofAlgorithm.SHA1, ProofAlgorithm.HMAC_SHA1})


def _folded(name: str) -> str:
    return name.upper().replace("-", "")


def _algorithm(number: int) -> ProofAlgorithm:
    try:
        return ProofAlgorithm(number)
    except ValueError:
        raise UnsupportedAlgorithm(f"unknown algorithm {number:#04x} of a proof") from None


def _code(algorithm: ProofAlgorithm, stretching: Stretching | None, key: bytes, content: bytes) -> bytes:
    used = key if stretching is None else stretching.stretch(key)
    return _ALGORITHMS[algorithm].code(used, content)
