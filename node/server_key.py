"""The key of the server: it signs certified answers, and HS_SITE announces its public half."""

from __future__ import annotations

from pathlib import Path

from handle_protocol.errors import ProtocolError
from handle_protocol.security.private_keys import SigningKey, make_key, read_private_key, write_private_pem
from handle_protocol.security.public_keys import KeyKind
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
        write_secret_file(file, write_private_pem(make_key(KeyKind.RSA), None))
    read_server_key(settings)


def read_server_key(settings: Settings) -> SigningKey:
    """Return the key.

    Raises:
        NodeError: it cannot be used.
    """
    file = key_file(settings)
    try:
        key = read_private_key(file.read_bytes(), None)
    except (OSError, ProtocolError) as error:
        raise _unusable(file, str(error)) from None
    if key.kind is not KeyKind.RSA:
        raise _unusable(file, "expected an RSA key")
    return key


def _unusable(file: Path, reason: str) -> NodeError:
    return NodeError(
        Text(f"server key {file} cannot be used: {reason}", f"服务器私钥 {file} 无法使用:{reason}"),
        Text(
            "see that it is an RSA key without a passphrase, in PEM or the Handle format",
            "请确认其为未加密的 RSA 私钥(PEM 或 Handle 格式)",
        ),
    )
