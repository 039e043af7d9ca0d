"""What somebody presents to prove who they are, and whether it fits a key.

Everything here is pure and may cost milliseconds: call `weakness` and `fits` in a thread.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from hashlib import sha256
from typing import ClassVar, Final

from handle_protocol.bodies.digest import DigestAlgorithm, RequestDigest
from handle_protocol.envelope import VERSION_OURS, Version
from handle_protocol.errors import MalformedMessage, ProtocolError
from handle_protocol.octets import OctetReader
from handle_protocol.security.digests import digest_named
from handle_protocol.security.errors import OutOfBounds
from handle_protocol.security.limits import DIGEST_NAME_OCTETS, SIGNATURE_OCTETS
from handle_protocol.security.public_keys import KeyKind, read_public_key
from handle_protocol.security.secret_proofs import SecretProof, read_secret_proof
from resolver.authentication.claims import Proof

SECRET_KEY: Final = "HS_SECKEY"  # noqa: S105 - a type of value
PUBLIC_KEY: Final = "HS_PUBKEY"

STRONG_SINCE: Final = Version(2, 7)
"""Reference: before this version requests were digested with MD5 or SHA-1."""

OLD_VERSION: Final = "version"
SHORT_KEY: Final = "short_key"
DSA: Final = "dsa"


@dataclass(frozen=True, slots=True)
class SecretCode:
    """A code made with a secret key, over a nonce and a digest.

    Attributes:
        nonce: of our challenge.
        digest: of the challenged request; in REST the client's own nonce stands in its octets.
        version: of the message that carried the code.
        octets: the code as it came, to be handed on where only another service knows the key.
    """

    method: ClassVar[str] = "secret_key"
    value_type: ClassVar[str] = SECRET_KEY
    code: SecretProof
    nonce: bytes
    digest: RequestDigest
    version: Version = VERSION_OURS
    octets: bytes = b""

    def weakness(self, _key: bytes) -> str | None:
        """Return a short word for what is weak about it, or None."""
        if self.version < STRONG_SINCE or self.digest.algorithm is not DigestAlgorithm.SHA256:
            return OLD_VERSION
        return self.code.algorithm.name.lower() if self.code.is_weak else None

    def fits(self, key: bytes, _handle: str) -> bool:
        """Tell whether it was made with `key`."""
        return self.code.verify(key, self.nonce, self.digest.octets)


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature over a nonce and a digest.

    Attributes:
        digest_name: as it came.
        nonce, digest, version: as for SecretCode.
    """

    method: ClassVar[str] = "public_key"
    value_type: ClassVar[str] = PUBLIC_KEY
    digest_name: str
    signature: bytes
    nonce: bytes
    digest: RequestDigest
    version: Version = VERSION_OURS

    def weakness(self, key: bytes) -> str | None:
        """Return a short word for what is weak about it or the key, or None.

        Raises:
            ProtocolError: the key cannot be used, or the digest is not known.
        """
        read = read_public_key(key)
        if self.version < STRONG_SINCE or self.digest.algorithm is not DigestAlgorithm.SHA256:
            return OLD_VERSION
        if not read.is_weak(self.digest_name):
            return None
        if read.kind is KeyKind.DSA:
            return DSA
        digest = digest_named(self.digest_name)
        return digest.name.lower() if digest.is_weak else SHORT_KEY

    def fits(self, key: bytes, handle: str) -> bool:
        """Tell whether the owner of `key` made it. `handle` is the identity's: SM2 signs its octets as well.

        Raises:
            ProtocolError: the key cannot be used, or the digest does not fit it.
        """
        return read_public_key(key).verify(
            self.digest_name, self.signature, self.nonce + self.digest.octets, handle.encode()
        )


@dataclass(frozen=True, slots=True)
class Password:
    """The secret key itself: Basic in REST, operation 2000 of CAICT's SDK."""

    method: ClassVar[str] = "password"
    value_type: ClassVar[str] = SECRET_KEY
    secret: bytes = field(repr=False)

    def weakness(self, _key: bytes) -> None:
        """Return None: what protects it is the channel."""

    def fits(self, key: bytes, _handle: str) -> bool:
        """Tell whether it is `key`. An empty key is nobody's; digests are compared, so that lengths do not show."""
        return bool(key) and hmac.compare_digest(sha256(key).digest(), sha256(self.secret).digest())


@dataclass(frozen=True, slots=True)
class CertificateKey:
    """The public key of a client certificate, whose private key TLS has already seen used.

    Attributes:
        data: the key in any encoding of HS_PUBKEY, such as SubjectPublicKeyInfo in DER.
    """

    method: ClassVar[str] = "certificate"
    value_type: ClassVar[str] = PUBLIC_KEY
    data: bytes

    def weakness(self, key: bytes) -> str | None:
        """Return a short word for what is weak about the key, or None.

        Raises:
            ProtocolError: the key cannot be used.
        """
        read = read_public_key(key)
        if read.kind is KeyKind.DSA:
            return DSA
        return SHORT_KEY if read.kind is KeyKind.RSA and read.is_weak("SHA-256") else None

    def fits(self, key: bytes, _handle: str) -> bool:
        """Tell whether it is the same key, however either is encoded.

        Raises:
            ProtocolError: one of them cannot be used.
        """
        return hmac.compare_digest(read_public_key(key).data(), read_public_key(self.data).data())


Evidence = SecretCode | Signature | Password | CertificateKey


def read_evidence(
    value_type: str, octets: bytes, nonce: bytes, digest: RequestDigest, version: Version
) -> Evidence | Proof:
    """Read the answer to a challenge (RFC 3652 §3.5.3); what cannot be read is already all the proof there will be.

    Args:
        value_type: what kind of key was used, as the answer says: HS_SECKEY or HS_PUBKEY.
        octets: the signed response.
        nonce: of the challenge.
        digest: of the challenged request.
        version: of the message that carried the answer.
    """
    try:
        match value_type.upper():
            case "HS_SECKEY":
                return SecretCode(read_secret_proof(octets, version), nonce, digest, version, octets)
            case "HS_PUBKEY":
                return Signature(*_read_signature(octets), nonce, digest, version)
            case _:
                return Proof.UNUSABLE
    except ProtocolError as error:
        return proof_of(error)


def proof_of(error: ProtocolError) -> Proof:
    """Return what a proof is worth that cannot be read or verified."""
    return Proof.TOO_WEAK if isinstance(error, OutOfBounds) else Proof.UNUSABLE


def _read_signature(octets: bytes) -> tuple[str, bytes]:
    reader = OctetReader(octets)
    digest_name, signature = reader.text("name of digest"), reader.counted("signature")
    reader.finish("signed response")
    if len(digest_name) not in DIGEST_NAME_OCTETS or len(signature) not in SIGNATURE_OCTETS:
        raise MalformedMessage("a digest name and a signature", 0)
    return digest_name, signature
