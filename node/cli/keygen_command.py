"""`idnode keygen`: make a key, and the value that tells others its public half."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import click

from handle_protocol.json_form import value_to_json
from handle_protocol.security.private_key_files import FileEncryption
from handle_protocol.security.private_keys import make_key, write_private_key, write_private_pem
from handle_protocol.security.public_keys import KeyKind
from handle_protocol.value import HandleValue, Permissions
from node.cli.language import words
from node.cli.options import json_option
from node.cli.remote import PASSPHRASE_VARIABLE
from node.errors import NodeError, Text, WrongUse

KEY_INDEX: Final = 300
"""Where keys stand by custom."""

SECRET_CHARACTERS_OCTETS: Final = 32
"""Random octets in a secret key: as many as an attacker has to guess of AES-256."""

_KINDS: Final[Mapping[str, KeyKind]] = {"rsa": KeyKind.RSA, "sm2": KeyKind.SM2}
_SECRET: Final = "secret"  # noqa: S105 - a kind of key


@click.command(
    help=words(
        """Make a key, write it to FILE, and print the value for the record of its owner as JSON.

A private key never leaves FILE, which must not be there yet; a secret key is in the value too.
IDNODE_KEY_PASSPHRASE, if set, encrypts a key of RSA; others cannot be encrypted.

\b
Example:
  idnode keygen admin.pem
  idnode keygen --type rsa --format handle admin.bin""",
        """生成密钥并写入 FILE,以 JSON 输出应写入其所有者记录的值。

私钥只写入 FILE(该文件须尚不存在);secret 类型的密钥也出现在输出的值中。
若设置了 IDNODE_KEY_PASSPHRASE,则以其加密 RSA 私钥;其他类型无法加密。

\b
示例:
  idnode keygen admin.pem
  idnode keygen --type rsa --format handle admin.bin""",
    ),
)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--type",
    "kind",
    type=click.Choice([*_KINDS, _SECRET]),
    default="rsa",
    help=words("What kind of key.", "密钥类型。"),
)
@click.option(
    "--format",
    "file_format",
    type=click.Choice(["pem", "handle"]),
    default="pem",
    help=words("PEM, or the file of Handle.Net.", "PEM,或 Handle.Net 的文件格式。"),
)
@json_option
def keygen(file: Path, kind: str, file_format: str, *, is_json: bool) -> None:  # noqa: ARG001 - it prints JSON anyway
    """Make a key."""
    passphrase = os.environ.get(PASSPHRASE_VARIABLE, "").encode() or None
    _check(kind, file_format, is_encrypted=passphrase is not None)
    octets, value = _make_secret() if kind == _SECRET else _make(_KINDS[kind], file_format, passphrase)
    _write_new(file, octets)
    click.echo(json.dumps(value_to_json(value), ensure_ascii=False, indent=2))


def _check(kind: str, file_format: str, *, is_encrypted: bool) -> None:
    if kind != "rsa" and file_format == "handle":
        raise WrongUse(
            Text(f"Handle.Net has no file for a key of type {kind}", f"Handle.Net 没有 {kind} 密钥的文件格式"),
            Text("leave out --format handle", "请省略 --format handle"),
        )
    if kind != "rsa" and is_encrypted:  # Whoever set a passphrase relies on it.
        raise WrongUse(
            Text(f"the file of a key of type {kind} cannot be encrypted", f"{kind} 密钥文件无法加密"),
            Text(
                f"unset {PASSPHRASE_VARIABLE}, or make a key of type rsa",
                f"请取消 {PASSPHRASE_VARIABLE},或改用 rsa 类型",
            ),
        )


def _make(kind: KeyKind, file_format: str, passphrase: bytes | None) -> tuple[bytes, HandleValue]:
    key = make_key(kind)
    value = HandleValue(KEY_INDEX, "HS_PUBKEY", key.public_data())
    if file_format == "pem":
        return write_private_pem(key, passphrase), value
    encryption = FileEncryption.PBKDF2_AES if passphrase else FileEncryption.NONE
    return write_private_key(key, passphrase, encryption), value


def _make_secret() -> tuple[bytes, HandleValue]:
    secret = secrets.token_urlsafe(SECRET_CHARACTERS_OCTETS).encode()
    only_administrators = Permissions.ADMIN_READ | Permissions.ADMIN_WRITE
    return secret + b"\n", HandleValue(KEY_INDEX, "HS_SECKEY", secret, permissions=only_administrators)


def _write_new(file: Path, octets: bytes) -> None:
    """Write a file that only its owner may read. Nothing that is there is ever overwritten: it may be a key."""
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise NodeError(
            Text(f"{file} is there already", f"{file} 已存在"),
            Text("choose another name; a key is never overwritten", "请另选文件名;密钥文件不会被覆盖"),
        ) from None
    with os.fdopen(descriptor, "wb") as output:
        output.write(octets)
        output.flush()
        os.fsync(output.fileno())
