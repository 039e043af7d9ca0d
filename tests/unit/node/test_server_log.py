"""A bundled server's log: bounded on disk, its last words at hand."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from node.embedded.server_log import LINES_REMEMBERED, ServerLog
from tests.started_node import until


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


async def print_much(log: ServerLog, *, after_opening: Callable[[], object] = tuple) -> int | None:
    """Let a process print a megabyte, sixteen times what a pipe holds; return its exit status, None = it stands."""
    descriptor = await log.open()
    after_opening()
    words = ("head", "--bytes=1000000", "/dev/zero")
    printing = await asyncio.create_subprocess_exec(*words, stdout=descriptor)
    os.close(descriptor)
    try:
        return await asyncio.wait_for(printing.wait(), 5.0)
    except TimeoutError:
        printing.kill()
        return None
    finally:
        await log.close()


async def test_a_server_never_waits_for_a_full_disk() -> None:
    assert await print_much(ServerLog(Path("/dev/full"))) == 0


async def test_a_server_never_waits_for_a_folder_that_is_gone(tmp_path: Path) -> None:
    log = ServerLog(tmp_path / "log" / "postgres.log")
    assert await print_much(log, after_opening=lambda: shutil.rmtree(log.path.parent)) == 0


async def test_a_log_goes_on_when_its_folder_is_back(tmp_path: Path) -> None:
    log = ServerLog(tmp_path / "log" / "postgres.log")
    descriptor = await log.open()
    log.path.parent.rmdir()
    os.write(descriptor, "丢失\n".encode())
    await until(lambda: bool(log.last_lines), 5.0)
    log.path.parent.mkdir()
    os.write(descriptor, "恢复\n".encode())
    os.close(descriptor)
    await log.close()
    assert log.path.read_text() == "恢复\n"
