"""`idnode register`: store one handle."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import click

from handle_protocol.codes import ResponseCode
from handle_protocol.record import HandleRecord
from handle_protocol.value import HandleValue
from node.cli.change_commands import do
from node.cli.language import say, words
from node.cli.names import parse_new_handle
from node.cli.options import json_option, register_url
from node.cli.outcomes import OUTCOMES, REASONS
from node.cli.register_changes import find_in_register
from node.cli.remote import Remote, remote_options
from node.cli.said import Said, tell
from node.cli.value_text import parse_values
from node.errors import ExitStatus, NodeError, Text, WrongUse
from node.register import open_register
from registry.outcomes import Outcome
from registry.records import RecordStore
from resolver.administration.commands import Create


@click.command(
    help=words(
        """Store HANDLE with its values; with --overwrite also in the place of those that it has already.

\b
Example:
  idnode register 88.118.8/abc --value "1:URL=https://example.cn/abc" --value "名称=减速机"
  idnode register 88.118.8/abc --value "URL=https://example.cn/abc" --server 192.0.2.7 \\
    --identity 300:0.NA/88.118.8 --key admin.pem""",
        """注册标识 HANDLE 及其值;已存在的标识须加 --overwrite 才会被替换。

\b
示例:
  idnode register 88.118.8/abc --value "1:URL=https://example.cn/abc" --value "名称=减速机"
  idnode register 88.118.8/abc --value "URL=https://example.cn/abc" --server 192.0.2.7 \\
    --identity 300:0.NA/88.118.8 --key admin.pem""",
    )
)
@click.argument("name", metavar="HANDLE")
@click.option(
    "--value",
    "spellings",
    multiple=True,
    required=True,
    metavar="[INDEX:]TYPE=TEXT",
    help=words("A value; may be repeated.", "一个值;可重复。"),
)
@click.option(
    "--overwrite", "overwrites", is_flag=True, help=words("Replace a handle that is there.", "替换已有标识。")
)
@click.option(
    "--mint",
    "mints_suffix",
    is_flag=True,
    help=words("HANDLE is a beginning that the server completes.", "由服务器补全 HANDLE 的后缀。"),
)
@remote_options
@json_option
def register(
    name: str,
    spellings: tuple[str, ...],
    remote: Remote,
    *,
    overwrites: bool,
    mints_suffix: bool,
    is_json: bool,
) -> int:
    """Store one record."""
    handle, values = parse_new_handle(name), parse_values(spellings)
    if remote.server is not None:
        creation = Create(handle, values, overwrites=overwrites, mints_suffix=mints_suffix)
        return tell(do([creation], remote), is_json=is_json)
    if mints_suffix:
        raise WrongUse(
            Text("--mint is for a server", "--mint 仅用于远程服务器"),
            Text("name it with --server HOST[:PORT]", "请用 --server 主机[:端口] 指定"),
        )
    url, record = register_url(remote.data_dir), HandleRecord.of(handle, values)
    if not overwrites and asyncio.run(_is_another_there(url, record)):
        return tell([Said(handle, ResponseCode.HANDLE_ALREADY_EXISTS)], is_json=is_json)
    _store(name, url, record, is_json=is_json)
    return ExitStatus.OK


async def _is_another_there(url: str, record: HandleRecord) -> bool:
    found = await find_in_register(url, record.handle)
    return found is not None and _unstamped(found) != _unstamped(record)


def _unstamped(record: HandleRecord) -> set[HandleValue]:
    return {replace(value, modified_at=0) for value in record.values}


def _store(name: str, url: str, record: HandleRecord, *, is_json: bool) -> None:
    outcome = asyncio.run(_put(url, record))
    if outcome.reason is not None:
        reason, solve = REASONS[outcome.reason]
        raise NodeError(
            Text(f"{name} was refused: {reason.english}", f"{name} 被拒绝:{reason.chinese}"),
            solve,
        )
    if is_json:
        click.echo(json.dumps({"handle": name, "outcome": outcome.kind.value}, ensure_ascii=False))
    else:
        click.echo(f"{name}: {say(OUTCOMES[outcome.kind])}")


async def _put(url: str, record: HandleRecord) -> Outcome:
    async with open_register(url) as database:
        outcomes = await RecordStore(database).put([record])
    return outcomes[0]
