"""`idnode history`: what some identities changed over the wire since a time, listed and undone."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Final

import click

from node.cli.language import say, words
from node.cli.names import parse_reference
from node.cli.options import data_dir_option, json_option, register_url
from node.cli.value_text import visible
from node.errors import ExitStatus, Text, WrongUse
from node.register import open_register
from registry.history import HistoryReader, Undoing, UndoResult

RESULTS: Final = {
    UndoResult.RESTORED: Text("restored", "已恢复"),
    UndoResult.SAME: Text("the same already", "无需恢复"),
    UndoResult.CONFLICT: Text("changed by somebody else since then, left as it is", "此后已被他人修改,保持原样"),
}


@click.command(
    help=words(
        """List what an identity changed since a time; --undo gives these records their former values back.

Suspend its prefix first, so that it changes nothing more, and take its key away afterwards: a record that anybody
else changed later is left as it is. Several identities are one party: a thief's own keys belong to it, too.

\b
Example:
  idnode history --by 300:0.NA/88.118.8 --since 2026-11-25T08:00
  idnode history --by 300:0.NA/88.118.8 --since 2026-11-25T08:00 --undo
  idnode history --by 300:0.NA/88.118.8 --by 302:0.NA/88.118.8 --since 2026-11-25 --undo""",
        """列出某一身份自某时刻以来的全部变更;--undo 将这些记录恢复为变更前的值。

请先暂停其前缀,以免继续变更;恢复之后再移除其密钥:此后又经他人修改的记录保持原样。
多个身份视为同一方:窃用者自行添加的密钥也应一并指定。

\b
示例:
  idnode history --by 300:0.NA/88.118.8 --since 2026-11-25T08:00
  idnode history --by 300:0.NA/88.118.8 --since 2026-11-25T08:00 --undo
  idnode history --by 300:0.NA/88.118.8 --by 302:0.NA/88.118.8 --since 2026-11-25 --undo""",
    ),
)
@click.option(
    "--by",
    "identities",
    required=True,
    multiple=True,
    metavar="INDEX:HANDLE",
    help=words("Whose changes; may be repeated.", "变更者的身份,可多次指定。"),
)
@click.option(
    "--since",
    "moment",
    required=True,
    metavar="TIME",
    help=words("From when on; local time unless it says which.", "起始时间;未注明时区则为本地时间。"),
)
@click.option("--undo", "undoes", is_flag=True, help=words("Undo them.", "撤销这些变更。"))
@data_dir_option
@json_option
def history(identities: tuple[str, ...], moment: str, data_dir: str | None, *, undoes: bool, is_json: bool) -> int:
    """List or undo changes."""
    by, since, url = [str(parse_reference(each)) for each in identities], _read_time(moment), register_url(data_dir)
    if not undoes:
        if not asyncio.run(_list(url, by, since, is_json=is_json)):
            click.echo(
                words(f"no changes by {', '.join(by)} since {moment}", f"{', '.join(by)} 自 {moment} 以来没有变更"),
                err=True,
            )
        return ExitStatus.OK
    conflicts = asyncio.run(_undo(url, by, since, is_json=is_json))
    return ExitStatus.FAILED if conflicts else ExitStatus.OK


def _read_time(text: str) -> float:
    """Return Unix seconds; local time unless the text says which.

    Raises:
        WrongUse: it is no time.
    """
    try:
        return datetime.fromisoformat(text).astimezone().timestamp()
    except (ValueError, OverflowError):
        raise WrongUse(
            Text(f"{text} is no time", f"{text} 不是时间"),
            Text("write it like 2026-11-25T08:00", "格式如 2026-11-25T08:00"),
        ) from None


async def _list(url: str, by: Sequence[str], since: float, *, is_json: bool) -> int:
    """List changes, and return how many there were."""
    count = 0
    async with open_register(url, is_read_only=True) as database:
        async for entry in HistoryReader(database).walk(by, since):
            count += 1
            at = datetime.fromtimestamp(entry.at).astimezone().isoformat(timespec="milliseconds")
            if is_json:
                was_there = entry.former_value_list is not None
                row = {"at": at, "handle": entry.handle.spelling, "revision": entry.revision, "wasThere": was_there}
                click.echo(json.dumps(row, ensure_ascii=False))
            else:
                click.echo(f"{at}  {visible(entry.handle.spelling)}  {words('revision', '修订号')} {entry.revision}")
    return count


async def _undo(url: str, by: Sequence[str], since: float, *, is_json: bool) -> int:
    counts: Counter[UndoResult] = Counter()
    async with open_register(url) as database:
        async for handle, result in Undoing(database).undo(by, since):
            counts[result] += 1
            if is_json:
                click.echo(json.dumps({"handle": handle.spelling, "result": result.value}, ensure_ascii=False))
            else:
                click.echo(f"{visible(handle.spelling)}: {say(RESULTS[result])}")
    return counts[UndoResult.CONFLICT]
