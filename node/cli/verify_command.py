"""`idnode verify`: whether the public values of a record are signed, and by whom one comes to a trusted key."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

import click

from handle_protocol.codes import ResponseCode
from handle_protocol.handle import Handle
from handle_protocol.security.public_keys import VerificationKey
from handle_protocol.security.record_trust import RecordTrust, Trust
from handle_protocol.value import HandleValue, ValueReference
from node.administering import trust_anchors
from node.cli.language import say, words
from node.cli.names import parse_reference
from node.cli.options import command_settings, data_dir_option, json_option
from node.cli.remote import Remote, connected
from node.cli.resolve_command import said_instead, server_address
from node.cli.value_text import format_value, visible
from node.errors import ExitStatus, NodeError, Text
from node.public_key_files import read_anchors
from resolver.asking.vouching import Vouching, verify_shown
from resolver.client import Address, Reply
from resolver.query import Query


@click.command(
    help=words(
        """Verify the signatures (HS_SIGNATURE) over the public values of HANDLE.

A value is vouched for when a signature covers it, and certificates lead from its signer to a key that you trust.

\b
Example:
  idnode verify 88.118.8/abc --anchor 300:0.NA/88.118.8=key.json
  idnode verify 88.118.8/abc --server 192.0.2.7 --json

FILE is what idnode keygen printed, or a public or private key in PEM.

Exit status: 0 every value is vouched for, 1 not every one.""",
        """验证标识 HANDLE 的公开值的签名(HS_SIGNATURE)。

当某签名覆盖一个值,且其签名者经由证书可追溯至您信任的公钥时,该值可信。

\b
示例:
  idnode verify 88.118.8/abc --anchor 300:0.NA/88.118.8=key.json
  idnode verify 88.118.8/abc --server 192.0.2.7 --json

FILE 为 idnode keygen 的输出,或 PEM 格式的公钥或私钥。

