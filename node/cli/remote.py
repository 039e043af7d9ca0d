"""Options of commands that speak to a server over the Handle protocol, and the identity that they make."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import wraps
from pathlib import Path
from typing import Final

import click

from handle_protocol.errors import MalformedMessage, ProtocolError
from handle_protocol.security.errors import WrongPassphrase
from handle_protocol.security.limits import PRIVATE_KEY_FILE_OCTETS
from handle_protocol.security.private_keys import SigningKey, read_private_key
from node.cli.addresses import HANDLE_PORT, HTTP_PORT, format_server, parse_server
from node.cli.language import words
from node.cli.names import parse_reference
from node.cli.options import data_dir_option
from node.cli.standard_streams import STANDARD
from node.errors import NodeError, Text, WrongUse
from resolver.client import Address, Identity, Node, connect

PASSPHRASE_VARIABLE: Final = "IDNODE_KEY_PASSPHRASE"  # noqa: S105 - the name of a variable

SECRET_OCTETS_MAX: Final = 4_096
"""The longest secret key that is read from a file."""

_FILE: Final = click.Path(path_type=Path, dir_okay=False, allow_dash=True)


@dataclass(frozen=True, slots=True)
class Remote:
    """Whom to speak to, and as whom.

    Attributes:
        server: None = our own register, as its operator.
        data_dir: of the node whose register is ours; None = look in the usual places.
    """

    server: Address | None
    identity: Identity | None
    data_dir: str | None = None


def remote_options(command: Callable[..., int]) -> Callable[..., int]:
    """Give a command --server, --identity, --key, --secret-file and --data-dir; it takes what they say as `remote`."""

    @wraps(command)
    def command_with_remote(
        server: str | None,
        identity: str | None,
        key_file: Path | None,
        secret_file: Path | None,
        data_dir: str | None,
        **others: object,
    ) -> int:
        remote = read_remote(server, identity, key_file, secret_file)
        return command(remote=replace(remote, data_dir=data_dir), **others)

    with_options = command_with_remote
    for option in reversed(_OPTIONS):
        with_options = option(with_options)
    return with_options


_OPTIONS: Final = (
    click.option(
        "--server",
        metavar="HOST[:PORT]",
        help=words("Speak to this server instead of our own register.", "操作该服务器,而非本节点的注册库。"),
    ),
    click.option(
        "--identity", metavar="INDEX:HANDLE", help=words("Who you are, such as 300:0.NA/88.118.8.", "您的身份。")
    ),
    click.option(
        "--key",
        "key_file",
        type=_FILE,
        metavar="FILE",
        help=words("Your private key, PEM or Handle format.", "私钥文件(PEM 或 Handle 格式)。"),
    ),
    click.option(
        "--secret-file",
        type=_FILE,
        metavar="FILE|-",
        help=words("A file that holds your secret key.", "包含密钥(HS_SECKEY)的文件。"),
    ),
    data_dir_option,
)


def read_remote(server: str | None, identity: str | None, key_file: Path | None, secret_file: Path | None) -> Remote:
    """Return what the options say.

    Raises:
        WrongUse: they do not fit together.
        NodeError: the key cannot be read.
    """
    given = (identity, key_file, secret_file)
    if server is None:
        if any(given):
            raise WrongUse(
                Text("--identity and keys are for a server", "--identity 与密钥仅用于远程服务器"),
                Text("name it with --server HOST[:PORT]", "请用 --server 主机[:端口] 指定"),
            )
        return Remote(None, None)
    address = parse_server(server, HANDLE_PORT)
    return Remote(address, read_identity(identity, key_file, secret_file) if any(given) else None)


def read_identity(identity: str | None, key_file: Path | None, secret_file: Path | None) -> Identity:
    """Return who asks.

    Raises:
        WrongUse: there is no identity, or not exactly one key.
        NodeError: the key cannot be read.
    """
    if identity is None or (key_file is None) == (secret_file is None):
        raise WrongUse(
            Text("an identity has one key", "身份须对应一个密钥"),
            Text(
                "give --identity INDEX:HANDLE with --key FILE or --secret-file FILE",
                "请提供 --identity 索引:标识,以及 --key 文件 或 --secret-file 文件",
            ),
        )
    reference = parse_reference(identity)
    if key_file is not None:
        return Identity(reference, read_key_file(key_file))
    assert secret_file is not None, "exactly one of them was given"
    return Identity(reference, _read(secret_file, SECRET_OCTETS_MAX).rstrip(b"\r\n"))


def read_key_file(file: Path) -> SigningKey:
    """Return the private key in a file; its passphrase is in IDNODE_KEY_PASSPHRASE, or is asked for at a terminal.

    Raises:
        NodeError: the file is no private key, or the passphrase does not open it.
        OSError: the file cannot be read.
    """
    octets = _read(file, PRIVATE_KEY_FILE_OCTETS.stop)
    try:
        return _open_key(octets)
    except ProtocolError as error:
        solve = NEEDS_PASSPHRASE if isinstance(error, WrongPassphrase) else NEEDS_PRIVATE_KEY
        raise NodeError(Text(f"{file}: {error}", f"{file}:{error}"), solve) from None


NEEDS_PASSPHRASE: Final = Text(
    f"set its passphrase in {PASSPHRASE_VARIABLE}, or give it at a terminal",
    f"请在 {PASSPHRASE_VARIABLE} 中设置正确的口令,或在终端输入",
)
NEEDS_PRIVATE_KEY: Final = Text(
    "a private key is a file in PEM or of Handle.Net; make one with: idnode keygen",
    "私钥文件须为 PEM 或 Handle.Net 格式;生成私钥:idnode keygen",
)


def _open_key(octets: bytes) -> SigningKey:
    passphrase = os.environ.get(PASSPHRASE_VARIABLE, "")
    try:
        return read_private_key(octets, passphrase.encode() or None)
    except WrongPassphrase:
        if passphrase or not sys.stdin.isatty():
            raise
    return read_private_key(octets, _ask_for_passphrase().encode())


@asynccontextmanager
async def connected(remote: Remote) -> AsyncIterator[Node]:
    """Give the server to speak to; that it does not answer, or not in this protocol, leaves as a NodeError."""
    assert remote.server is not None, "without a server there is nobody to speak to"
    shown = format_server(*remote.server)
    try:
        async with connect(remote.server, identity=remote.identity) as node:
            yield node
    except OSError as error:  # No answer in time is one too.
        hint = Text("check the address, and that a node listens there", "请检查地址,并确认该处有节点在监听")
        raise NodeError(Text(f"{shown} does not answer", f"{shown} 无应答"), hint) from error
    except MalformedMessage as error:
        raise answers_no_message(remote.server, error) from error


def answers_no_message(server: Address, error: MalformedMessage) -> NodeError:
    """Return what is said when something else than a node of the Handle protocol listens at `server`."""
    shown = format_server(*server)
    hint = Text("see that a node listens there, and not another service", "请确认该处监听的是标识解析节点")
    if server[1] == HTTP_PORT:
        hint = Text(
            f"{HTTP_PORT} is the port of HTTP; the Handle protocol is at {HANDLE_PORT}",
            f"{HTTP_PORT} 是 HTTP 端口;Handle 协议端口为 {HANDLE_PORT}",
        )
    return NodeError(Text(f"{shown} answers no message: {error}", f"{shown} 的应答无法识别:{error}"), hint)


def _ask_for_passphrase() -> str:
    passphrase: str = click.prompt(words("Passphrase", "口令"), hide_input=True, err=True)
    return passphrase


def _read(file: Path, octets_max: int) -> bytes:
    if file == STANDARD:
        return sys.stdin.buffer.read(octets_max)
    with file.open("rb") as source:
        return source.read(octets_max)
