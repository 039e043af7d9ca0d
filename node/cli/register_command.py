"""`idnode register`: store one handle."""

from __future__ import annotations

import asyncio
import json

import click

from handle_protocol.record import HandleRecord
from node.cli.language import say, words
from node.cli.names import parse_new_handle
from node.cli.options import data_dir_option, json_option, register_url
from node.cli.outcomes import OUTCOMES, REASONS
from node.cli.value_text import parse_values
from node.errors import NodeError, Text
from node.register import open_register
from registry.outcomes import Outcome
from registry.records import RecordStore


@click.command(
    help=words(
        """Store HANDLE with its values; a handle that is there already gets these values instead of its own.

\b
Example:
  idnode register 88.118.8/abc --value "1:URL=https://example.cn/abc" --value "名称=减速机" """,
        """注册标识 HANDLE 及其值;已存在的标识以新值替换原值。

\b
示例:
  idnode register 88.118.8/abc --value "1:URL=https://example.cn/abc" --value "名称=减速机" """,
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
@data_dir_option
@json_option
def register(name: str, spellings: tuple[str, ...], data_dir: str | None, *, is_json: bool) -> None:
    """Store one record."""
    record = HandleRecord.of(parse_new_handle(name), parse_values(spellings))
    outcome = asyncio.run(_put(register_url(data_dir), record))
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
