"""`idnode export`: write handles to a file, one JSON object a line, as `idnode import` reads them."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from handle_protocol.handle import Prefix
from handle_protocol.json_form import record_to_json
from handle_protocol.record import HandleRecord
from node.cli.language import words
from node.cli.names import parse_prefix
from node.cli.options import data_dir_option, register_url
from node.cli.standard_streams import STANDARD
from node.errors import Text, WrongUse
from node.register import open_register
from registry.database import Database
from registry.prefixes import PrefixReader
from registry.records import RecordReader

NOTED_RECORDS: Final = 1_000
"""How many records pass between two movements of the progress bar."""


@click.command(
    help=words(
        """Write handles to FILE, or to standard output without one or with -: one JSON object a line.

A file appears when it is complete, in the place of the one before. Only its owner may read it: it holds secret keys.
With --prefix the records that describe the prefix itself and those derived from it (0.NA/...) are written too.

\b
Example:
  idnode export handles.ndjson --prefix 88.118.8""",
        """将标识写入 FILE(省略或为 - 则写到标准输出),每行一个 JSON 对象。

文件在完整写入后才出现,并替换原有文件。文件含有密钥,仅其所有者可读。
指定 --prefix 时,一并写出描述该前缀及其下级前缀的记录(0.NA/…)。

\b
示例:
  idnode export handles.ndjson --prefix 88.118.8""",
    )
)
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@click.option(
    "--prefix", "name", metavar="P", help=words("Only this prefix and the handles below it.", "仅此前缀及其下的标识。")
)
@data_dir_option
def export(file: Path | None, name: str | None, data_dir: str | None) -> None:
    """Walk the register and write what it holds."""
    prefix = parse_prefix(name) if name else None
    if file is None or file == STANDARD:
        count = asyncio.run(_write(register_url(data_dir), prefix, sys.stdout.buffer))
        click.echo(words(f"{count} handle{_plural(count)} written", f"已写出 {count} 个标识"), err=True)
        return
    _check_ending(file)
    url = register_url(data_dir)
    with whole_file(file) as output:
        count = asyncio.run(_write(url, prefix, output))
    click.echo(words(f"{count} handle{_plural(count)} written to {file}", f"已将 {count} 个标识写入 {file}"), err=True)


def _plural(count: int) -> str:
    return "" if count == 1 else "s"


def _check_ending(file: Path) -> None:
    """Refuse the name of a CSV file: an import would take it at its word."""
    if file.suffix.lower() == ".csv":
        better = file.with_suffix(".ndjson")
        raise WrongUse(
            Text("an export is NDJSON, not CSV", "导出格式为 NDJSON,不是 CSV"),
            Text(f"name the file so: idnode export {better}", f"请改用文件名:idnode export {better}"),
        )


@contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """Give a file to write that takes the place of `path` when the block ends well, and vanishes otherwise.

    Only its owner may read it: records hold secret keys (HS_SECKEY) and values that are not public.

    Raises:
        OSError: no file can be made there; it names `path`.
    """
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.absolute().parent)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None
    unfinished = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as output:
            yield output
            output.flush()
            os.fsync(output.fileno())
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


async def _write(url: str, prefix: Prefix | None, output: IO[bytes]) -> int:
    encode = msgspec.json.Encoder().encode
    count = 0
    async with open_register(url, is_read_only=True) as database:
        reader = RecordReader(database)
        if prefix is not None:
            await _note_if_foreign(database, prefix)
        total = await reader.estimate_count() if prefix is None else None
        with _progress(total) as note:
            async for record in _records(reader, prefix):
                output.write(encode(record_to_json(record)) + b"\n")
                count += 1
                if count % NOTED_RECORDS == 0:
                    note(count)
    return count


async def _records(reader: RecordReader, prefix: Prefix | None) -> AsyncIterator[HandleRecord]:
    if prefix is not None:
        async for record in reader.walk_prefix_handles(prefix):
            yield record
    async for record in reader.walk(prefix):
        yield record


async def _note_if_foreign(database: Database, prefix: Prefix) -> None:
    """Say so when no registered prefix is above or below `prefix`; a slip of the keyboard looks like that."""
    registered = [each.prefix for each in await PrefixReader(database).load()]
    if not any(prefix in each.lineage() or each in prefix.lineage() for each in registered):
        text = words(
            f"notice: the prefix {prefix} is not registered here; see: idnode prefix list",
            f"注意:前缀 {prefix} 未在本节点注册;查看已有前缀:idnode prefix list",
        )
        click.echo(text, err=True)


@contextmanager
def _progress(total: int | None) -> Iterator[Callable[[int], None]]:
    """Show a bar on a terminal, nothing elsewhere."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:
        task = progress.add_task(words("exporting", "正在导出"), total=total)
        yield lambda count: progress.update(task, completed=count)
