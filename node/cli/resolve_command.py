"""`idnode resolve`: ask a node for a handle, as any client would."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Final, get_args

import click
from rich.cells import cell_len, set_cell_size

from handle_protocol.codes import ResponseCode
from handle_protocol.errors import MalformedMessage
from handle_protocol.handle import Handle
from handle_protocol.json_form import record_to_json
from handle_protocol.predefined import parse_data
from handle_protocol.predefined.site import InterfaceProtocol, Site
from node.cli.addresses import HANDLE_PORT, HTTP_PORT, format_server, parse_server, with_brackets
from node.cli.language import say, words
from node.cli.options import chosen_data_dir, command_settings, data_dir_option, json_option
from node.cli.remote import answers_no_message
from node.cli.value_text import format_value, visible
from node.errors import ExitStatus, NodeError, Text
from node.running import find_running_node, get_running_node
from node.settings import LOOPBACK
from resolver.client import Address, Protocol, Reply, resolve as ask
from resolver.query import Query

PROTOCOLS: Final = get_args(Protocol)


@click.command(
    help=words(
        """Ask a node for HANDLE: the running one, or --server.

\b
Example:
  idnode resolve 88.118.8/abc --type URL
  idnode resolve 88.118.8/abc --server 127.0.0.1:2641 --protocol tcp --json

Exit status: 0 found, 1 not found or refused.""",
        """解析标识 HANDLE:默认询问运行中的节点,或用 --server 指定。

\b
示例:
  idnode resolve 88.118.8/abc --type URL
  idnode resolve 88.118.8/abc --server 127.0.0.1:2641 --protocol tcp --json

退出状态:0 找到,1 未找到或被拒绝。""",
    )
)
@click.argument("name", metavar="HANDLE")
@click.option("--server", metavar="HOST:PORT", help=words("Whom to ask.", "询问的服务器。"))
@click.option(
    "--protocol",
    type=click.Choice(PROTOCOLS),
    default="auto",
    help=words("How to ask; auto is UDP, then TCP.", "询问方式;auto 为先 UDP 后 TCP。"),
)
@click.option("--type", "types", multiple=True, metavar="T", help=words("Only values of this type.", "仅此类型的值。"))
@click.option(
    "--index",
    "indexes",
    multiple=True,
    type=click.IntRange(1, 2**32 - 1),
    metavar="N",
    help=words("Only the value with this index.", "仅此索引的值。"),
)
@data_dir_option
@json_option
def resolve(  # noqa: PLR0913 - one argument for each option
    name: str,
    server: str | None,
    protocol: Protocol,
    types: tuple[str, ...],
    indexes: tuple[int, ...],
    data_dir: str | None,
    *,
    is_json: bool,
) -> int:
    """Print what the server says; the exit status tells whether it is the values."""
    query = Query(Handle.parse(name), indexes, types)
    address = server_address(server, protocol, data_dir)
    reply = asyncio.run(_ask(address, query, protocol, _when_silent(server)))
    if is_json:
        click.echo(json.dumps(reply_to_json(reply, address), ensure_ascii=False, indent=2))
    else:
        _print(name, reply)
    return ExitStatus.OK if reply.response_code == ResponseCode.SUCCESS else ExitStatus.FAILED


def reply_to_json(reply: Reply, server: Address) -> dict[str, object]:
    """Return a reply as programs read it: what Handle.Net's REST interface says, and how it came."""
    return {
        "responseCode": int(reply.response_code),
        **record_to_json(reply.record),
        "message": reply.text,
        "protocol": reply.protocol,
        "server": format_server(*server),
    }


def said_instead(reply: Reply) -> str:
    """Return what a reply without the values says: the server's own words, else what its response code means."""
    if reply.text:
        return visible(reply.text)
    known = ANSWERS.get(reply.response_code)
    return say(known) if known else words(f"response code {reply.response_code}", f"响应码 {reply.response_code}")


