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
from node.cli.remote import PASSPHRASE_VARIABLE, read_key_file
from node.cli.value_text import INDEX_MAX
from node.errors import NodeError, Text, WrongUse

KEY_INDEX: Final = 300
"""Where public keys stand by custom."""

SECRET_INDEX: Final = 301
"""Where secret keys stand by custom, so that both fit into one record."""

SECRET_CHARACTERS_OCTETS: Final = 32
"""Random octets in a secret key: as many as an attacker has to guess of AES-256."""

_KINDS: Final[Mapping[str, KeyKind]] = {"rsa": KeyKind.RSA, "sm2": KeyKind.SM2}
_SECRET: Final = "secret"  # noqa: S105 - a kind of key


@click.command(
    help=words(
        """Make a key, write it to FILE, and print the value for the record of its owner as JSON.

A private key never leaves FILE, which must not be there yet; a secret key is in the value too.
IDNODE_KEY_PASSPHRASE, if set, encrypts a key of RSA; others cannot be encrypted.
With --public nothing is made: FILE is a private key that is there, and its value is printed.

\b
Example:
  idnode keygen admin.pem
  idnode keygen --public admin.pem
  idnode keygen --type rsa --format handle admin.bin""",
        """生成密钥并写入 FILE,以 JSON 输出应写入其所有者记录的值。

私钥只写入 FILE(该文件须尚不存在);secret 类型的密钥也出现在输出的值中。
若设置了 IDNODE_KEY_PASSPHRASE,则以其加密 RSA 私钥;其他类型无法加密。
使用 --public 时不生成密钥:FILE 为已有私钥,仅输出其公钥值。

\b
示例:
  idnode keygen admin.pem
  idnode keygen --public admin.pem
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
@click.option(
    "--index",
    type=click.IntRange(1, INDEX_MAX),
    metavar="N",
    help=words("Index of the value; 300, or 301 for a secret key.", "值的索引;默认 300,secret 类型为 301。"),
)
@click.option(
    "--public",
    "shows_public",
    is_flag=True,
    help=words("Print the value of a private key that is there.", "输出已有私钥的公钥值。"),
)
@click.option(
    "--json",
    is_flag=True,
    expose_value=False,  # Who shows errors looks for it among the words.
    help=words("Print failures as JSON, as the value is.", "失败信息也以 JSON 输出。"),
)
def keygen(file: Path, kind: str, file_format: str, index: int | None, *, shows_public: bool) -> None:
    """Make a key, or show one."""
    index = index or (SECRET_INDEX if kind == _SECRET and not shows_public else KEY_INDEX)
    value = _show(file, index) if shows_public else _make_file(file, kind, file_format, index)
    click.echo(json.dumps(value_to_json(value), ensure_ascii=False, indent=2))


def _show(file: Path, index: int) -> HandleValue:
    return HandleValue(index, "HS_PUBKEY", read_key_file(file).public_data())


def _make_file(file: Path, kind: str, file_format: str, index: int) -> HandleValue:
    passphrase = os.environ.get(PASSPHRASE_VARIABLE, "").encode() or None
    _check(kind, file_format, is_encrypted=passphrase is not None)
    octets, value = _make_secret(index) if kind == _SECRET else _make(_KINDS[kind], file_format, passphrase, index)
    _write_new(file, octets)
    return value


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


def _make(kind: KeyKind, file_format: str, passphrase: bytes | None, index: int) -> tuple[bytes, HandleValue]:
    key = make_key(kind)
    value = HandleValue(index, "HS_PUBKEY", key.public_data())
    if file_format == "pem":
        return write_private_pem(key, passphrase), value
    encryption = FileEncryption.PBKDF2_AES if passphrase else FileEncryption.NONE
    return write_private_key(key, passphrase, encryption), value


def _make_secret(index: int) -> tuple[bytes, HandleValue]:
    secret = secrets.token_urlsafe(SECRET_CHARACTERS_OCTETS).encode()
    only_administrators = Permissions.ADMIN_READ | Permissions.ADMIN_WRITE
    return secret + b"\n", HandleValue(index, "HS_SECKEY", secret, permissions=only_administrators)


def _write_new(file: Path, octets: bytes) -> None:
    """Write a file that only its owner may read. Nothing that is there is ever overwritten: it may be a key."""
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise NodeError(
            Text(f"{file} is there already", f"{file} 已存在"),
            Text(
                f"choose another name, or print its value with: idnode keygen --public {file}",
                f"请另选文件名;或查看其公钥值:idnode keygen --public {file}",
            ),
        ) from None
    with os.fdopen(descriptor, "wb") as output:
        output.write(octets)
        output.flush()
        os.fsync(output.fileno())
