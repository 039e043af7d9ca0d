"""A proof as the REST API's scheme "Handle" carries it: named fields over the nonce of a session (vector 14)."""

from __future__ import annotations

from dataclasses import dataclass, field

from handle_protocol.bodies.digest import DigestAlgorithm, RequestDigest
from handle_protocol.errors import ProtocolError
from handle_protocol.security.secret_proofs import Stretching, secret_proof_of_fields
from handle_protocol.value import ValueReference
from resolver.authentication.claims import Proof
from resolver.authentication.evidence import PUBLIC_KEY, SECRET_KEY, Evidence, SecretCode, Signature, proof_of


@dataclass(frozen=True, slots=True)
class StretchingFields:
    """How a secret was stretched, as it was said: nothing is checked yet."""

    salt: bytes
    iterations: int
    key_bits: int


@dataclass(frozen=True, slots=True)
class WebProof:
    """What somebody presents, without the nonce that it proves.

    Attributes:
        identity: who it is said to be.
        value_type: HS_SECKEY or HS_PUBKEY, in any case.
        algorithm: of the code, or the digest of the signature, as it came.
        signature: the code or the signature.
        client_nonce: the client's own octets, which are proved behind the nonce.
        stretching: for PBKDF2 alone.
    """

    identity: ValueReference
    value_type: str
    algorithm: str
    signature: bytes = field(repr=False)
    client_nonce: bytes = b""
    stretching: StretchingFields | None = None

    def evidence(self, nonce: bytes) -> Evidence | Proof:
        """Return the evidence that `nonce` was proved; what cannot be read is already all the proof there will be."""
        proved = RequestDigest(DigestAlgorithm.SHA256, self.client_nonce)
        try:
            match self.value_type.upper():
                case _ if not self.signature:
                    return Proof.UNUSABLE
                case type_ if type_ == SECRET_KEY:
                    code = secret_proof_of_fields(self.algorithm, self.signature, self._stretching())
                    return SecretCode(code, nonce, proved)
                case type_ if type_ == PUBLIC_KEY:
                    return Signature(self.algorithm, self.signature, nonce, proved)
                case _:
                    return Proof.UNUSABLE
        except ProtocolError as error:
            return proof_of(error)

    def _stretching(self) -> Stretching | None:
        fields = self.stretching
        return None if fields is None else Stretching(fields.salt, fields.iterations, fields.key_bits)
