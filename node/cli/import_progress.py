"""How far an import is, how fast, and how long it will take: a bar on the terminal."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from node.cli.language import words
from node.input.importing import Tally


@contextmanager
def show_progress(octets: int) -> Iterator[Callable[[Tally], None]]:
    """Show a bar on standard error while the block runs, and give what moves it; `octets` is the file's length."""
    columns = (BarColumn(), TaskProgressColumn(), TextColumn("{task.description}"), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("", total=octets)
        started_at = time.monotonic()

        def note(tally: Tally) -> None:
            rate = round(tally.rows / max(time.monotonic() - started_at, 0.001))
            shown = words(f"{tally.rows} rows, {rate}/s", f"{tally.rows} 行,{rate} 行/秒")
            waiting = words("waiting for the database", "等待数据库")
            progress.update(bar, completed=tally.octets_read, description=waiting if tally.is_waiting else shown)

        yield note
