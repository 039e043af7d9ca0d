"""`idnode sign`: write a signature over the public values of a record into it (HS_SIGNATURE)."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Final

import click

from handle_protocol.codes import ResponseCode
from handle_protocol.errors import ProtocolError
from handle_protocol.handle import Handle
from handle_protocol.record import HandleRecord
from handle_protocol.security.private_keys import SigningKey
from handle_protocol.security.public_keys import read_public_key
from handle_protocol.security.record_trust import SIGNATURE_TYPE, Claims, sign_record
from handle_protocol.value import HandleValue, ValueReference
from node.cli.addresses import HANDLE_PORT, parse_server
from node.cli.change_commands import do
from node.cli.language import words
from node.cli.names import parse_new_handle, parse_reference
from node.cli.options import data_dir_option, json_option, register_url
from node.cli.register_changes import find_in_register
from node.cli.remote import Remote, connected, read_key_file
from node.cli.resolve_command import said_instead
from node.cli.said import tell
from node.errors import NodeError, Text
from resolver.administration.commands import AddValues
from resolver.client import Identity
from resolver.query import Query

SIGNATURE_INDEX: Final = 401
"""Where signatures stand by custom (Teleinfo's SDK)."""

DAYS: Final = 365
DAY_SECONDS: Final = 86_400

_ABSENT: Final = frozenset({ResponseCode.HANDLE_NOT_FOUND, ResponseCode.VALUES_NOT_FOUND})

CLOCK_SECONDS: Final = 300
"""So much may the clock of whoever verifies be behind ours."""


@click.command(
    help=words(
        """Sign the public values of HANDLE with your key, and write the signature into its record.

\b
Example:
  idnode sign 88.118.8/abc --identity 300:0.NA/88.118.8 --key admin.pem""",
        """用您的私钥对标识 HANDLE 的公开值签名,并将签名写入其记录。

\b
示例:
  idnode sign 88.118.8/abc --identity 300:0.NA/88.118.8 --key admin.pem""",
    ),
)
@click.argument("name", metavar="HANDLE")
@click.option(
    "--identity", required=True, metavar="INDEX:HANDLE", help=words("Who signs: where your key is.", "签名者身份。")
)
@click.option(
    "--key",
    "key_file",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    help=words("Your private key, PEM or Handle format.", "私钥文件(PEM 或 Handle 格式)。"),
)
@click.option(
    "--index",
    default=SIGNATURE_INDEX,
    show_default=True,
    type=click.IntRange(1, 2**31 - 1),
    help=words("Where the signature is written.", "签名值的索引。"),
)
@click.option(
    "--days",
    default=DAYS,
    show_default=True,
    type=click.IntRange(1, 100 * DAYS),
    help=words("How long it is valid.", "有效天数。"),
)
@click.option(
    "--server",
    metavar="HOST[:PORT]",
    help=words("Sign at this server instead of our own register.", "操作该服务器,而非本节点的注册库。"),
)
@data_dir_option
@json_option
def sign(  # noqa: PLR0913, PLR0917 - one argument for each option
    name: str,
    identity: str,
    key_file: Path,
    index: int,
    days: int,
    server: str | None,
    data_dir: str | None,
    *,
    is_json: bool,
) -> int:
    """Sign one record."""
    handle, issuer, key = parse_new_handle(name), parse_reference(identity), read_key_file(key_file)
    remote = Remote(None if server is None else parse_server(server, HANDLE_PORT), Identity(issuer, key), data_dir)
    record = asyncio.run(_find(handle, remote))
    if server is None:
        signers_record = asyncio.run(find_in_register(register_url(data_dir), Handle.parse(issuer.handle)))
        _check_signer(signers_record, issuer, key)
    value = HandleValue(index, SIGNATURE_TYPE, _signed(record, key, issuer, days).encode())
    return tell(do([AddValues(handle, (value,), overwrites=True)], remote), is_json=is_json)


def _check_signer(record: HandleRecord | None, issuer: ValueReference, key: SigningKey) -> None:
    """Refuse to sign with another key than the one that the signer's record shows: nobody would believe the signature.

    Args:
        record: of the signer; None = it is not in our register, and its key not known here.
        issuer: who signs.
        key: what is signed with.

    Raises:
        NodeError: the record holds another key.
    """
    values = record.values if record is not None else ()
    shown = next((each for each in values if each.index == issuer.index and each.has_type("HS_PUBKEY")), None)
    if shown is not None and not _holds(shown, key):
        raise NodeError(
            Text(f"the key is not the one at {issuer}", f"密钥与 {issuer} 处的公钥不符"),
            Text("nothing was signed; check --identity and --key", "未作任何签名;请检查 --identity 与 --key"),
        )


def _holds(value: HandleValue, key: SigningKey) -> bool:
    try:
        return read_public_key(value.data) == key.public_key()
    except ProtocolError:
        return False


def _signed(record: HandleRecord, key: SigningKey, issuer: ValueReference, days: int) -> str:
    now = int(time.time())
    values = [value for value in record.values if value.is_public and not value.has_type(SIGNATURE_TYPE)]
    expires = now + days * DAY_SECONDS
    return sign_record(values, key, Claims(issuer, record.handle.spelling, now - CLOCK_SECONDS, expires, now))


async def _find(handle: Handle, remote: Remote) -> HandleRecord:
    if remote.server is None:
        record = await find_in_register(register_url(remote.data_dir), handle)
    else:
        async with connected(remote) as node:
            reply = await node.resolve(Query(handle))
            if not reply.is_success and reply.response_code not in _ABSENT:
                refusal = f"{handle}: {said_instead(reply)}"
                raise NodeError(Text(refusal, refusal), Text("nothing was signed", "未作任何签名"))
            record = reply.record if reply.is_success else None
    if record is None:
        raise NodeError(
            Text(f"{handle} is not there, or has nothing to sign", f"{handle} 不存在或没有可签名的值"),
            Text("see its values: idnode resolve", "查看其值:idnode resolve"),
        )
    return record
