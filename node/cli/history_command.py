"""`idnode history`: what one identity changed over the wire since a time, listed and undone."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from datetime import datetime
from typing import Final

import click

from handle_protocol.value import ValueReference
from node.cli.language import say, words
from node.cli.options import data_dir_option, json_option, register_url
from node.cli.value_text import visible
from node.errors import ExitStatus, Text
from node.register import open_register
from registry.history import HistoryReader, Undoing, UndoResult

RESULTS: Final = {
    UndoResult.RESTORED: Text("restored", "已恢复"),
    UndoResult.SAME: Text("the same already", "无需恢复"),
    UndoResult.CONFLICT: Text("changed by somebody else since then, left as it is", "此后已被他人修改,保持原样"),
}


@click.command(
    help=words(
        """List what the identity BY changed since a time; --undo gives these records their former values back.

Suspend its prefix first, so that it changes nothing more, and take its key away afterwards: a record that anybody
else changed later is left as it is.

\b
Example:
  idnode history --by 300:0.NA/88.118.8 --since 2026-11-25T08:00
  idnode history --by 300:0.NA/88.118.8 --since 2026-11-25T08:00 --undo""",
        """列出某一身份自某时刻以来的全部变更;--undo 将这些记录恢复为变更前的值。

请先暂停其前缀,以免继续变更;恢复之后再移除其密钥:此后又经他人修改的记录保持原样。

\b
示例:
  idnode history --by 300:0.NA/88.118.8 --since 2026-11-25T08:00
  idnode history --by 300:0.NA/88.118.8 --since 2026-11-25T08:00 --undo""",
    ),
)
@click.option("--by", "identity", required=True, metavar="INDEX:HANDLE", help=words("Whose changes.", "变更者的身份。"))
@click.option(
    "--since",
    required=True,
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"]),
    help=words("From when on; local time unless it says which.", "起始时间;未注明时区则为本地时间。"),
)
@click.option("--undo", "undoes", is_flag=True, help=words("Undo them.", "撤销这些变更。"))
@data_dir_option
@json_option
def history(identity: str, since: datetime, data_dir: str | None, *, undoes: bool, is_json: bool) -> int:
    """List or undo changes."""
    by, url = str(ValueReference.parse(identity)), register_url(data_dir)
    moment = since.astimezone().timestamp()
    if not undoes:
        asyncio.run(_list(url, by, moment, is_json=is_json))
        return ExitStatus.OK
    conflicts = asyncio.run(_undo(url, by, moment, is_json=is_json))
    return ExitStatus.FAILED if conflicts else ExitStatus.OK


async def _list(url: str, by: str, since: float, *, is_json: bool) -> None:
    async with open_register(url, is_read_only=True) as database:
        async for entry in HistoryReader(database).walk(by, since):
            at = datetime.fromtimestamp(entry.at).astimezone().isoformat(timespec="milliseconds")
            if is_json:
                was_there = entry.former_value_list is not None
                row = {"at": at, "handle": entry.handle.spelling, "revision": entry.revision, "wasThere": was_there}
                click.echo(json.dumps(row, ensure_ascii=False))
            else:
                click.echo(f"{at}  {visible(entry.handle.spelling)}  {words('revision', '修订号')} {entry.revision}")


async def _undo(url: str, by: str, since: float, *, is_json: bool) -> int:
    counts: Counter[UndoResult] = Counter()
    async with open_register(url) as database:
        async for handle, result in Undoing(database).undo(by, since):
            counts[result] += 1
            if is_json:
                click.echo(json.dumps({"handle": handle.spelling, "result": result.value}, ensure_ascii=False))
            else:
                click.echo(f"{visible(handle.spelling)}: {say(RESULTS[result])}")
    return counts[UndoResult.CONFLICT]
