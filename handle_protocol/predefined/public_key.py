"""HS_PUBKEY: a public key (RFC 3651 §3.2.3, and the reference for everything but DSA).

octets  field
   4+n  kind of key
     2  flags, 0
   4+n  each parameter, a signed number; RSA: e, n; DSA: q, p, g, y; Diffie-Hellman: y, p, g
     4  zero, after an RSA key alone (a sizing slip of the reference that everybody keeps)

Keys in other forms (PEM, DER, SM2) stay octets.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from handle_protocol import octets
from handle_protocol.errors import MalformedMessage
from handle_protocol.octets import OctetReader


@dataclass(frozen=True, slots=True)
class RsaPublicKey:
    """An RSA key.

    Attributes:
        has_spare_octets: False when the four zero octets at the end are missing.
    """

    exponent: int
    modulus: int
    has_spare_octets: bool = True


@dataclass(frozen=True, slots=True)
class DsaPublicKey:
    """A DSA key, in the letters of FIPS 186."""

    q: int
    p: int
    g: int
    y: int


@dataclass(frozen=True, slots=True)
class DhPublicKey:
    """A Diffie-Hellman key, in the letters of RFC 2631."""

    y: int
    p: int
    g: int


PublicKey = RsaPublicKey | DsaPublicKey | DhPublicKey

_RSA: Final = "RSA_PUB_KEY"
_DSA: Final = "DSA_PUB_KEY"
_DH: Final = "DH_PUB_KEY"
_SPARE_OCTETS: Final = bytes(4)


def encode_public_key(key: PublicKey) -> bytes:
    """Return the octets of a key."""
    match key:
        case RsaPublicKey(exponent, modulus, has_spare_octets):
            return _encode(_RSA, exponent, modulus) + _SPARE_OCTETS * has_spare_octets
        case DsaPublicKey(q, p, g, y):
            return _encode(_DSA, q, p, g, y)
        case DhPublicKey(y, p, g):
            return _encode(_DH, y, p, g)


def decode_public_key(data: bytes) -> PublicKey:
    """Read a key that fills `data`.

    Raises:
        MalformedMessage: the octets are no key, or one of a kind not known here.
    """
    reader = OctetReader(data)
    kind = reader.text("kind of key")
    if reader.u16("key flags"):
        raise MalformedMessage("key flags 0", reader.offset - 2)
    key: PublicKey
    match kind:
        case "RSA_PUB_KEY":
            key = RsaPublicKey(reader.integer("e"), reader.integer("n"), reader.skip(_SPARE_OCTETS))
        case "DSA_PUB_KEY":
            key = DsaPublicKey(*(reader.integer(name) for name in "qpgy"))
        case "DH_PUB_KEY":
            key = DhPublicKey(*(reader.integer(name) for name in "ypg"))
        case _:
            raise MalformedMessage("an RSA, DSA or DH key", 0)
    reader.finish("public key")
    return key


def _encode(kind: str, *parameters: int) -> bytes:
    return octets.text(kind) + octets.u16(0) + b"".join(map(octets.integer, parameters))
