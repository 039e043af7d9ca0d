"""The reference's private key files: five ways to encrypt them, and the numbers inside (vector file 10).

octets  field
     4  encryption: 0 DES-ECB, 1 none, 2 DES-CBC, 3 PBKDF2 and triple DES, 4 PBKDF2 and AES
     n  content; with 2: 8 octets that start the chain, then blocks;
        with 3 and 4: 4+n salt, 4 iterations, 4 bits of key, 4+n start of the chain, 4+n blocks

Content: 4+n kind, then each number as 4+n. DSA_PRIV_KEY: x, p, q, g; RSA_PRIVCRT_KEY: n, e, d, p, q, d mod p-1,
d mod q-1, 1/q mod p; RSA_PRIV_KEY: n, d.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from enum import IntEnum
from typing import Final

from cryptography.hazmat.primitives.asymmetric import dsa, rsa

from handle_protocol import octets
from handle_protocol.errors import MalformedMessage, ProtocolError
from handle_protocol.octets import OctetReader
from handle_protocol.security.ciphers import BlockCipher, decrypt_cbc, decrypt_ecb, encrypt_cbc, encrypt_ecb
from handle_protocol.security.digests import md5
from handle_protocol.security.errors import UnsupportedKey, WrongPassphrase, check_bounds
from handle_protocol.security.limits import DSA_BITS, RSA_BITS
from handle_protocol.security.secret_proofs import Stretching

LibraryKey = rsa.RSAPrivateKey | dsa.DSAPrivateKey

_DSA: Final = "DSA_PRIV_KEY"
_RSA: Final = "RSA_PRIV_KEY"
_RSA_CRT: Final = "RSA_PRIVCRT_KEY"
_SALT_OCTETS: Final = 16
_EXPONENT_USUAL: Final = 65_537
"""What RSA_PRIV_KEY does not tell, since everybody uses it."""


class FileEncryption(IntEnum):
    """How a private key file is encrypted: the number at its start."""

    DES_ECB = 0
    NONE = 1
    DES_CBC = 2
    PBKDF2_TRIPLE_DES = 3
    PBKDF2_AES = 4


def open_key_file(file_octets: bytes, passphrase: bytes | None) -> bytes:
    """Return the content of a private key file.

    Raises:
        MalformedMessage: the octets are no such file.
        WrongPassphrase: it needs a passphrase, or another one.
        OutOfBounds: its key is stretched more or less than we compute.
    """
    reader = OctetReader(file_octets)
    number = reader.u32("encryption of a private key file")
    if number == FileEncryption.NONE:
        return reader.rest()
    if number not in _OPENING:
        raise MalformedMessage("a private key file with encryption 0 to 4, or PEM,", 0)
    if passphrase is None:
        raise WrongPassphrase("the private key needs a passphrase / 私钥需要口令")
    try:
        content = _OPENING[FileEncryption(number)](reader, passphrase)
        OctetReader(content).text("kind of private key")
    except MalformedMessage:
        raise WrongPassphrase("the passphrase does not open the private key / 口令不能打开私钥") from None
    return content


def seal_key_file(content: bytes, passphrase: bytes | None, encryption: FileEncryption) -> bytes:
    """Return a private key file with this content.

    Raises:
        WrongPassphrase: there is none, but the encryption needs one.
    """
    if encryption is FileEncryption.NONE:
        return octets.u32(encryption) + content
    if not passphrase:
        raise WrongPassphrase("encryption needs a passphrase / 加密需要口令")
    return octets.u32(encryption) + _SEALING[encryption](content, passphrase)


def decode_private_key(content: bytes) -> LibraryKey:
    """Read the content of a private key file.

    Raises:
        MalformedMessage: the octets are no key.
        UnsupportedKey: the numbers make no key, or one of another kind.
        OutOfBounds: the key is smaller or larger than we compute with.
    """
    reader = OctetReader(content)
    kind = reader.text("kind of private key")
    if kind not in _COUNTS:
        raise UnsupportedKey(f"expected a private key of RSA or DSA, not {kind[:32]!r}")
    numbers = [reader.integer("number of a private key") for _ in range(_COUNTS[kind])]
    reader.finish("private key")
    try:
        return _dsa_key(*numbers) if kind == _DSA else _rsa_key(*numbers)
    except ProtocolError:
        raise
    except (ValueError, OverflowError, TypeError):
        raise UnsupportedKey("expected numbers that make a private key") from None


def encode_private_key(key: LibraryKey) -> bytes:
    """Return the content of a private key file."""
    if isinstance(key, rsa.RSAPrivateKey):
        of_rsa = key.private_numbers()
        public = of_rsa.public_numbers
        numbers = (public.n, public.e, of_rsa.d, of_rsa.p, of_rsa.q, of_rsa.dmp1, of_rsa.dmq1, of_rsa.iqmp)
        return octets.text(_RSA_CRT) + b"".join(map(octets.integer, numbers))
    of_dsa = key.private_numbers()
    group = of_dsa.public_numbers.parameter_numbers
    return octets.text(_DSA) + b"".join(map(octets.integer, (of_dsa.x, group.p, group.q, group.g)))


_COUNTS: Final = {_DSA: 4, _RSA: 2, _RSA_CRT: 8}


def _dsa_key(x: int, p: int, q: int, g: int) -> dsa.DSAPrivateKey:
    check_bounds("bits of DSA key", p.bit_length(), DSA_BITS)
    group = dsa.DSAParameterNumbers(p, q, g)
    return dsa.DSAPrivateNumbers(x, dsa.DSAPublicNumbers(pow(g, x, p), group)).private_key()


def _rsa_key(n: int, *rest: int) -> rsa.RSAPrivateKey:
    check_bounds("bits of RSA key", n.bit_length(), RSA_BITS)
    if len(rest) == 1:
        e, d = _EXPONENT_USUAL, rest[0]
        p, q = rsa.rsa_recover_prime_factors(n, e, d)
        rest = (e, d, p, q, rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q))
    e, d, p, q, dp, dq, inverse = rest
    return rsa.RSAPrivateNumbers(p, q, d, dp, dq, inverse, rsa.RSAPublicNumbers(e, n)).private_key()


def _des_key(passphrase: bytes) -> bytes:
    return md5(passphrase)[: BlockCipher.DES.key_octets]


def _open_des_ecb(reader: OctetReader, passphrase: bytes) -> bytes:
    return decrypt_ecb(BlockCipher.DES, _des_key(passphrase), reader.rest())


def _open_des_cbc(reader: OctetReader, passphrase: bytes) -> bytes:
    start = reader.take(BlockCipher.DES.block_octets, "start of the chain")
    return decrypt_cbc(BlockCipher.DES, _des_key(passphrase), start, reader.rest())


def _open_stretched(cipher: BlockCipher) -> Callable[[OctetReader, bytes], bytes]:
    def opened(reader: OctetReader, passphrase: bytes) -> bytes:
        stretching = Stretching(reader.counted("salt"), reader.u32("iterations"), reader.u32("bits of key"))
        start, blocks = reader.counted("start of the chain"), reader.counted("blocks")
        reader.finish("private key file")
        if stretching.key_bits != 8 * cipher.key_octets:
            raise MalformedMessage(f"a key of {cipher.key_octets} octets", 0)
        return decrypt_cbc(cipher, stretching.stretch(passphrase), start, blocks)

    return opened


def _seal_des_ecb(content: bytes, passphrase: bytes) -> bytes:
    return encrypt_ecb(BlockCipher.DES, _des_key(passphrase), content)


def _seal_des_cbc(content: bytes, passphrase: bytes) -> bytes:
    start = secrets.token_bytes(BlockCipher.DES.block_octets)
    return start + encrypt_cbc(BlockCipher.DES, _des_key(passphrase), start, content)


def _seal_stretched(cipher: BlockCipher) -> Callable[[bytes, bytes], bytes]:
    def sealed(content: bytes, passphrase: bytes) -> bytes:
        stretching = Stretching(secrets.token_bytes(_SALT_OCTETS), key_bits=8 * cipher.key_octets)
        start = secrets.token_bytes(cipher.block_octets)
        return b"".join(
            (
                octets.counted(stretching.salt),
                octets.u32s((stretching.iterations, stretching.key_bits)),
                octets.counted(start),
                octets.counted(encrypt_cbc(cipher, stretching.stretch(passphrase), start, content)),
            )
        )

    return sealed


_OPENING: Final = {
    FileEncryption.DES_ECB: _open_des_ecb,
    FileEncryption.DES_CBC: _open_des_cbc,
    FileEncryption.PBKDF2_TRIPLE_DES: _open_stretched(BlockCipher.TRIPLE_DES),
    FileEncryption.PBKDF2_AES: _open_stretched(BlockCipher.AES),
}

_SEALING: Final = {
    FileEncryption.DES_ECB: _seal_des_ecb,
    FileEncryption.DES_CBC: _seal_des_cbc,
    FileEncryption.PBKDF2_TRIPLE_DES: _seal_stretched(BlockCipher.TRIPLE_DES),
    FileEncryption.PBKDF2_AES: _seal_stretched(BlockCipher.AES),
}
