"""A bundled server's log: bounded on disk, its last words at hand."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from node.embedded.server_log import LINES_REMEMBERED, ServerLog


async def print_to(log: ServerLog, text: str) -> None:
    """Print as a server would, and end."""
    descriptor = await log.open()
    os.write(descriptor, text.encode())
    os.close(descriptor)
    await log.close()


async def test_what_a_server_prints_is_in_the_file_and_its_last_words_are_remembered(tmp_path: Path) -> None:
    log = ServerLog(tmp_path / "log" / "postgres.log")
    await print_to(log, "启动\n结束\n")
    await print_to(log, "".join(f"{number}\n" for number in range(100)))
    assert log.path.read_text().startswith("启动\n结束\n0\n")
    assert log.last_lines == tuple(str(number) for number in range(100 - LINES_REMEMBERED, 100))


async def test_a_log_never_takes_more_than_twice_its_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("node.embedded.server_log.LOG_OCTETS_MAX", 100)
    log = ServerLog(tmp_path / "postgres.log")
    for number in range(10):
        await print_to(log, f"{number}" * 60 + "\n")
    assert log.path.read_text() == "9" * 60 + "\n"
    assert log.path.with_name("postgres.log.1").read_text() == "8" * 60 + "\n"
