"""The key of a session: agreed by Diffie-Hellman or sent encrypted, and what is done with it.

octets  field of a server's answer to Diffie-Hellman, and of a session key before it is encrypted with RSA
     4  algorithm, from version 2.2: 1 DES, 2 triple DES, 3 AES, 4 SM4 (Teleinfo)
     n  DH_PUB_KEY with the client's p and g; the session key

Keys from a shared secret (vector file 07): DES and triple DES take its first octets and set odd parity; AES drops
leading zeros while more than 32 octets are left and keeps 32, of which 16 encrypt and all authenticate.
Contents are encrypted in ECB before version 2.4; then in CBC, with a random start before the blocks.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from handle_protocol import octets
from handle_protocol.envelope import Version
from handle_protocol.octets import OctetReader
from handle_protocol.predefined.public_key import DhPublicKey, decode_public_key, encode_public_key
from handle_protocol.security.ciphers import BlockCipher, decrypt_cbc, decrypt_ecb, encrypt_cbc, encrypt_ecb
from handle_protocol.security.errors import UnsupportedAlgorithm, UnsupportedKey, check_bounds
from handle_protocol.security.limits import DH_BITS, PUBLIC_KEY_OCTETS

_ALGORITHM_PREFIX_SINCE: Final = Version(2, 2)
_CBC_SINCE: Final = Version(2, 4)
_AES_SINCE: Final = Version(2, 4)
_AES_SECRET_OCTETS: Final = 32
_GENERATOR: Final = 2
_PRIVATE_BITS: Final = 384
"""RFC 7919 §5.2: the largest group that we accept needs 325; more costs time and protects nothing."""

_MODP_2048: Final = int(
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD"
    "EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED"
    "EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F"
    "83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B"
    "E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6955817183995497CEA956AE515D2261898FA0510"
    "15728E5A8AACAA68FFFFFFFFFFFFFFFF",
    16,
)
"""RFC 3526 §3."""


class SessionAlgorithm(IntEnum):
    """How a session encrypts: the number on the wire."""

    DES = 1
    TRIPLE_DES = 2
    AES = 3
    SM4 = 4

    @property
    def is_weak(self) -> bool:
        """Whether it is DES or triple DES."""
        return self in (SessionAlgorithm.DES, SessionAlgorithm.TRIPLE_DES)


_CIPHERS: Final = {
    SessionAlgorithm.DES: BlockCipher.DES,
    SessionAlgorithm.TRIPLE_DES: BlockCipher.TRIPLE_DES,
    SessionAlgorithm.AES: BlockCipher.AES,
    SessionAlgorithm.SM4: BlockCipher.SM4,
}

_KEY_OCTETS: Final = {
    SessionAlgorithm.DES: range(8, 8 + 1),
    SessionAlgorithm.TRIPLE_DES: range(24, 24 + 1),
    SessionAlgorithm.AES: range(16, _AES_SECRET_OCTETS + 1),
    SessionAlgorithm.SM4: range(16, 16 + 1),
}


@dataclass(frozen=True, slots=True)
class SessionKey:
    """A session's algorithm and key.

    Attributes:
        secret: all of it keys the code over a message; its beginning encrypts.

    Raises:
        OutOfBounds: the secret has not the length that the algorithm needs.
    """

    algorithm: SessionAlgorithm
    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        check_bounds("octets of session key", len(self.secret), _KEY_OCTETS[self.algorithm])

    @property
    def is_weak(self) -> bool:
        """Whether it encrypts with DES or triple DES."""
        return self.algorithm.is_weak

    def encrypt(self, version: Version, content: bytes, *, start: bytes | None = None) -> bytes:
        """Return a message's octets (without envelope) encrypted, as peers of `version` read them.

        Args:
            version: of the message.
            content: header, body and credential.
            start: of the chain of blocks; random unless given.
        """
        cipher, key = self._cipher_and_key()
        if self.algorithm is SessionAlgorithm.SM4:
            return encrypt_cbc(cipher, key, key, content)
        if version < _CBC_SINCE:
            return encrypt_ecb(cipher, key, content)
        begin = secrets.token_bytes(cipher.block_octets) if start is None else start
        return begin + encrypt_cbc(cipher, key, begin, content)

    def decrypt(self, version: Version, encrypted: bytes) -> bytes:
        """Return the octets of a message that came encrypted.

        Whether the padding or the code inside was wrong must not be told to the peer.

        Raises:
            MalformedMessage: they were not encrypted with this key.
        """
        cipher, key = self._cipher_and_key()
        if self.algorithm is SessionAlgorithm.SM4:
            return decrypt_cbc(cipher, key, key, encrypted)
        if version < _CBC_SINCE:
            return decrypt_ecb(cipher, key, encrypted)
        begin, blocks = encrypted[: cipher.block_octets], encrypted[cipher.block_octets :]
        return decrypt_cbc(cipher, key, begin, blocks)

    def _cipher_and_key(self) -> tuple[BlockCipher, bytes]:
        cipher = _CIPHERS[self.algorithm]
        return cipher, self.secret[: cipher.key_octets]


def usual_session_algorithm(version: Version) -> SessionAlgorithm:
    """Return what a session of `version` encrypts with: AES where it can be agreed on, DES where nothing is named."""
    if version >= _AES_SINCE:
        return SessionAlgorithm.AES
    return SessionAlgorithm.TRIPLE_DES if version >= _ALGORITHM_PREFIX_SINCE else SessionAlgorithm.DES


def make_session_key(algorithm: SessionAlgorithm) -> SessionKey:
    """Return a new key, for the modes that send it encrypted instead of agreeing on it."""
    secret = secrets.token_bytes(_KEY_OCTETS[algorithm].start)
    return SessionKey(algorithm, _with_odd_parity(secret) if algorithm.is_weak else secret)


def encode_session_key(key: SessionKey, version: Version) -> bytes:
    """Return what is encrypted for the peer when a key is sent."""
    return _algorithm_prefix(key.algorithm, version) + key.secret


def decode_session_key(sent: bytes, version: Version) -> SessionKey:
    """Read a key that was sent, decrypted.

    Raises:
        MalformedMessage: the octets end early.
        UnsupportedAlgorithm: an algorithm that is not known.
        OutOfBounds: the key has not the length that the algorithm needs.
    """
    reader = OctetReader(sent)
    algorithm = _read_algorithm(reader, version)
    return SessionKey(algorithm, reader.rest())


@dataclass(frozen=True, slots=True)
class KeyAgreement:
    """Our half of a Diffie-Hellman agreement, for one session.

    Not the library's: it deprecates Diffie-Hellman in such groups, which is the only one that peers speak. A private
    number is used for one agreement, so that its time tells nothing about another.
    """

    private_number: int = field(repr=False)
    p: int = _MODP_2048
    g: int = _GENERATOR

    def public_data(self) -> bytes:
        """Return our public key as DH_PUB_KEY."""
        return encode_public_key(DhPublicKey(pow(self.g, self.private_number, self.p), self.p, self.g))

    def session_key(self, peer: DhPublicKey, algorithm: SessionAlgorithm) -> SessionKey:
        """Return the key that we and the peer now share.

        Raises:
            UnsupportedKey: the peer's key is of another group, or makes a secret that is none.
        """
        if (peer.p, peer.g) != (self.p, self.g):
            raise UnsupportedKey("expected a Diffie-Hellman key of our group")
        shared = pow(peer.y, self.private_number, self.p)
        if not 1 < shared < self.p - 1:
            raise UnsupportedKey("expected a Diffie-Hellman key that makes a secret")
        secret = shared.to_bytes((self.p.bit_length() + 7) // 8, "big")
        return SessionKey(algorithm, _secret_of(secret, algorithm))


def start_key_agreement() -> KeyAgreement:
    """Return a client's new half, in a group of 2 048 bits (RFC 3526 §3)."""
    return KeyAgreement(_private_number())


