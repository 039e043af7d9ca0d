"""One supervisor for one data directory: a lock that the kernel frees when its holder dies."""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO, Final

from node.errors import NodeError, Text
from node.layout import lock_file

WAIT_SECONDS: Final = 3.0
"""For the moment in which a killed supervisor still dies."""

POLL_SECONDS: Final = 0.1


@asynccontextmanager
async def hold_data_dir(data_dir: Path) -> AsyncIterator[None]:
    """Be the one supervisor of `data_dir`, which is made if it is missing.

    Raises:
        NodeError: another one runs there, or the directory cannot be written.
    """
    path = lock_file(data_dir)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a+")
    except OSError as error:
        raise _unwritable(data_dir, error) from error
    with file:
        await _lock(data_dir, file)
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


async def _lock(data_dir: Path, file: IO[str]) -> None:
    now = asyncio.get_running_loop().time
    deadline = now() + WAIT_SECONDS
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if now() > deadline:
                file.seek(0)
                raise _is_held(data_dir, file.read().strip()) from None
            await asyncio.sleep(POLL_SECONDS)
        else:
            return


def _is_held(data_dir: Path, holder: str) -> NodeError:
    return NodeError(
        Text(f"a node already runs in {data_dir} (process {holder})", f"{data_dir} 中已有节点在运行(进程 {holder})"),
        Text(
            f"stop it with: kill {holder}; or choose another directory with --data-dir",
            f"请先停止:kill {holder};或用 --data-dir 指定其他目录",
        ),
    )


def _unwritable(data_dir: Path, error: OSError) -> NodeError:
    return NodeError(
        Text(f"cannot write to {data_dir}: {error.strerror}", f"无法写入 {data_dir}:{error.strerror}"),
        Text("choose another directory with --data-dir", "请用 --data-dir 指定其他目录"),
    )
