"""Public keys in the JSON of certificates (RFC 7517).

DSA is written as by the reference (vector file 10), SM2 as by Teleinfo (vector file 15).
"""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import Final

from handle_protocol.errors import InvalidValue
from handle_protocol.predefined.public_key import DsaPublicKey, RsaPublicKey
from handle_protocol.security.errors import UnsupportedKey, check_bounds
from handle_protocol.security.limits import PUBLIC_KEY_OCTETS
from handle_protocol.security.public_keys import KeyKind, VerificationKey, verification_key
from handle_protocol.security.sm2_forms import Sm2PublicKey, decode_sm2_public_key, encode_sm2_public_key

_TO_STANDARD: Final = bytes.maketrans(b"-_", b"+/")


def web_key(key: VerificationKey) -> dict[str, str]:
    """Return a key as JSON, in the order in which the reference writes its members."""
    match key.numbers:
        case RsaPublicKey(exponent, modulus):
            members = {"n": _number_text(modulus), "e": _number_text(exponent)}
        case DsaPublicKey(q, p, g, y):
            members = {name: _number_text(number) for name, number in zip("ypqg", (y, p, q, g), strict=True)}
        case Sm2PublicKey():
            members = {"d": base64url(encode_sm2_public_key(key.numbers))}
    return {"kty": key.kind.value, **members}


def verification_key_of_web_key(json: object) -> VerificationKey:
    """Read a key from JSON.

    Raises:
        InvalidValue: it is no object, or a member is no base64url.
        UnsupportedKey: a key of another kind, one that cannot exist, or SM2 without its extra.
        OutOfBounds: a number is smaller or larger than we compute with.
    """
    if not isinstance(json, Mapping):
        raise InvalidValue("publicKey", "an object")
    match json.get("kty"):
        case KeyKind.RSA.value:
            return verification_key(RsaPublicKey(_number(json, "e"), _number(json, "n")))
        case KeyKind.DSA.value:
            return verification_key(DsaPublicKey(*(_number(json, name) for name in "qpgy")))
        case KeyKind.SM2.value:
            return verification_key(decode_sm2_public_key(_octets(json, "d")))
        case _:
            raise UnsupportedKey("expected a key of RSA, DSA or SM2")


def base64url(octets: bytes) -> str:
    """Return octets in base64url without padding (RFC 7515 §2)."""
    return urlsafe_b64encode(octets).rstrip(b"=").decode()


def octets_of_base64url(text: str, field: str) -> bytes:
    """Return the octets that base64url, without padding, stands for.

    Raises:
        InvalidValue: the text in `field` is none.
    """
    try:
        standard = text.encode("ascii").translate(_TO_STANDARD)
        return binascii.a2b_base64(standard + b"=" * (-len(text) % 4), strict_mode=True)
    except (binascii.Error, UnicodeEncodeError):
        raise InvalidValue(field, "base64url") from None


def _octets(json: Mapping[str, object], name: str) -> bytes:
    text = json.get(name)
    if not isinstance(text, str):
        raise InvalidValue(f"publicKey.{name}", "a text")
    check_bounds("octets of public key", len(text), PUBLIC_KEY_OCTETS)
    return octets_of_base64url(text, f"publicKey.{name}")


def _number(json: Mapping[str, object], name: str) -> int:
    return int.from_bytes(_octets(json, name), "big")


def _number_text(number: int) -> str:
    return base64url(number.to_bytes((number.bit_length() + 7) // 8, "big"))