def answer_key_agreement(
    client_data: bytes, version: Version, algorithm: SessionAlgorithm | None = None
) -> tuple[SessionKey, bytes]:
    """Return the session's key, and a server's answer to a client's public key.

    Args:
        client_data: DH_PUB_KEY from the request.
        version: of the request.
        algorithm: what the session encrypts with; what is usual in `version` unless given.

    Raises:
        MalformedMessage: the octets are no key.
        UnsupportedKey: a key of another kind, or one that makes no secret.
        OutOfBounds: the group is smaller or larger than we compute with.
    """
    peer = read_agreement_key(client_data)
    chosen = usual_session_algorithm(version) if algorithm is None else algorithm
    ours = KeyAgreement(_private_number(), peer.p, peer.g)
    return ours.session_key(peer, chosen), _algorithm_prefix(chosen, version) + ours.public_data()


def finish_key_agreement(ours: KeyAgreement, answer: bytes, version: Version) -> SessionKey:
    """Return the session's key from a server's answer.

    Raises:
        MalformedMessage: the octets are no answer.
        UnsupportedAlgorithm: an algorithm that is not known.
        UnsupportedKey: a key of another kind or group, or one that makes no secret.
        OutOfBounds: the group is smaller or larger than we compute with.
    """
    reader = OctetReader(answer)
    algorithm = _read_algorithm(reader, version)
    return ours.session_key(read_agreement_key(reader.rest()), algorithm)


