"""Keys that sign: made, read from files (PEM and the reference's), written to them, and used."""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm as NotInLibrary
from cryptography.hazmat.primitives.asymmetric import dsa, padding, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from handle_protocol.envelope import Version
from handle_protocol.predefined.public_key import DsaPublicKey, RsaPublicKey
from handle_protocol.security.digests import (
    DSA_SHA256_SINCE,
    RSA_SHA256_SINCE,
    Digest,
    digest_named,
    hash_algorithm,
    sm3,
)
from handle_protocol.security.errors import UnsupportedAlgorithm, UnsupportedKey, WrongPassphrase, check_bounds
from handle_protocol.security.limits import PRIVATE_KEY_FILE_OCTETS, RSA_BITS, RSA_BITS_STRONG_MIN
from handle_protocol.security.national import USER_ID_DEFAULT, make_sm2_key, sign_sm2, sm2_public_key
from handle_protocol.security.private_key_files import (
    FileEncryption,
    LibraryKey,
    decode_private_key,
    encode_private_key,
    open_key_file,
    seal_key_file,
)
from handle_protocol.security.public_keys import KeyKind, VerificationKey, verification_key
from handle_protocol.security.sm2_forms import (
    Sm2PrivateKey,
    decode_sm2_private_key,
    encode_sm2_private_key,
    pem,
)

