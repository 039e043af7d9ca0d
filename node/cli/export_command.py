"""`idnode export`: write handles to a file, one JSON object a line, as `idnode import` reads them."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from handle_protocol.handle import Prefix
from handle_protocol.json_form import record_to_json
from node.cli.language import words
from node.cli.options import data_dir_option, register_url
from node.register import open_register
from registry.records import RecordReader

NOTED_RECORDS: Final = 1_000
"""How many records pass between two movements of the progress bar."""


@click.command(
    help=words(
        """Write handles to FILE, or to standard output without one: one JSON object a line.

A file appears when it is complete, in the place of the one before.

\b
Example:
  idnode export handles.ndjson --prefix 88.118.8""",
        """将标识写入 FILE(省略则写到标准输出),每行一个 JSON 对象。

文件在完整写入后才出现,并替换原有文件。

\b
示例:
  idnode export handles.ndjson --prefix 88.118.8""",
    )
)
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--prefix", "name", metavar="P", help=words("Only handles below this prefix.", "仅此前缀下的标识。"))
@data_dir_option
def export(file: Path | None, name: str | None, data_dir: str | None) -> None:
    """Walk the register and write what it holds."""
    prefix = Prefix.parse(name) if name else None
    url = register_url(data_dir)
    if file is None:
        asyncio.run(_write(url, prefix, sys.stdout.buffer))
        return
    with whole_file(file) as output:
        count = asyncio.run(_write(url, prefix, output))
    click.echo(words(f"{count} handles written to {file}", f"已将 {count} 个标识写入 {file}"), err=True)


@contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """Give a file to write that takes the place of `path` when the block ends well, and vanishes otherwise."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.absolute().parent)
    unfinished = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as output:
            yield output
            output.flush()
            os.fsync(output.fileno())
        mask = os.umask(0)
        os.umask(mask)
        unfinished.chmod(0o666 & ~mask)
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


async def _write(url: str, prefix: Prefix | None, output: IO[bytes]) -> int:
    encode = msgspec.json.Encoder().encode
    count = 0
    async with open_register(url, is_read_only=True) as database:
        reader = RecordReader(database)
        total = await reader.estimate_count() if prefix is None else None
        with _progress(total) as note:
            async for record in reader.walk(prefix):
                output.write(encode(record_to_json(record)) + b"\n")
                count += 1
                if count % NOTED_RECORDS == 0:
                    note(count)
    return count


@contextmanager
def _progress(total: int | None) -> Iterator[Callable[[int], None]]:
    """Show a bar on a terminal, nothing elsewhere."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:
        task = progress.add_task(words("exporting", "正在导出"), total=total)
        yield lambda count: progress.update(task, completed=count)
