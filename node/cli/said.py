"""What became of one handle in a command, and how that is told: a line or JSON, and the exit status."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import click

from handle_protocol.codes import ResponseCode
from handle_protocol.handle import Handle
from node.cli.language import say, words
from node.cli.value_text import visible
from node.errors import ExitStatus, Text


@dataclass(frozen=True, slots=True)
class Said:
    """What became of a handle.

    Attributes:
        code: a ResponseCode, or an unknown number.
        text: for people, often empty.
        reason: why, and what to do, where more is known than the code says.
    """

    handle: Handle
    code: int
    text: str = ""
    reason: tuple[Text, Text] | None = None


DONE: Final = Text("done", "已完成")

REFUSALS: Final[Mapping[int, tuple[Text, Text]]] = {
    ResponseCode.HANDLE_NOT_FOUND: (
        Text("not found", "标识不存在"),
        Text("see which there are: idnode list PREFIX", "查看已有标识:idnode list 前缀"),
    ),
    ResponseCode.HANDLE_ALREADY_EXISTS: (
        Text("there already", "标识已存在"),
        Text("replace it with --overwrite", "如需替换请用 --overwrite"),
    ),
    ResponseCode.VALUES_NOT_FOUND: (
        Text("it has no value with this index", "没有该索引的值"),
        Text("see its values: idnode resolve", "查看其值:idnode resolve"),
    ),
    ResponseCode.SERVER_NOT_RESPONSIBLE: (
        Text("this server is not responsible for it", "该服务器不负责此标识"),
        Text(
            "ask the node that is responsible: --server HOST[:PORT]", "请用 --server 主机[:端口] 指定负责该标识的节点"
        ),
    ),
    ResponseCode.INVALID_ADMIN: (
        Text("the identity is no administrator of it", "该身份不是其管理员"),
        Text("name an identity that its HS_ADMIN values list", "请使用其 HS_ADMIN 值所列的身份"),
    ),
    ResponseCode.INSUFFICIENT_PERMISSIONS: (
        Text("the identity may not do this", "该身份无此权限"),
        Text("ask an administrator who may", "请联系有权限的管理员"),
    ),
    ResponseCode.AUTHENTICATION_NEEDED: (
        Text("the server wants to know who asks", "服务器要求身份认证"),
        Text("give --identity with --key or --secret-file", "请提供 --identity 以及 --key 或 --secret-file"),
    ),
    ResponseCode.AUTHENTICATION_FAILED: (
        Text("the key does not fit the identity", "密钥与身份不符"),
        Text("check --identity, and the key or secret", "请检查 --identity 与密钥"),
    ),
    ResponseCode.AUTHENTICATION_ERROR: (
        Text(
            "the server cannot find the identity's key, or was asked too often", "服务器找不到该身份的密钥,或尝试过多"
        ),
        Text("check --identity, and wait a minute", "请检查 --identity,并稍候一分钟"),
    ),
    ResponseCode.SERVER_TOO_BUSY: (
        Text("the server is too busy", "服务器繁忙"),
        Text("try again later", "请稍后重试"),
    ),
}
"""What a server says instead of doing it, and what to do about that."""


def tell(said: Sequence[Said], *, is_json: bool) -> ExitStatus:
    """Print what became of each handle; FAILED if one was refused."""
    if is_json:
        click.echo(json.dumps([_as_json(each) for each in said], ensure_ascii=False, indent=2))
    else:
        for each in said:
            _print(each)
    is_done = all(each.code == ResponseCode.SUCCESS for each in said)
    return ExitStatus.OK if is_done else ExitStatus.FAILED


def _print(said: Said) -> None:
    if said.code == ResponseCode.SUCCESS:
        click.echo(f"{visible(said.handle.spelling)}: {say(DONE)}")
        return
    known, solve = said.reason or REFUSALS.get(said.code) or (None, None)
    meaning = say(known) if known else words(f"response code {said.code}", f"响应码 {said.code}")
    own_words = f" ({visible(said.text)})" if said.text and not said.reason else ""
    click.echo(f"{words('error:', '错误:')} {visible(said.handle.spelling)}: {meaning}{own_words}", err=True)
    if solve:
        click.echo(f"{words('hint:', '提示:')} {say(solve)}", err=True)


def _as_json(said: Said) -> dict[str, object]:
    return {"handle": said.handle.spelling, "responseCode": int(said.code), "message": said.text}