退出状态:0 所有值均可信,1 并非所有值可信。""",
    ),
)
@click.argument("name", metavar="HANDLE")
@click.option("--server", metavar="HOST[:PORT]", help=words("Whom to ask.", "询问的服务器。"))
@click.option(
    "--anchor",
    "anchors",
    multiple=True,
    metavar="INDEX:HANDLE=FILE",
    help=words(
        "A key that you trust, instead of those in the setting trust_anchors; may be repeated.",
        "您信任的公钥,替代设置项 trust_anchors;可重复。",
    ),
)
@data_dir_option
@json_option
def verify(name: str, server: str | None, anchors: tuple[str, ...], data_dir: str | None, *, is_json: bool) -> int:
    """Print what vouches for each value; the exit status tells whether something does for all."""
    settings = command_settings(data_dir)
    trusted = read_anchors(map(_checked_anchor, anchors)) if anchors else trust_anchors(settings)
    address, handle = server_address(server, "tcp", data_dir), Handle.parse(name)
    found = asyncio.run(verify_at(address, handle, trusted, accepts_weak=settings.legacy_authentication))
    if isinstance(found, Reply):
        _print_reply(found, is_json=is_json)
        return ExitStatus.FAILED
    if is_json:
        click.echo(json.dumps(vouching_to_json(found), ensure_ascii=False, indent=2))
    else:
        _print(found)
    return ExitStatus.OK if found.is_whole else ExitStatus.FAILED


def _checked_anchor(spelling: str) -> str:
    reference, _, file = spelling.partition("=")
    if not file:
        raise click.BadParameter(
            words(
                f"expected INDEX:HANDLE=FILE in --anchor, not {spelling!r}",
                f"--anchor 应为 索引:标识=文件,而不是 {spelling!r}",
            )
        )
    parse_reference(reference)
    return spelling


async def verify_at(
    server: Address, handle: Handle, anchors: Mapping[ValueReference, VerificationKey], *, accepts_weak: bool
) -> Vouching | Reply:
    """Return what vouches for a record, or what the server says instead of showing it.

    Raises:
        NodeError: it shows another record, though its name differs in the case of letters alone.
    """
    async with connected(Remote(server, None)) as node:
        reply = await node.resolve(Query(handle))
        if not reply.is_success:
            return reply
        shown = reply.record.handle
        if shown.key() != handle.key():
            raise NodeError(
                Text(f"the server shows {shown} instead of {handle}", f"服务器返回的是 {shown},而不是 {handle}"),
                Text("ask another server", "请询问其他服务器"),
            )
        return await verify_shown(node, reply.record, anchors, time.time(), accepts_weak=accepts_weak)


def vouching_to_json(vouching: Vouching) -> dict[str, object]:
    """Return what vouches for a record as programs read it."""
    return {
        "handle": vouching.record.handle.spelling,
        "responseCode": int(ResponseCode.SUCCESS),
        "message": "",
        "isVouchedFor": vouching.is_whole,
        "values": [
            {"index": value.index, "type": value.value_type, "signature": vouching.signature_over(value)}
            for value in vouching.needed
        ],
        "signatures": [_signature_to_json(index, trust) for index, trust in vouching.signatures.items()],
    }


def _signature_to_json(index: int, trust: RecordTrust) -> dict[str, object]:
    return {
        "index": index,
        "outcome": trust.outcome.value,
        "isWeak": trust.is_weak,
        "signedIndexes": trust.signed_indexes,
        "wrongIndexes": trust.wrong_indexes,
        "issuers": [str(issuer) for issuer in trust.issuers],
        "expires": _moment(trust.expires_at),
    }


def _moment(unix_seconds: int | None) -> str | None:
    """Return a moment as text; None for none, or one that no calendar has: signatures hold any number."""
    try:
        return None if unix_seconds is None else datetime.fromtimestamp(unix_seconds, UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        return None


def _print_reply(reply: Reply, *, is_json: bool) -> None:
    spelling = reply.record.handle.spelling
    if is_json:
        said = {"handle": spelling, "responseCode": int(reply.response_code), "message": reply.text}
        click.echo(json.dumps({**said, "isVouchedFor": False, "values": [], "signatures": []}, ensure_ascii=False))
    else:
        click.echo(f"{visible(spelling)}: {said_instead(reply)}", err=True)


def _print(vouching: Vouching) -> None:
    for value in vouching.needed:
        click.echo("  ".join((*format_value(value), _voucher(vouching, value))))
    for index, trust in vouching.signatures.items():
        click.echo(f"{words('signature', '签名')} {index}: {_outcome(vouching, trust)}")
    if not vouching.is_whole:
        _print_fault(vouching)


def _voucher(vouching: Vouching, value: HandleValue) -> str:
    signature = vouching.signature_over(value)
    if signature is None:
        return words("[nobody vouches for it]", "[不可信]")
    return words(f"[signature {signature}]", f"[签名 {signature}]")


def _outcome(vouching: Vouching, trust: RecordTrust) -> str:
    """Return what a signature is worth in one line: the word for it, the wrong values, issuers, and its end."""
    is_refused_as_weak = trust.outcome is Trust.TRUSTED and not vouching.is_believed(trust)
    said = [say(WEAK[0] if is_refused_as_weak else OUTCOMES[trust.outcome][0])]
    if trust.wrong_indexes:
        said[0] += f" ({', '.join(map(str, trust.wrong_indexes))})"
    if trust.issuers:
        chain = " < ".join(visible(str(issuer)) for issuer in trust.issuers)
        said.append(f"{words('signed by', '签名者')} {chain}")
    moment = _moment(trust.expires_at)
    if moment:
        said.append(f"{words('until', '有效期至')} {moment}")
    return "; ".join(said)


def _print_fault(vouching: Vouching) -> None:
    unsigned = [value for value in vouching.needed if vouching.signature_over(value) is None]
    names = ", ".join(f"{value.index} ({visible(value.value_type)})" for value in unsigned)
    spelling = visible(vouching.record.handle.spelling)
    fault = words(f"nobody vouches for these values: {names}", f"以下值不可信:{names}")
    click.echo(f"{words('error:', '错误:')} {spelling}: {fault}", err=True)
    click.echo(f"{words('hint:', '提示:')} {say(_solve(vouching))}", err=True)


def _solve(vouching: Vouching) -> Text:
    faults = [trust for trust in vouching.signatures.values() if not vouching.is_believed(trust)]
    if not faults:
        return UNSIGNED
    return WEAK[1] if faults[0].outcome is Trust.TRUSTED else OUTCOMES[faults[0].outcome][1]


UNSIGNED: Final = Text("sign the record: idnode sign", "请为该记录签名:idnode sign")

_SIGN_AGAIN: Final = Text("have its owner sign it again: idnode sign", "请其所有者重新签名:idnode sign")
_BEWARE: Final = Text("do not believe these values; ask the owner of the handle", "请勿采信这些值,并联系标识所有者")

WEAK: Final = (Text("rests on a weak key or digest", "基于弱密钥或弱摘要算法"), _SIGN_AGAIN)

OUTCOMES: Final[Mapping[Trust, tuple[Text, Text]]] = {
    Trust.TRUSTED: (Text("trusted", "可信"), UNSIGNED),
    Trust.UNREADABLE: (Text("it or a certificate cannot be read", "签名或证书无法识别"), _SIGN_AGAIN),
    Trust.WRONG_SUBJECT: (Text("it is about another handle", "签名针对其他标识"), _BEWARE),
    Trust.WRONG_SIGNATURE: (Text("the key of its issuer did not make it", "并非由签发者的密钥生成"), _BEWARE),
    Trust.WRONG_VALUES: (Text("values are missing, or were changed since", "值缺失或已被更改"), _BEWARE),
    Trust.NOT_NOW: (Text("not valid yet, or any more", "尚未生效或已过期"), _SIGN_AGAIN),
    Trust.NOT_PERMITTED: (
        Text("a certificate does not allow its holder to sign this", "证书不允许其持有者签署此标识"),
        Text("ask whoever issued the certificate", "请联系证书签发者"),
    ),
    Trust.UNTRUSTED: (
        Text("leads to no trusted key", "无法追溯至受信任的公钥"),
        Text("name a key that you trust: --anchor INDEX:HANDLE=FILE", "请指定您信任的公钥:--anchor 索引:标识=文件"),
    ),
}
"""What a signature may turn out to be worth, and what to do about it."""
