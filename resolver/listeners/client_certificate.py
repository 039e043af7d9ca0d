"""The certificate of a Handle client: who it says it is, and the key that it proved to hold.

Clients sign such certificates themselves, so neither signature nor dates say anything; what counts is that the key
is the one in the record of the identity. As clients make them, the subject's UID is the identity as index:handle.
"""

from __future__ import annotations

from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """What a client showed in a TLS handshake that it finished.

    Attributes:
        user_id: the first UID of the subject, empty without one; not proved by anything.
        public_key: DER of the SubjectPublicKeyInfo; that the client holds its private key is proved.
    """

    user_id: str
    public_key: bytes


def read_client_certificate(octets: bytes) -> ClientCertificate | None:
    """Read a certificate in DER; one that says nothing readable is as good as none."""
    try:
        certificate = x509.load_der_x509_certificate(octets)
        user_ids = certificate.subject.get_attributes_for_oid(x509.NameOID.USER_ID)
        key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
    return ClientCertificate(str(user_ids[0].value) if user_ids else "", key)
