"""`idnode list`: the handles of a prefix, from our own register or from a server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

import click

from handle_protocol.codes import ResponseCode
from handle_protocol.handle import Handle, Prefix
from node.cli.language import words
from node.cli.names import parse_prefix
from node.cli.options import json_option, register_url
from node.cli.register_changes import list_register
from node.cli.remote import Remote, connected, remote_options
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
@json_option
def list_handles(name: str, remote: Remote, *, is_json: bool) -> int:
    """Print handles as they come."""
    prefix = parse_prefix(name)
    url = register_url(remote.data_dir) if remote.server is None else None
    pages = _ask(remote, prefix) if url is None else list_register(url, prefix)
    return asyncio.run(_print_whole(prefix, pages, is_json=is_json))


async def _print_whole(
    prefix: Prefix, pages: AsyncGenerator[Sequence[Handle] | Said, None], *, is_json: bool
) -> ExitStatus:
    # A refusal ends the printing before the pages end: what gives them has to hang up while the loop still runs.
    async with aclosing(pages):
        return await (_print_json(prefix, pages) if is_json else _print(pages))


async def _print(pages: AsyncGenerator[Sequence[Handle] | Said, None]) -> ExitStatus:
    async for page in pages:
        if isinstance(page, Said):
            return tell([page], is_json=False)
        for handle in page:
            click.echo(visible(handle.spelling))
    return ExitStatus.OK


async def _print_json(prefix: Prefix, pages: AsyncGenerator[Sequence[Handle] | Said, None]) -> ExitStatus:
    """Print one object, its handles as they come: a list may be longer than memory, and may be refused in its middle.

    The members are those of a list in Handle.Net's REST interface; after an outage there is no closing brace.
    """
    opening, end = f'{{"prefix": {_json(str(prefix))}, "handles": [', Said(prefix.handle, ResponseCode.SUCCESS)
    lead = opening
    async for page in pages:
        if isinstance(page, Said):
            end = page
            break
        for handle in page:
            click.echo(f"{lead}\n  {_json(handle.spelling)}", nl=False)
            lead = ","
    before_end = opening if lead == opening else "\n"
    click.echo(f'{before_end}], "responseCode": {int(end.code)}, "message": {_json(end.text)}}}')
    return ExitStatus.OK if end.code == ResponseCode.SUCCESS else ExitStatus.FAILED


def _json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


async def _ask(remote: Remote, prefix: Prefix) -> AsyncGenerator[Sequence[Handle] | Said, None]:
    async with connected(remote) as node, aclosing(node.list_handles(prefix)) as parts:
        async for part in parts:
            yield part.handles if part.is_success else Said(prefix.handle, part.response_code, part.text)
