"""`idnode prefix`: the prefixes that are ours."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from ipaddress import ip_address
from typing import Final

import click
from rich.console import Console
from rich.table import Table

from handle_protocol.handle import Prefix
from handle_protocol.predefined.site import (
    InterfaceProtocol,
    InterfacePurpose,
    ServerInterface,
    Site,
    SiteServer,
)
from node.cli.addresses import HANDLE_PORT, format_server, look_up, parse_server
from node.cli.language import say, words
from node.cli.names import parse_prefix
from node.cli.options import data_dir_option, json_option, register_url
from node.cli.outcomes import OUTCOMES
from node.errors import Text
from node.register import open_register
from registry.lifecycle import PrefixStatus
from registry.outcomes import OutcomeKind
from registry.prefixes import PrefixReader, PrefixStore, RegisteredPrefix

STATUSES: Final[Mapping[PrefixStatus, Text]] = {
    PrefixStatus.ACTIVE: Text("active", "正常"),
    PrefixStatus.SUSPENDED: Text("suspended", "已暂停"),
    PrefixStatus.WITHDRAWN: Text("withdrawn", "已撤回"),
}
DIGITS_MAX: Final = 32
"""A longer segment is no number that anybody counts, and Python refuses to read very long ones."""


@click.group(
    help=words(
        """Add, list, suspend and resume prefixes.

\b
Example:
  idnode prefix add 88.118.8 --enterprise 示例锂电工具有限公司
  idnode prefix list""",
        """添加、列出、暂停与恢复前缀。

\b
示例:
  idnode prefix add 88.118.8 --enterprise 示例锂电工具有限公司
  idnode prefix list""",
    )
)
def prefix() -> None:
    """Hold the commands below."""


@prefix.command(
    help=words(
        """Register PREFIX. Doing it twice changes nothing.

\b
Example:
  idnode prefix add 88.118.9 --enterprise 扬州一厂 --delegate 192.0.2.7:2641""",
        """注册前缀 PREFIX。重复执行不产生变化。

\b
示例:
  idnode prefix add 88.118.9 --enterprise 扬州一厂 --delegate 192.0.2.7:2641""",
    )
)
@click.argument("name", metavar="PREFIX")
@click.option("--enterprise", metavar="NAME", help=words("Who owns it.", "所属企业。"))
@click.option(
    "--delegate",
    metavar="HOST:PORT",
    help=words("The enterprise's own node, which then answers for it.", "企业自建节点的地址,由其负责解析。"),
)
@click.option(
    "--ignore-case",
    is_flag=True,
    help=words("Suffixes differ not by ASCII case.", "后缀不区分 ASCII 大小写。"),
)
@data_dir_option
@json_option
def add(
    name: str, enterprise: str | None, delegate: str | None, data_dir: str | None, *, ignore_case: bool, is_json: bool
) -> None:
    """Register a prefix."""
    parsed = parse_prefix(name)
    site = delegation_site(delegate) if delegate else None
    outcome = asyncio.run(
        _change(
            data_dir,
            lambda store: store.add(parsed, enterprise=enterprise, delegated_to=site, folds_suffix=ignore_case),
        )
    )
    _report(parsed, outcome, is_json=is_json)


@prefix.command(
    "list",
    help=words(
        """List the prefixes.

\b
Example:
  idnode prefix list --json""",
        """列出前缀。

\b
示例:
  idnode prefix list --json""",
    ),
)
@data_dir_option
@json_option
def list_prefixes(data_dir: str | None, *, is_json: bool) -> None:
    """Print every registered prefix."""
    prefixes = sorted(asyncio.run(_load(data_dir)), key=lambda each: segments(each.prefix))
    if is_json:
        click.echo(json.dumps([prefix_to_json(each) for each in prefixes], ensure_ascii=False))
        return
    headings = (
        words("prefix", "前缀"),
        words("status", "状态"),
        words("enterprise", "企业"),
        words("served by", "解析方"),
    )
    table = Table(*headings, box=None)
    for each in prefixes:
        owner = each.enterprise.name if each.enterprise else ""
        table.add_row(
            str(each.prefix),
            say(STATUSES[each.status]),
            owner,
            ", ".join(_addresses(each)) or words("this node", "本节点"),
        )
    Console().print(table)


@prefix.command(
    help=words(
        """Let nothing below PREFIX resolve or change for now.

