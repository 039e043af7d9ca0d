"""The proof that somebody holds a private key (HS_PUBKEY): a signature over nonce and digest of the request.

octets  field
   4+n  name of the digest
   4+n  signature

Source: the reference, vector file 05; with SM2 Teleinfo's SDK, vector file 15.
"""

from __future__ import annotations

from dataclasses import dataclass

from handle_protocol import octets
from handle_protocol.envelope import Version
from handle_protocol.octets import OctetReader
from handle_protocol.security.errors import check_bounds
from handle_protocol.security.limits import DIGEST_NAME_OCTETS, SIGNATURE_OCTETS
from handle_protocol.security.private_keys import SigningKey
from handle_protocol.security.public_keys import VerificationKey


@dataclass(frozen=True, slots=True)
class KeyProof:
    """A proof as it came."""

    digest_name: str
    signature: bytes

    def verify(self, key: VerificationKey, nonce: bytes, digest: bytes, identity_handle: str) -> bool:
        """Tell whether it was made with the private half of `key` for `nonce` and `digest`.

        Args:
            key: from the identity's record.
            nonce: from the challenge.
            digest: of the request, without algorithm; the client's nonce in REST.
            identity_handle: as the proof's sender spelled it; what SM2 signs names the signer.

        Raises:
            UnsupportedAlgorithm: the digest is not known, or does not fit the key.
            UnsupportedKey: SM2 is not installed.
        """
        return key.verify(self.digest_name, self.signature, nonce + digest, identity_handle.encode())


def make_key_proof(key: SigningKey, nonce: bytes, digest: bytes, version: Version, identity_handle: str) -> bytes:
    """Return the octets that prove `key`, as clients of `version` make them; see `KeyProof.verify`.

    Raises:
        UnsupportedKey: SM2 is not installed.
    """
    name, signature = key.sign(nonce + digest, version, identity_handle.encode())
    return octets.text(name) + octets.counted(signature)


def read_key_proof(proof_octets: bytes) -> KeyProof:
    """Read a proof. Nothing is computed yet.

    Raises:
        MalformedMessage: the octets are no proof.
        OutOfBounds: the name or the signature is empty, or longer than any.
    """
    reader = OctetReader(proof_octets)
    name = reader.text("name of the digest")
    signature = reader.counted("signature")
    reader.finish("proof")
    check_bounds("octets of a digest name", len(name), DIGEST_NAME_OCTETS)
    check_bounds("octets of a signature", len(signature), SIGNATURE_OCTETS)
    return KeyProof(name, signature)
