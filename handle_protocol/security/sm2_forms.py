"""SM2 keys as octets: DER and PEM (RFC 5480 and RFC 5208 with the curve of GB/T 32918), and Teleinfo's HS_PUBKEY data.

octets  field of HS_PUBKEY data
   4+n  SM2_PUB_KEY
     2  flags, 0
   4+n  PEM with lines of 76 characters that end in CR LF

Source: vector file 15.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Annotated, Final

from cryptography.hazmat import asn1
from cryptography.x509 import ObjectIdentifier

from handle_protocol import octets
from handle_protocol.security.errors import UnsupportedKey

SM2_KEY_TYPE: Final = "SM2_PUB_KEY"

_EC_KEY: Final = ObjectIdentifier("1.2.840.10045.2.1")
_SM2_CURVE: Final = ObjectIdentifier("1.2.156.10197.1.301")
_COORDINATE_OCTETS: Final = 32
_POINT_OCTETS: Final = 2 * _COORDINATE_OCTETS
_UNCOMPRESSED: Final = b"\x04"
_PUBLIC_HEAD: Final = bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d034200")
_PEM_LINE: Final = 76


@dataclass(frozen=True, slots=True)
class Sm2PublicKey:
    """A public key.

    Attributes:
        point: x and y of the point, 32 octets each.
    """

    point: bytes


@dataclass(frozen=True, slots=True)
class Sm2PrivateKey:
    """A private key.

    Attributes:
        number: between 1 and the order of the curve.
        public: None when the file does not tell.
    """

    number: int = field(repr=False)
    public: Sm2PublicKey | None


@asn1.sequence
class _Algorithm:
    algorithm: ObjectIdentifier
    curve: ObjectIdentifier


@asn1.sequence
class _PrivateKeyFile:
    version: int
    algorithm: _Algorithm
    key: bytes


@asn1.sequence
class _CurvePrivateKey:
    version: int
    number: bytes
    curve: Annotated[ObjectIdentifier | None, asn1.Explicit(0)]
    point: Annotated[asn1.BitString | None, asn1.Explicit(1)]


def is_sm2_public_key(der: bytes) -> bool:
    """Tell whether `der` says to be an SM2 key with an uncompressed point, the only form in the field."""
    return der.startswith(_PUBLIC_HEAD)


def decode_sm2_public_key(der: bytes) -> Sm2PublicKey:
    """Read a SubjectPublicKeyInfo.

    Raises:
        UnsupportedKey: it is none of SM2.
    """
    point = der[len(_PUBLIC_HEAD) :]
    if not is_sm2_public_key(der):
        raise UnsupportedKey("expected an SM2 key with an uncompressed point")
    return Sm2PublicKey(_coordinates(point))


def encode_sm2_public_key(key: Sm2PublicKey) -> bytes:
    """Return a key as SubjectPublicKeyInfo."""
    return _PUBLIC_HEAD + _UNCOMPRESSED + key.point


def sm2_key_data(key: Sm2PublicKey) -> bytes:
    """Return a key as HS_PUBKEY data, as Teleinfo writes it."""
    text = pem(encode_sm2_public_key(key), "PUBLIC KEY")
    return octets.text(SM2_KEY_TYPE) + octets.u16(0) + octets.counted(text)


def decode_sm2_private_key(der: bytes) -> Sm2PrivateKey:
    """Read a PKCS#8 PrivateKeyInfo.

    Raises:
        UnsupportedKey: it is none of SM2.
    """
    try:
        file = asn1.decode_der(_PrivateKeyFile, der)
        key = asn1.decode_der(_CurvePrivateKey, file.key)
    except ValueError:
        raise UnsupportedKey("expected an SM2 key in PKCS#8") from None
    if (file.algorithm.algorithm, file.algorithm.curve) != (_EC_KEY, _SM2_CURVE):
        raise UnsupportedKey("expected an SM2 key")
    public = None if key.point is None else Sm2PublicKey(_coordinates(key.point.as_bytes()))
    return Sm2PrivateKey(int.from_bytes(key.number, "big"), public)


def encode_sm2_private_key(key: Sm2PrivateKey) -> bytes:
    """Return a key as PKCS#8 PrivateKeyInfo."""
    point = None if key.public is None else asn1.BitString(_UNCOMPRESSED + key.public.point, 0)
    number = key.number.to_bytes(_COORDINATE_OCTETS, "big")
    inner = _CurvePrivateKey(version=1, number=number, curve=_SM2_CURVE, point=point)
    algorithm = _Algorithm(algorithm=_EC_KEY, curve=_SM2_CURVE)
    return asn1.encode_der(_PrivateKeyFile(version=0, algorithm=algorithm, key=asn1.encode_der(inner)))


def pem(der: bytes, label: str) -> bytes:
    """Return DER as PEM, in the lines that Teleinfo writes."""
    text = base64.b64encode(der).decode()
    lines = [text[start : start + _PEM_LINE] for start in range(0, len(text), _PEM_LINE)]
    return "\r\n".join((f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", "")).encode()


def _coordinates(point: bytes) -> bytes:
    if len(point) != 1 + _POINT_OCTETS or not point.startswith(_UNCOMPRESSED):
        raise UnsupportedKey("expected an uncompressed point of 65 octets")
    return point[1:]