_PEM_START: Final = b"-----BEGIN "
_ENCRYPTED: Final = b"ENCRYPTED"
_PKCS8: Final = re.compile(rb"\s*-----BEGIN PRIVATE KEY-----(?P<base64>[A-Za-z0-9+/=\s]*)-----END PRIVATE KEY-----\s*")
_EXPONENT: Final = 65_537


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key."""

    private: LibraryKey | Sm2PrivateKey = field(repr=False)

    @property
    def kind(self) -> KeyKind:
        """What the key is made of."""
        return self.public_key().kind

    def sign(self, content: bytes, version: Version, user_id: bytes = b"") -> tuple[str, bytes]:
        """Return the name of the digest that peers of `version` expect, and a signature over `content`.

        Args:
            content: nonce and digest of a challenge, or what a message's signature covers.
            version: RSA signs SHA-256 from 2.7, DSA from 2.11, both SHA-1 before; SM2 signs SM3.
            user_id: of SM2 alone: the octets of the identity's handle.

        Raises:
            UnsupportedKey: SM2 is not installed.
        """
        digest = self._usual_digest(version)
        return digest.value, self.sign_digest(digest, content, user_id)

    def sign_digest(self, digest_name: str, content: bytes, user_id: bytes = b"") -> bytes:
        """Return a signature over `content` with a digest of choice; the reverse of `VerificationKey.verify`.

        Raises:
            UnsupportedAlgorithm: the digest is not known, or does not fit the key.
            UnsupportedKey: SM2 is not installed.
        """
        digest = digest_named(digest_name)
        if (digest is Digest.SM3) != isinstance(self.private, Sm2PrivateKey):
            raise UnsupportedAlgorithm(f"{digest} does not fit a key of {self.kind}")
        match self.private:
            case Sm2PrivateKey():
                return sign_sm2(self.private, sm3(content), user_id)
            case rsa.RSAPrivateKey():
                return self.private.sign(content, padding.PKCS1v15(), hash_algorithm(digest))
            case dsa.DSAPrivateKey():
                return self.private.sign(content, hash_algorithm(digest))

    def sign_sm2(self, content: bytes, user_id: bytes = USER_ID_DEFAULT) -> bytes:
        """Return an SM2 signature over `content` itself; the reverse of `VerificationKey.verify_sm2`.

        Raises:
            UnsupportedKey: the key is not of SM2, or SM2 is not installed.
        """
        if not isinstance(self.private, Sm2PrivateKey):
            raise UnsupportedKey(f"expected a key of SM2, not {self.kind}")
        return sign_sm2(self.private, content, user_id)

    def public_key(self) -> VerificationKey:
        """Return the key that verifies what this one signs.

        Raises:
            UnsupportedKey: SM2 is not installed.
        """
        match self.private:
            case Sm2PrivateKey():
                return verification_key(sm2_public_key(self.private))
            case rsa.RSAPrivateKey():
                of_rsa = self.private.public_key().public_numbers()
                return verification_key(RsaPublicKey(of_rsa.e, of_rsa.n))
            case dsa.DSAPrivateKey():
                of_dsa = self.private.public_key().public_numbers()
                group = of_dsa.parameter_numbers
                return verification_key(DsaPublicKey(group.q, group.p, group.g, of_dsa.y))

    def public_data(self) -> bytes:
        """Return the data of an HS_PUBKEY value for this key."""
        return self.public_key().data()

    def _usual_digest(self, version: Version) -> Digest:
        match self.private:
            case Sm2PrivateKey():
                return Digest.SM3
            case rsa.RSAPrivateKey():
                since = RSA_SHA256_SINCE
            case dsa.DSAPrivateKey():
                since = DSA_SHA256_SINCE
        return Digest.SHA256 if version >= since else Digest.SHA1


def make_key(kind: KeyKind, bits: int = RSA_BITS_STRONG_MIN) -> SigningKey:
    """Return a new key.

    Args:
        kind: RSA or SM2; keys of DSA are no longer made.
        bits: of RSA alone, at least 2 048.

    Raises:
        OutOfBounds: more or fewer bits than a strong key has.
        UnsupportedKey: SM2 is not installed, or the kind is DSA.
    """
    match kind:
        case KeyKind.RSA:
            check_bounds("bits of RSA key", bits, range(RSA_BITS_STRONG_MIN, RSA_BITS.stop))
            return SigningKey(rsa.generate_private_key(_EXPONENT, bits))
        case KeyKind.SM2:
            return SigningKey(make_sm2_key())
        case KeyKind.DSA:
            raise UnsupportedKey("DSA is weak: make a key of RSA or SM2 / DSA 强度不足，请使用 RSA 或 SM2")


def read_private_key(file_octets: bytes, passphrase: bytes | None) -> SigningKey:
    """Read a private key file: PEM (PKCS#1, PKCS#8, encrypted or not) or one of the reference.

    Args:
        file_octets: the file's content.
        passphrase: in the encoding it was set in, UTF-8 as a rule; not looked at when the file is not encrypted.

    Raises:
        MalformedMessage: the octets are no private key.
        WrongPassphrase: it needs a passphrase, or another one.
        UnsupportedKey: a key of a kind that does not sign here, or SM2 without its extra.
        OutOfBounds: the file or the key is smaller or larger than we work with.
    """
    check_bounds("octets of private key file", len(file_octets), PRIVATE_KEY_FILE_OCTETS)
    if not file_octets.lstrip().startswith(_PEM_START):
        return SigningKey(decode_private_key(open_key_file(file_octets, passphrase)))
    sm2 = _sm2_key(file_octets)
    return SigningKey(_from_pem(file_octets, passphrase) if sm2 is None else sm2)


def write_private_key(
    key: SigningKey, passphrase: bytes | None, encryption: FileEncryption = FileEncryption.PBKDF2_AES
) -> bytes:
    """Return a key as a private key file of the reference.

    Raises:
        UnsupportedKey: the reference has no file for this kind.
        WrongPassphrase: there is no passphrase, but the encryption needs one.
    """
    if isinstance(key.private, Sm2PrivateKey):
        raise UnsupportedKey("keys of SM2 are kept as PEM alone / SM2 密钥只能保存为 PEM")
    return seal_key_file(encode_private_key(key.private), passphrase, encryption)


def write_private_pem(key: SigningKey, passphrase: bytes | None) -> bytes:
    """Return a key as PEM (PKCS#8), encrypted if there is a passphrase.

    Raises:
        UnsupportedKey: an SM2 key with a passphrase, for which no common form exists.
    """
    if not isinstance(key.private, Sm2PrivateKey):
        locked: KeySerializationEncryption = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
        return key.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked)
    if passphrase:
        raise UnsupportedKey("keys of SM2 are kept without a passphrase / SM2 密钥不支持口令")
    return pem(encode_sm2_private_key(key.private), "PRIVATE KEY")


def _sm2_key(text: bytes) -> Sm2PrivateKey | None:
    """Return the SM2 key that a PEM file holds, or None: then the library knows it."""
    found = _PKCS8.fullmatch(text)
    if found is None:
        return None
    try:
        key = decode_sm2_private_key(binascii.a2b_base64(b"".join(found["base64"].split())))
    except (UnsupportedKey, binascii.Error):
        return None
    return Sm2PrivateKey(key.number, sm2_public_key(key))


def _from_pem(text: bytes, passphrase: bytes | None) -> LibraryKey:
    is_encrypted = _ENCRYPTED in text
    if is_encrypted and not passphrase:
        raise WrongPassphrase("the private key needs a passphrase / 私钥需要口令")
    try:
        key = load_pem_private_key(text, passphrase if is_encrypted else None)
    except (ValueError, TypeError, NotInLibrary):
        if is_encrypted:
            raise WrongPassphrase("the passphrase does not open the private key / 口令不能打开私钥") from None
        raise UnsupportedKey("expected a private key of RSA, DSA or SM2") from None
    if not isinstance(key, rsa.RSAPrivateKey | dsa.DSAPrivateKey):
        raise UnsupportedKey("expected a private key of RSA, DSA or SM2")
    return key
