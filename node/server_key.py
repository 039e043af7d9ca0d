"""The key of the server: it signs certified answers, and HS_SITE announces its public half."""

from __future__ import annotations

from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from handle_protocol.predefined.public_key import RsaPublicKey, encode_public_key
from node.certificates import KEY_BITS, RSA_EXPONENT
from node.errors import NodeError, Text
from node.layout import server_key_file
from node.secret_files import write_secret_file
from node.settings import Settings


def key_file(settings: Settings) -> Path:
    """Return where the key of a node lies."""
    return Path(settings.server_key) if settings.server_key else server_key_file(settings.data_dir)


def prepare_server_key(settings: Settings) -> None:
    """See to it that there is a key: the operator's, or one that is made once.

    Raises:
        NodeError: the operator's cannot be used.
        OSError: none can be written.
    """
    file = key_file(settings)
    if not settings.server_key and not file.exists():
        made = generate_private_key(RSA_EXPONENT, KEY_BITS)
        write_secret_file(file, made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    read_server_key(settings)


def read_server_key(settings: Settings) -> RSAPrivateKey:
    """Return the key.

    Raises:
        NodeError: it cannot be used.
    """
    file = key_file(settings)
    try:
        key = load_pem_private_key(file.read_bytes(), None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise _unusable(file, str(error)) from None
    if not isinstance(key, RSAPrivateKey):
        raise _unusable(file, "expected an RSA key")
    return key


def public_data(key: RSAPrivateKey) -> bytes:
    """Return the public half as HS_PUBKEY and HS_SITE carry it."""
    numbers = key.public_key().public_numbers()
    return encode_public_key(RsaPublicKey(numbers.e, numbers.n))


def _unusable(file: Path, reason: str) -> NodeError:
    return NodeError(
        Text(f"server key {file} cannot be used: {reason}", f"服务器私钥 {file} 无法使用:{reason}"),
        Text("see that it is an RSA key in PEM without a passphrase", "请确认其为未加密的 PEM 格式 RSA 私钥"),
    )