def read_agreement_key(data: bytes) -> DhPublicKey:
    """Read a peer's DH_PUB_KEY.

    Raises:
        MalformedMessage: the octets are no key.
        UnsupportedKey: a key of another kind, or one whose secret anybody would know.
        OutOfBounds: the group is smaller or larger than we compute with.
    """
    check_bounds("octets of public key", len(data), PUBLIC_KEY_OCTETS)
    key = decode_public_key(data)
    if not isinstance(key, DhPublicKey):
        raise UnsupportedKey("expected a key of Diffie-Hellman")
    check_bounds("bits of Diffie-Hellman group", key.p.bit_length(), DH_BITS)
    if not (key.p % 2 and 1 < key.g < key.p - 1 and 1 < key.y < key.p - 1):
        raise UnsupportedKey("expected an odd p, and g and y between 1 and p-1")
    return key


def _private_number() -> int:
    return secrets.randbits(_PRIVATE_BITS) | 1 << (_PRIVATE_BITS - 1)


def _secret_of(shared: bytes, algorithm: SessionAlgorithm) -> bytes:
    match algorithm:
        case SessionAlgorithm.DES | SessionAlgorithm.TRIPLE_DES:
            return _with_odd_parity(shared[: _KEY_OCTETS[algorithm].start])
        case SessionAlgorithm.AES:
            zeros = len(shared) - len(shared.lstrip(b"\0"))
            start = min(zeros, len(shared) - _AES_SECRET_OCTETS)
            return shared[start : start + _AES_SECRET_OCTETS]
        case SessionAlgorithm.SM4:
            return shared[: _KEY_OCTETS[algorithm].start]


def _with_odd_parity(key: bytes) -> bytes:
    return bytes(octet & 0xFE | (octet >> 1).bit_count() % 2 ^ 1 for octet in key)


def _algorithm_prefix(algorithm: SessionAlgorithm, version: Version) -> bytes:
    return octets.u32(algorithm) if version >= _ALGORITHM_PREFIX_SINCE else b""


def _read_algorithm(reader: OctetReader, version: Version) -> SessionAlgorithm:
    if version < _ALGORITHM_PREFIX_SINCE:
        return SessionAlgorithm.DES
    number = reader.u32("algorithm of the session")
    try:
        return SessionAlgorithm(number)
    except ValueError:
        raise UnsupportedAlgorithm(f"unknown algorithm {number} of a session") from None
