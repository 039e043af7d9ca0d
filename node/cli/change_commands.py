"""`idnode set`, `unset`, `delete`: change records of our own register, or of a server over the Handle protocol."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import click

from handle_protocol.handle import Handle
from handle_protocol.record import HandleRecord
from node.cli.language import words
from node.cli.names import parse_new_handle
from node.cli.options import json_option, register_url
from node.cli.register_changes import change_register
from node.cli.remote import Remote, connected, remote_options
from node.cli.said import Said, tell
from node.cli.value_text import parse_values
from resolver.administration.commands import AddValues, Create, Delete, RemoveValues
from resolver.asking.node import Node
from resolver.asking.reply import Reply

Change = Create | AddValues | RemoveValues | Delete

_INDEX = click.IntRange(1, 2**32 - 1)


@click.command(
    "set",
    help=words(
        """Add values to HANDLE, or replace those that have the same index.

\b
Example:
  idnode set 88.118.8/abc --value "2:URL=https://example.cn/abc"
  idnode set 88.118.8/abc --value "2:URL=https://example.cn/abc" --server 192.0.2.7 \\
    --identity 300:0.NA/88.118.8 --key admin.pem
  idnode set 0.NA/88.118.8 --value "301:HS_PUBKEY=@second.json" --value "101:HS_ADMIN=301:0.NA/88.118.8"

HS_ADMIN is INDEX:HANDLE or INDEX:HANDLE:PERMISSIONS (twelve binary digits; without them, all),
HS_VLIST is INDEX:HANDLE,INDEX:HANDLE, and HS_PUBKEY is @FILE, a key in JSON or PEM.""",
        """为标识 HANDLE 添加值;索引相同的值被替换。

\b
示例:
  idnode set 88.118.8/abc --value "2:URL=https://example.cn/abc"
  idnode set 88.118.8/abc --value "2:URL=https://example.cn/abc" --server 192.0.2.7 \\
    --identity 300:0.NA/88.118.8 --key admin.pem
  idnode set 0.NA/88.118.8 --value "301:HS_PUBKEY=@second.json" --value "101:HS_ADMIN=301:0.NA/88.118.8"

HS_ADMIN 写作 索引:标识 或 索引:标识:权限(十二位二进制数字,省略为全部权限),
HS_VLIST 写作 索引:标识,索引:标识,HS_PUBKEY 写作 @文件(JSON 或 PEM 格式的密钥)。""",
    ),
)
@click.argument("name", metavar="HANDLE")
@click.option(
    "--value",
    "spellings",
    multiple=True,
    required=True,
    metavar="INDEX:TYPE=TEXT",
    help=words("A value; may be repeated.", "一个值;可重复。"),
)
@remote_options
@json_option
def set_values(
    name: str,
    spellings: tuple[str, ...],
    remote: Remote,
    *,
    is_json: bool,
) -> int:
    """Add or replace values."""
    command = AddValues(parse_new_handle(name), parse_values(spellings, needs_index=True), overwrites=True)
    return tell(do([command], remote), is_json=is_json)


@click.command(
    help=words(
        """Remove the values with these INDEXES from HANDLE.

\b
Example:
  idnode unset 88.118.8/abc 2 3""",
        """从标识 HANDLE 删除这些索引的值。

\b
示例:
  idnode unset 88.118.8/abc 2 3""",
    ),
)
@click.argument("name", metavar="HANDLE")
@click.argument("indexes", metavar="INDEX...", nargs=-1, required=True, type=_INDEX)
@remote_options
@json_option
def unset(
    name: str,
    indexes: tuple[int, ...],
    remote: Remote,
    *,
    is_json: bool,
) -> int:
    """Remove values."""
    return tell(do([RemoveValues(parse_new_handle(name), indexes)], remote), is_json=is_json)


@click.command(
    help=words(
        """Delete handles with all their values.

\b
Example:
  idnode delete 88.118.8/abc 88.118.8/abd""",
        """删除标识及其全部值。

\b
示例:
  idnode delete 88.118.8/abc 88.118.8/abd""",
    ),
)
@click.argument("names", metavar="HANDLE...", nargs=-1, required=True)
@remote_options
@json_option
def delete(names: tuple[str, ...], remote: Remote, *, is_json: bool) -> int:
    """Delete records."""
    return tell(do([Delete(parse_new_handle(name)) for name in names], remote), is_json=is_json)


def do(changes: Sequence[Change], remote: Remote) -> Sequence[Said]:
    """Do changes where they are wanted, one after another, and return what became of each."""
    if remote.server is None:
        return asyncio.run(change_register(register_url(remote.data_dir), changes))
    return asyncio.run(_ask(changes, remote))


async def _ask(changes: Sequence[Change], remote: Remote) -> Sequence[Said]:
    async with connected(remote) as node:
        return [_said(change.handle, await _perform(node, change)) for change in changes]


async def _perform(node: Node, change: Change) -> Reply:
    match change:
        case Create(handle, values, overwrites, mints_suffix):
            return await node.create(HandleRecord.of(handle, values), overwrite=overwrites, mint=mints_suffix)
        case AddValues(handle, values, overwrites):
            return await node.add(handle, values, overwrite=overwrites)
        case RemoveValues(handle, indexes):
            return await node.remove(handle, indexes)
        case Delete(handle):
            return await node.delete(handle)


def _said(handle: Handle, reply: Reply) -> Said:
    made = reply.record.handle if reply.is_success else handle
    return Said(made, reply.response_code, reply.text)
