"""`idnode import`: store the handles of a file."""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Final

import click

from node.cli.language import words
from node.cli.options import command_settings, data_dir_option, json_option, register_url
from node.cli.standard_streams import STANDARD, on_disk
from node.errors import ExitStatus
from node.input.encoding import Encoding
from node.input.errors_file import ErrorsFile
from node.input.importing import Import, Tally
from node.input.input_file import FileFormat, InputFile
from node.input.problems import RowError
from node.input.reading_process import read_in_process
from node.register import open_register
from registry.records import RecordStore

GARBAGE_THRESHOLD: Final = 100_000
"""Rows are many and have no cycles: looking for garbage among them seldom saves a twentieth of the time."""

ERRORS_SHOWN_MAX: Final = 5
"""The rest is in the file of errors."""

STANDARD_INPUT: Final = Path("stdin")
"""Under this name, in the current folder, the errors of standard input are kept."""


@click.command(
    "import",
    help=words(
        """Store the handles of FILE, or of standard input for -. Doing it twice changes nothing.

A CSV file is UTF-8 with commas and a header: first `handle`, then a column for each value, named type or index:type.
A column without an index gets the next free one from 1 on, in the order of the columns. Types ignore case: url and
email are stored as URL and EMAIL. An empty cell makes no value.

\b
  handle,url,2000:名称,2001:型号
  88.118.9/6205-2RS,https://example.cn/6205,深沟球轴承,6205-2RS

An NDJSON file has one object in each line, as Handle.Net's JSON has it: {"handle": …, "values": [ … ]}.

Good rows are stored also when others are bad; bad ones are listed with row and reason in FILE.errors.ndjson,
those of standard input in stdin.errors.ndjson.

\b
Example:
  idnode import products.csv
  idnode import --json products.ndjson

Exit status: 0 every row is stored, 1 some are not.""",
        """将 FILE(- 为标准输入)中的标识入库。重复执行不产生变化。

CSV 文件为 UTF-8 编码、逗号分隔,并带表头:第一列为 handle,其后每列一个值,列名为“类型”或“索引:类型”。
无索引的列按列序取 1 起的下一个空闲索引。类型不区分大小写:url、email 存为 URL、EMAIL。空单元格不产生值。

\b
  handle,url,2000:名称,2001:型号
  88.118.9/6205-2RS,https://example.cn/6205,深沟球轴承,6205-2RS

NDJSON 文件每行一个对象,格式同 Handle.Net 的 JSON:{"handle": …, "values": [ … ]}。

个别行有误时其余行照常入库;有误的行及原因列于 FILE.errors.ndjson(标准输入则为 stdin.errors.ndjson)。

\b
示例:
  idnode import products.csv
  idnode import --json products.ndjson

退出状态:0 全部入库,1 有行未入库。""",
    ),
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path, allow_dash=True))
@click.option(
    "--format",
    "file_format",
    type=click.Choice([each.value for each in FileFormat]),
    help=words("By the file's ending or content unless given.", "默认按文件扩展名或内容判断。"),
)
@click.option(
    "--encoding",
    type=click.Choice([each.value for each in Encoding], case_sensitive=False),
    help=words(
        "UTF-8, or GB18030 where the content shows it, unless given.", "默认 UTF-8;内容明显为 GB18030 时按其读取。"
    ),
)
@data_dir_option
@json_option
def import_file(
    file: Path, file_format: str | None, encoding: str | None, data_dir: str | None, *, is_json: bool
) -> ExitStatus:
    """Import a file and sum up."""
    rows = command_settings(data_dir).import_batch_rows
    url = register_url(data_dir)
    with on_disk(file) as path:
        opened = InputFile.open(
            path, FileFormat(file_format) if file_format else None, Encoding(encoding) if encoding else None
        )
        if opened.encoding is Encoding.GB18030 and not encoding:
            _say_gb18030()
        tally = Tally()
        started_at = time.monotonic()
        with ErrorsFile(STANDARD_INPUT if file == STANDARD else file) as errors:
            try:
                asyncio.run(_run(opened, url, rows, errors, tally, has_bar=not is_json and sys.stderr.isatty()))
            except BaseException:
                if tally.rows:
                    _sum_up(file, opened, tally, errors, time.monotonic() - started_at, is_json=is_json)
                raise
            _sum_up(file, opened, tally, errors, time.monotonic() - started_at, is_json=is_json)
    return ExitStatus.FAILED if tally.failed else ExitStatus.OK


async def _run(file: InputFile, url: str, rows: int, errors: ErrorsFile, tally: Tally, *, has_bar: bool) -> None:
    gc.set_threshold(GARBAGE_THRESHOLD)
    async with open_register(url) as database:
        with _progress(file.size) if has_bar else nullcontext(_tell_of_waiting()) as note_progress:
            run = Import(RecordStore(database), _note_errors_in(errors), note_progress, tally)
            await run.run(read_in_process(file, rows))


def _progress(octets: int) -> AbstractContextManager[Callable[[Tally], None]]:
    # rich takes a tenth of a second to import, and a script sees no bar.
    from node.cli.import_progress import show_progress  # noqa: PLC0415

    return show_progress(octets)


def _tell_of_waiting() -> Callable[[Tally], None]:
    """Return what says once that the import waits, for whoever sees no bar."""
    has_told = False

    def note(tally: Tally) -> None:
        nonlocal has_told
        if tally.is_waiting and not has_told:
            has_told = True
            click.echo(words("waiting for the database …", "等待数据库 …"), err=True)

    return note


def _note_errors_in(errors: ErrorsFile) -> Callable[[Sequence[RowError]], None]:
    """Return what keeps all errors in the file and shows the first few."""

    def note(found: Sequence[RowError]) -> None:
        for error in found[: max(ERRORS_SHOWN_MAX - errors.count, 0)]:
            place = words(f"row {error.row}", f"第{error.row}行") + (f", {error.field}" if error.field else "")
            click.echo(f"{place}: {words(error.reason, error.reason_zh)}", err=True)
        errors.write(found)

    return note


def _say_gb18030() -> None:
    text = words(
        "notice: the file is not UTF-8; it is read as GB18030. If that is wrong: --encoding utf-8",
        "注意:文件不是 UTF-8,按 GB18030 读取。若判断有误:--encoding utf-8",
    )
    click.echo(text, err=True)


def _sum_up(file: Path, opened: InputFile, tally: Tally, errors: ErrorsFile, seconds: float, *, is_json: bool) -> None:
    hidden = errors.count - ERRORS_SHOWN_MAX
    if hidden > 0:
        click.echo(words(f"… and {hidden} more in {errors.path}", f"… 另有 {hidden} 行见 {errors.path}"), err=True)
    summary = {
        "file": str(file),
        "format": opened.format.value,
        "encoding": opened.encoding.value,
        "rows": tally.rows,
        "created": tally.created,
        "changed": tally.changed,
        "same": tally.same,
        "failed": tally.failed,
        "seconds": round(seconds, 3),
        "errors_file": str(errors.path) if errors.count else None,
    }
    if is_json:
        click.echo(json.dumps(summary, ensure_ascii=False))
        return
    line = words(
        "{rows} rows in {seconds} s: {created} created, {changed} changed, {same} same, {failed} failed",
        "共 {rows} 行,用时 {seconds} 秒:新增 {created},更新 {changed},未变 {same},失败 {failed}",
    ).format_map(summary)
    click.echo(f"{line}; {errors.path}" if errors.count else line)
