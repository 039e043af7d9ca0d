"""Who asks: a key, and the value in which its other half is found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from handle_protocol.bodies.challenge import Challenge, ChallengeAnswer
from handle_protocol.envelope import Version
from handle_protocol.errors import MalformedMessage
from handle_protocol.security.key_proofs import make_key_proof
from handle_protocol.security.private_keys import SigningKey
from handle_protocol.security.secret_proofs import make_secret_proof
from handle_protocol.value import ValueReference

SECRET_KEY: Final = "HS_SECKEY"  # noqa: S105 - a type of value
PUBLIC_KEY: Final = "HS_PUBKEY"


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody who can prove to be meant by a value reference.

    Attributes:
        reference: the value that holds the secret key, or the public half of the key.
        key: a private key of RSA, DSA or SM2, or the octets of a secret key.
    """

    reference: ValueReference
    key: SigningKey | bytes = field(repr=False)

    @property
    def key_type(self) -> str:
        """The type of the value that holds the key."""
        return PUBLIC_KEY if isinstance(self.key, SigningKey) else SECRET_KEY

    def answer(self, challenge: Challenge, version: Version) -> ChallengeAnswer:
        """Return the answer to a challenge. It costs milliseconds of computing: call it in a thread.

        Args:
            challenge: as it came.
            version: of the message that will carry the answer.

        Raises:
            MalformedMessage: the challenge says not which request it is about.
            UnsupportedKey: SM2 is not installed.
        """
        if challenge.request_digest is None:
            raise MalformedMessage("the digest of the request in a challenge", 0)
        digest = challenge.request_digest.octets
        if isinstance(self.key, SigningKey):
            proof = make_key_proof(self.key, challenge.nonce, digest, version, self.reference.handle)
        else:
            proof = make_secret_proof(self.key, challenge.nonce, digest, version)
        return ChallengeAnswer(self.key_type, self.reference, proof)
