"""`idnode list`: the handles of a prefix, from our own register or from a server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import click

from handle_protocol.handle import Handle, Prefix
from node.cli.language import words
from node.cli.names import parse_prefix
from node.cli.options import data_dir_option, json_option, register_url
from node.cli.register_changes import list_register
from node.cli.remote import Remote, connected, read_remote, remote_options
from node.cli.said import Said, tell
from node.cli.value_text import visible
from node.errors import ExitStatus


@click.command(
    "list",
    help=words(
        """Print the handles directly below PREFIX, one a line.

\b
Example:
  idnode list 88.118.8
  idnode list 88.118.8 --server 192.0.2.7 --identity 300:0.NA/88.118.8 --key admin.pem""",
        """列出前缀 PREFIX 下的标识,每行一个。

\b
示例:
  idnode list 88.118.8
  idnode list 88.118.8 --server 192.0.2.7 --identity 300:0.NA/88.118.8 --key admin.pem""",
    ),
)
@click.argument("name", metavar="PREFIX")
@remote_options
@data_dir_option
@json_option
def list_handles(  # noqa: PLR0913 - one argument for each option
    name: str,
    server: str | None,
    identity: str | None,
    key_file: Path | None,
    secret_file: Path | None,
    data_dir: str | None,
    *,
    is_json: bool,
) -> int:
    """Print handles as they come; with --json each line is a JSON text."""
    prefix = parse_prefix(name)
    remote = read_remote(server, identity, key_file, secret_file)
    pages = list_register(register_url(data_dir), prefix) if remote.server is None else _ask(remote, prefix)
    return asyncio.run(_print(pages, is_json=is_json))


async def _print(pages: AsyncIterator[Sequence[Handle] | Said], *, is_json: bool) -> ExitStatus:
    async for page in pages:
        if isinstance(page, Said):
            return tell([page], is_json=is_json)
        for handle in page:
            spelling = handle.spelling
            click.echo(json.dumps(spelling, ensure_ascii=False) if is_json else visible(spelling))
    return ExitStatus.OK


async def _ask(remote: Remote, prefix: Prefix) -> AsyncIterator[Sequence[Handle] | Said]:
    async with connected(remote) as node:
        async for part in node.list_handles(prefix):
            yield part.handles if part.is_success else Said(prefix.handle, part.response_code, part.text)
