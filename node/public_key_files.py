"""Files that hold a public key: as `idnode keygen` prints it, in PEM or DER, or as part of a private key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import msgspec

from handle_protocol.errors import ProtocolError
from handle_protocol.json_form import value_from_json
from handle_protocol.security.errors import UnsupportedKey, WrongPassphrase
from handle_protocol.security.limits import PRIVATE_KEY_FILE_OCTETS
from handle_protocol.security.private_keys import read_private_key
from handle_protocol.security.public_keys import VerificationKey, read_public_key
from handle_protocol.value import ValueReference
from node.errors import NodeError, Text


def read_public_data(file: Path, passphrase: bytes | None = None) -> bytes:
    """Return the public key in a file as the data of HS_PUBKEY.

    Raises:
        NodeError: the file cannot be read, or holds no key.
    """
    try:
        with file.open("rb") as source:
            octets = source.read(PRIVATE_KEY_FILE_OCTETS.stop)
        return _public_data(octets, passphrase)
    except OSError as error:
        reason = error.strerror or str(error)
        raise NodeError(Text(f"{file}: {reason}", f"{file} 无法读取:{reason}"), FORMS) from None
    except (ProtocolError, msgspec.DecodeError) as error:
        raise NodeError(Text(f"{file} holds no key: {error}", f"{file} 不是可用的密钥文件:{error}"), FORMS) from None


def read_anchors(spellings: Iterable[str]) -> Mapping[ValueReference, VerificationKey]:
    """Return the keys in files, each written as INDEX:HANDLE=FILE, by references. Raises as `read_public_data`."""
    anchors = (spelling.partition("=") for spelling in spellings)
    return {ValueReference.parse(name): read_public_key(read_public_data(Path(file))) for name, _, file in anchors}


FORMS: Final = Text(
    "give what idnode keygen printed, or a public or private key in PEM",
    "请提供 idnode keygen 输出的 JSON,或 PEM 格式的公钥或私钥",
)


def _public_data(octets: bytes, passphrase: bytes | None) -> bytes:
    if octets.lstrip().startswith(b"{"):
        return _from_json(octets)
    try:
        return read_private_key(octets, passphrase).public_data()
    except WrongPassphrase:
        raise
    except ProtocolError:
        return read_public_key(octets).data()


def _from_json(octets: bytes) -> bytes:
    value = value_from_json(msgspec.json.decode(octets))
    if not value.has_type("HS_PUBKEY"):
        raise UnsupportedKey(f"expected a value of type HS_PUBKEY, not {value.value_type}")
    read_public_key(value.data)
    return value.data