def server_address(server: str | None, protocol: Protocol, data_dir: str | None) -> Address:
    """Return whom to ask: the server that is named, else the running node, else the usual port of this machine."""
    default_port = HTTP_PORT if protocol == "http" else HANDLE_PORT
    if server is not None:
        return parse_server(server, default_port)
    settings = command_settings(data_dir)
    # Whoever names a directory means the node there, and no other.
    node = find_running_node(chosen_data_dir(settings)) if data_dir is None else get_running_node(settings.data_dir)
    if node is None:
        return LOOPBACK, default_port
    return node.address, node.http_port if protocol == "http" else node.handle_port


def _when_silent(server: str | None) -> Text:
    """Return what to do when the server that was given does not answer, or the usual one."""
    if server is None:
        return Text(
            "start a node with: idnode serve; or ask another with --server",
            "请启动节点:idnode serve;或用 --server 指定其他服务器",
        )
    meant = with_brackets(server)
    if meant is not None:
        return Text(f"an IPv6 address and its port are written {meant}", f"IPv6 地址与端口应写作 {meant}")
    return Text("check the address, and that a node listens there", "请检查地址,并确认该处有节点在监听")


async def _ask(server: Address, query: Query, protocol: Protocol, when_silent: Text) -> Reply:
    shown = format_server(*server)
    try:
        return await ask(server, query, protocol=protocol)
    except OSError as error:  # no answer in time is one too
        raise NodeError(Text(f"{shown} does not answer", f"{shown} 无应答"), when_silent) from error
    except MalformedMessage as error:
        raise answers_no_message(server, error) from error


def _print(name: str, reply: Reply) -> None:
    servers = referred_servers(reply)
    if servers:
        ask_them = words(f"ask {', '.join(servers)}", f"请询问 {', '.join(servers)}")
        click.echo(f"{visible(name)}: {said_instead(reply)} {ask_them}", err=True)
        return
    rows = [format_value(value) for value in reply.record.values]
    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)] if rows else []
    if reply.response_code != ResponseCode.SUCCESS:
        click.echo(f"{visible(name)}: {said_instead(reply)}", err=True)
    for index, value_type, data in rows:
        click.echo(f"{index:>{widths[0]}}  {set_cell_size(value_type, widths[1])}  {data}")


def referred_servers(reply: Reply) -> list[str]:
    """Return the servers that a referral names, as --server takes them; none for other replies."""
    if reply.response_code not in _REFERRALS:
        return []
    sites = [site for site in map(parse_data, reply.record.values) if isinstance(site, Site)]
    servers = [server for site in sites for server in site.servers]
    return [format_server(str(each.address), each.port(InterfaceProtocol.TCP)) for each in servers]


_REFERRALS: Final = frozenset({ResponseCode.SERVICE_REFERRAL, ResponseCode.PREFIX_REFERRAL})

ANSWERS: Final[Mapping[int, Text]] = {
    ResponseCode.HANDLE_NOT_FOUND: Text("not found", "标识不存在"),
    ResponseCode.VALUES_NOT_FOUND: Text("the handle exists, but has no such values", "标识存在,但没有所询问的值"),
    ResponseCode.SERVER_NOT_RESPONSIBLE: Text("this server is not responsible for it", "该服务器不负责此标识"),
    ResponseCode.SERVICE_REFERRAL: Text("another server is responsible:", "由其他服务器负责:"),
    ResponseCode.PREFIX_REFERRAL: Text("another server is responsible for its prefix:", "其前缀由其他服务器负责:"),
    ResponseCode.AUTHENTICATION_NEEDED: Text("only its administrators may read this", "仅管理员可读取"),
    ResponseCode.SERVER_TOO_BUSY: Text("the server is too busy, ask again later", "服务器繁忙,请稍后重试"),
    ResponseCode.INVALID_HANDLE: Text("this can be no handle", "不是有效的标识"),
    ResponseCode.ERROR: Text("the server failed", "服务器出错"),
}
"""What a server may say instead of values."""
