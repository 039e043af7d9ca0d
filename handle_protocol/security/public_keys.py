"""Keys that verify signatures, from the data of HS_PUBKEY in every encoding of the field.

Binary (the reference: RSA, DSA), binary with PEM inside (Teleinfo: SM2), PEM and DER (SubjectPublicKeyInfo, PKCS#1).
Vector files 10 and 15.
"""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm as NotInLibrary
from cryptography.hazmat.primitives.asymmetric import dsa, padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from handle_protocol.errors import MalformedMessage
from handle_protocol.octets import OctetReader
from handle_protocol.predefined.public_key import (
    DsaPublicKey,
    PublicKey,
    RsaPublicKey,
    decode_public_key,
    encode_public_key,
)
from handle_protocol.security.digests import Digest, digest_named, hash_algorithm, sm3
from handle_protocol.security.errors import UnsupportedAlgorithm, UnsupportedKey, check_bounds
from handle_protocol.security.limits import (
    DSA_BITS,
    PUBLIC_KEY_OCTETS,
    RSA_BITS,
    RSA_BITS_STRONG_MIN,
    RSA_EXPONENT_BITS,
    SIGNATURE_OCTETS,
)
from handle_protocol.security.national import USER_ID_DEFAULT, check_sm2_is_installed, check_sm2_point, verify_sm2
from handle_protocol.security.sm2_forms import (
    SM2_KEY_TYPE,
    Sm2PublicKey,
    decode_sm2_public_key,
    is_sm2_public_key,
    sm2_key_data,
)

_SM9_KEY_TYPE: Final = "SM9_PUB_KEY"
_PEM_START: Final = b"-----BEGIN "
_PEM: Final = re.compile(
    rb"\s*-----BEGIN (?P<label>(?:RSA )?PUBLIC KEY)-----(?P<base64>[A-Za-z0-9+/=\s]*)-----END (?P=label)-----\s*"
)
_DER_START: Final = b"\x30"


class KeyKind(StrEnum):
    """What a key is made of."""

    RSA = "RSA"
    DSA = "DSA"
    SM2 = "SM2"


_DIGESTS_THAT_FIT: Final = {
    KeyKind.RSA: {Digest.MD5, Digest.SHA1, Digest.SHA256},
    KeyKind.DSA: {Digest.SHA1, Digest.SHA256},
    KeyKind.SM2: {Digest.SM3},
}


@dataclass(frozen=True, slots=True)
class VerificationKey:
    """A public key within our bounds."""

    numbers: RsaPublicKey | DsaPublicKey | Sm2PublicKey

    @property
    def kind(self) -> KeyKind:
        """What the key is made of."""
        return _KINDS[type(self.numbers)]

    def is_weak(self, digest_name: str) -> bool:
        """Tell whether signatures by this key over that digest are weak: DSA, RSA below 2 048 bits, MD5, SHA-1.

        Raises:
            UnsupportedAlgorithm: no such digest.
        """
        if isinstance(self.numbers, RsaPublicKey) and self.numbers.modulus.bit_length() < RSA_BITS_STRONG_MIN:
            return True
        return self.kind is KeyKind.DSA or digest_named(digest_name).is_weak

    def verify(self, digest_name: str, signature: bytes, content: bytes, user_id: bytes = b"") -> bool:
        """Tell whether this key made `signature` over `content`.

        Args:
            digest_name: as it came on the wire.
            signature: PKCS#1 v1.5 of RSA; DER of DSA and SM2.
            content: what was signed. With SM2 its SM3 digest is what SM2 signs, as Teleinfo's SDK does.
            user_id: of SM2 alone: the octets of the identity's handle.

        Raises:
            UnsupportedAlgorithm: the digest is not known, or does not fit the key.
            UnsupportedKey: SM2 is not installed.
        """
        digest = digest_named(digest_name)
        if digest not in _DIGESTS_THAT_FIT[self.kind]:
            raise UnsupportedAlgorithm(f"{digest} does not fit a key of {self.kind}")
        if isinstance(self.numbers, Sm2PublicKey):
            return self.verify_sm2(signature, sm3(content), user_id)
        return len(signature) in SIGNATURE_OCTETS and _is_valid(self.numbers, digest, signature, content)

    def verify_sm2(self, signature: bytes, content: bytes, user_id: bytes = USER_ID_DEFAULT) -> bool:
        """Tell whether this SM2 key made `signature` over `content` itself; `verify` takes its SM3 digest first.

        Raises:
            UnsupportedKey: the key is not of SM2, or SM2 is not installed.
        """
        if not isinstance(self.numbers, Sm2PublicKey):
            raise UnsupportedKey(f"expected a key of SM2, not {self.kind}")
        return len(signature) in SIGNATURE_OCTETS and verify_sm2(self.numbers, signature, content, user_id)

    def data(self) -> bytes:
        """Return the key as HS_PUBKEY data: binary, as the reference and Teleinfo write it."""
        if isinstance(self.numbers, Sm2PublicKey):
            return sm2_key_data(self.numbers)
        return encode_public_key(self.numbers)


