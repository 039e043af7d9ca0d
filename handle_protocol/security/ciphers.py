"""Block ciphers with PKCS#7 padding, as sessions and private key files use them. ECB is for old peers alone."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Final

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import BlockCipherAlgorithm, Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from handle_protocol.errors import MalformedMessage


class BlockCipher(Enum):
    """A cipher, with the octets of its key and of its block."""

    DES = (8, 8)
    TRIPLE_DES = (24, 8)
    AES = (16, 16)
    SM4 = (16, 16, "SM4")

    @property
    def key_octets(self) -> int:
        """How long its key is."""
        return int(self.value[0])

    @property
    def block_octets(self) -> int:
        """How long its blocks are, and the value that starts a chain of them."""
        return int(self.value[1])


def encrypt_ecb(cipher: BlockCipher, key: bytes, octets: bytes) -> bytes:
    """Return octets encrypted, each block by itself."""
    return _encrypted(cipher, key, modes.ECB(), octets)  # noqa: S305 - what peers before protocol 2.4 speak


def decrypt_ecb(cipher: BlockCipher, key: bytes, octets: bytes) -> bytes:
    """Return octets decrypted.

    Raises:
        MalformedMessage: they are no padded blocks of this key.
    """
    return _decrypted(cipher, key, modes.ECB(), octets)  # noqa: S305 - what peers before protocol 2.4 speak


def encrypt_cbc(cipher: BlockCipher, key: bytes, start: bytes, octets: bytes) -> bytes:
    """Return octets encrypted as a chain of blocks that begins with `start`, without it."""
    return _encrypted(cipher, key, modes.CBC(start), octets)


def decrypt_cbc(cipher: BlockCipher, key: bytes, start: bytes, octets: bytes) -> bytes:
    """Return octets decrypted.

    Raises:
        MalformedMessage: they are no padded blocks of this key, or `start` is no block.
    """
    if len(start) != cipher.block_octets:
        raise MalformedMessage(f"{cipher.block_octets} octets that start a chain", 0)
    return _decrypted(cipher, key, modes.CBC(start), octets)


def _encrypted(cipher: BlockCipher, key: bytes, mode: modes.ECB | modes.CBC, octets: bytes) -> bytes:
    padder = PKCS7(8 * cipher.block_octets).padder()
    encryptor = _cipher(cipher, key, mode).encryptor()
    return encryptor.update(padder.update(octets) + padder.finalize()) + encryptor.finalize()


def _decrypted(cipher: BlockCipher, key: bytes, mode: modes.ECB | modes.CBC, octets: bytes) -> bytes:
    decryptor = _cipher(cipher, key, mode).decryptor()
    unpadder = PKCS7(8 * cipher.block_octets).unpadder()
    try:
        padded = decryptor.update(octets) + decryptor.finalize()
        return unpadder.update(padded) + unpadder.finalize()
    except ValueError:
        raise MalformedMessage("padded blocks, encrypted with this key,", 0) from None


def _cipher(cipher: BlockCipher, key: bytes, mode: modes.ECB | modes.CBC) -> Cipher[modes.ECB | modes.CBC]:
    used = key[: cipher.key_octets]
    # DES alone is triple DES with the same key thrice.
    return Cipher(_ALGORITHMS[cipher](used * 3 if cipher is BlockCipher.DES else used), mode)


_ALGORITHMS: Final[dict[BlockCipher, Callable[[bytes], BlockCipherAlgorithm]]] = {
    BlockCipher.DES: TripleDES,
    BlockCipher.TRIPLE_DES: TripleDES,
    BlockCipher.AES: algorithms.AES,
    BlockCipher.SM4: algorithms.SM4,
}
