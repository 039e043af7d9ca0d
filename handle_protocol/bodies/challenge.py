"""Proving who one is: the challenge, its answer, and asking others whether an answer is right (RFC 3652 §3.5).

octets  field of a challenge (response code 402)
     n  digest of the challenged request, always
   4+n  nonce

octets  field of an answer to a challenge (operation 200)
   4+n  kind of key: HS_SECKEY or HS_PUBKEY
   4+n  handle of the identity; 4 index of its key
   4+n  the proof

octets  field of a verification (operation 201)
   4+n  handle of the identity; 4 index of its key
   4+n  nonce
   4+n  digest of the challenged request, its algorithm first
   4+n  the proof

The answer to a verification is one octet after the digest: 1 when the proof is right.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from handle_protocol import octets
from handle_protocol.bodies.digest import RequestDigest
from handle_protocol.bodies.identity import decode_identity, encode_identity
from handle_protocol.octets import OctetReader
from handle_protocol.value import ValueReference


@dataclass(frozen=True, slots=True)
class Challenge:
    """Prove who you are.

    Attributes:
        nonce: 16 octets that are never used again.
        request_digest: of the request that must be proved; None where it is not known yet, before encoding.
    """

    nonce: bytes
    request_digest: RequestDigest | None = None


@dataclass(frozen=True, slots=True)
class ChallengeAnswer:
    """The proof.

    Attributes:
        key_type: HS_SECKEY or HS_PUBKEY.
        identity: the value that holds the key; its index may be 0 for any key of that handle.
        proof: what its form is depends on key and version, see handle_protocol.security.
    """

    key_type: str
    identity: ValueReference
    proof: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class VerifyChallengeRequest:
    """Is this proof right?

    Attributes:
        digest_octets: algorithm octet and digest of the challenged request, as they came.
    """

    identity: ValueReference
    nonce: bytes
    digest_octets: bytes
    proof: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class VerifyChallengeResponse:
    """Whether it is.

    Attributes:
        verdict: 1 = it is right; other numbers pass through and mean no.
    """

    verdict: int
    request_digest: RequestDigest | None = None

    @property
    def is_valid(self) -> bool:
        """Whether the proof is right."""
        return self.verdict == 1


def encode_challenge(body: Challenge) -> bytes:
    """Return the octets of a challenge, without the digest."""
    return octets.counted(body.nonce)


def decode_challenge(reader: OctetReader, digest: RequestDigest | None) -> Challenge:
    """Read what follows the digest.

    Raises:
        MalformedMessage: the octets end early.
    """
    return Challenge(reader.counted("nonce"), digest)


def encode_challenge_answer(body: ChallengeAnswer) -> bytes:
    """Return the octets of an answer to a challenge."""
    return octets.text(body.key_type) + encode_identity(body.identity) + octets.counted(body.proof)


def decode_challenge_answer(reader: OctetReader) -> ChallengeAnswer:
    """Read an answer to a challenge.

    Raises:
        MalformedMessage: the octets end early, or the kind is not UTF-8.
        InvalidHandle: the handle is too long or not UTF-8.
    """
    key_type = reader.text("kind of key")
    return ChallengeAnswer(key_type, decode_identity(reader), reader.counted("proof"))


def encode_verify_request(body: VerifyChallengeRequest) -> bytes:
    """Return the octets of a verification."""
    parts = (body.nonce, body.digest_octets, body.proof)
    return encode_identity(body.identity) + b"".join(map(octets.counted, parts))


def decode_verify_request(reader: OctetReader) -> VerifyChallengeRequest:
    """Read a verification.

    Raises:
        MalformedMessage: the octets end early.
        InvalidHandle: the handle is too long or not UTF-8.
    """
    identity = decode_identity(reader)
    return VerifyChallengeRequest(identity, reader.counted("nonce"), reader.counted("digest"), reader.counted("proof"))


def encode_verify_response(body: VerifyChallengeResponse) -> bytes:
    """Return the octet of a verdict, without the digest."""
    return octets.u8(body.verdict)


def decode_verify_response(reader: OctetReader, digest: RequestDigest | None) -> VerifyChallengeResponse:
    """Read what follows the digest.

    Raises:
        MalformedMessage: there is no octet.
    """
    return VerifyChallengeResponse(reader.u8("verdict"), digest)