_KINDS: Final[dict[type, KeyKind]] = {
    RsaPublicKey: KeyKind.RSA,
    DsaPublicKey: KeyKind.DSA,
    Sm2PublicKey: KeyKind.SM2,
}


def read_public_key(data: bytes) -> VerificationKey:
    """Read the data of HS_PUBKEY, in any encoding.

    Raises:
        MalformedMessage: the octets are no key.
        UnsupportedKey: a key of a kind that verifies nothing here, or SM2 without its extra.
        OutOfBounds: the key or one of its numbers is smaller or larger than we compute with.
    """
    check_bounds("octets of public key", len(data), PUBLIC_KEY_OCTETS)
    if data.lstrip().startswith(_PEM_START):
        return _from_der(_der_in_pem(data))
    if data.startswith(_DER_START):
        return _from_der(data)
    return _from_binary(data)


def verification_key(numbers: PublicKey | Sm2PublicKey) -> VerificationKey:
    """Return a key of these numbers.

    Raises:
        UnsupportedKey: a key that does not sign, one that cannot exist, or SM2 without its extra.
        OutOfBounds: a number is smaller or larger than we compute with.
    """
    match numbers:
        case RsaPublicKey(exponent, modulus):
            check_bounds("bits of RSA key", modulus.bit_length(), RSA_BITS)
            check_bounds("bits of RSA exponent", exponent.bit_length(), RSA_EXPONENT_BITS)
        case DsaPublicKey(p=p):
            check_bounds("bits of DSA key", p.bit_length(), DSA_BITS)
        case Sm2PublicKey():
            check_sm2_is_installed()
            check_sm2_point(numbers)
            return VerificationKey(numbers)
        case _:
            raise UnsupportedKey("expected a key that signs, not one of Diffie-Hellman")
    _library_key(numbers)
    return VerificationKey(numbers)


def _from_binary(data: bytes) -> VerificationKey:
    reader = OctetReader(data)
    kind = reader.text("kind of key")
    if kind == _SM9_KEY_TYPE:
        raise UnsupportedKey("SM9 keys are not supported / 不支持 SM9 密钥")
    if kind != SM2_KEY_TYPE:
        return verification_key(decode_public_key(data))
    reader.u16("key flags")
    text = reader.counted("PEM of the key")
    reader.finish("public key")
    return _from_der(_der_in_pem(text))


def _der_in_pem(text: bytes) -> bytes:
    found = _PEM.fullmatch(text)
    if found is None:
        raise MalformedMessage("PEM of one public key", 0)
    try:
        return binascii.a2b_base64(b"".join(found["base64"].split()), strict_mode=True)
    except binascii.Error:
        raise MalformedMessage("base64 of a public key", 0) from None


def _from_der(der: bytes) -> VerificationKey:
    if is_sm2_public_key(der):
        return verification_key(decode_sm2_public_key(der))
    try:
        key = load_der_public_key(der)
    except NotInLibrary:
        raise UnsupportedKey("expected a public key of RSA, DSA or SM2") from None
    except ValueError:
        raise MalformedMessage("a public key in DER", 0) from None
    match key:
        case rsa.RSAPublicKey():
            rsa_numbers = key.public_numbers()
            return verification_key(RsaPublicKey(rsa_numbers.e, rsa_numbers.n))
        case dsa.DSAPublicKey():
            dsa_numbers = key.public_numbers()
            group = dsa_numbers.parameter_numbers
            return verification_key(DsaPublicKey(group.q, group.p, group.g, dsa_numbers.y))
        case _:
            raise UnsupportedKey("expected a public key of RSA, DSA or SM2")


def _library_key(numbers: RsaPublicKey | DsaPublicKey) -> rsa.RSAPublicKey | dsa.DSAPublicKey:
    try:
        if isinstance(numbers, RsaPublicKey):
            return rsa.RSAPublicNumbers(numbers.exponent, numbers.modulus).public_key()
        group = dsa.DSAParameterNumbers(numbers.p, numbers.q, numbers.g)
        return dsa.DSAPublicNumbers(numbers.y, group).public_key()
    except (ValueError, OverflowError, TypeError):
        raise UnsupportedKey("expected numbers that make a key") from None


def _is_valid(numbers: RsaPublicKey | DsaPublicKey, digest: Digest, signature: bytes, content: bytes) -> bool:
    key = _library_key(numbers)
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, content, padding.PKCS1v15(), hash_algorithm(digest))
        else:
            key.verify(signature, content, hash_algorithm(digest))
    except InvalidSignature:
        return False
    return True