\b
Example:
  idnode prefix suspend 88.118.8""",
        """暂停前缀 PREFIX 下的解析与变更。

\b
示例:
  idnode prefix suspend 88.118.8""",
    )
)
@click.argument("name", metavar="PREFIX")
@data_dir_option
@json_option
def suspend(name: str, data_dir: str | None, *, is_json: bool) -> None:
    """Suspend a prefix."""
    parsed = parse_prefix(name)
    _report(parsed, asyncio.run(_change(data_dir, lambda store: store.suspend(parsed))), is_json=is_json)


@prefix.command(
    help=words(
        """End the suspension of PREFIX.

\b
Example:
  idnode prefix resume 88.118.8""",
        """恢复前缀 PREFIX。

\b
示例:
  idnode prefix resume 88.118.8""",
    )
)
@click.argument("name", metavar="PREFIX")
@data_dir_option
@json_option
def resume(name: str, data_dir: str | None, *, is_json: bool) -> None:
    """Resume a prefix."""
    parsed = parse_prefix(name)
    _report(parsed, asyncio.run(_change(data_dir, lambda store: store.resume(parsed))), is_json=is_json)


def delegation_site(server: str) -> Site:
    """Return the site that sends clients to an enterprise's own node at `server`: over UDP to ask, over TCP for all.

    Raises:
        click.BadParameter: it is no HOST:PORT, or the host has no address.
    """
    host, port = parse_server(server, HANDLE_PORT)
    interfaces = (
        ServerInterface(InterfacePurpose.QUERY, InterfaceProtocol.UDP, port),
        ServerInterface(InterfacePurpose.QUERY | InterfacePurpose.ADMIN, InterfaceProtocol.TCP, port),
    )
    return Site(servers=(SiteServer(1, ip_address(look_up(host)), interfaces=interfaces),))


def segments(prefix: Prefix) -> tuple[tuple[bool, int, str], ...]:
    """Return a prefix as people order it: segment by segment, numbers as numbers and before words."""
    parts = prefix.name.split(".")
    return tuple((not _is_number(part), int(part) if _is_number(part) else 0, part) for part in parts)


def _is_number(segment: str) -> bool:
    return segment.isascii() and segment.isdigit() and len(segment) <= DIGITS_MAX


def prefix_to_json(each: RegisteredPrefix) -> dict[str, object]:
    """Return a prefix as programs read it."""
    return {
        "prefix": str(each.prefix),
        "status": each.status.value,
        "enterprise": each.enterprise.name if each.enterprise else None,
        "ignoresCase": each.folds_suffix,
        "delegatedTo": _addresses(each),
        "changedAt": each.changed_at,
    }


def _addresses(each: RegisteredPrefix) -> list[str]:
    servers = each.delegated_to.servers if each.delegated_to else ()
    return [format_server(str(server.address), server.port(InterfaceProtocol.TCP)) for server in servers]


async def _change(data_dir: str | None, change: Callable[[PrefixStore], Awaitable[OutcomeKind]]) -> OutcomeKind:
    async with open_register(register_url(data_dir)) as database:
        return await change(PrefixStore(database))


async def _load(data_dir: str | None) -> Sequence[RegisteredPrefix]:
    async with open_register(register_url(data_dir), is_read_only=True) as database:
        return await PrefixReader(database).load()


def _report(changed: Prefix, outcome: OutcomeKind, *, is_json: bool) -> None:
    if is_json:
        click.echo(json.dumps({"prefix": str(changed), "outcome": outcome.value}))
    else:
        click.echo(f"{changed}: {say(OUTCOMES[outcome])}")
