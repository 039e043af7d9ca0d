"""The bundled Valkey: a cache in memory on a Unix socket, nothing kept on disk; it ends when its starter ends."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from pathlib import Path
from signal import SIGKILL, SIGTERM, Signals
from typing import Final

from node.child import end_child, start_child
from node.embedded.account import Account
from node.embedded.programs import runnable_by, valkey_program
from node.embedded.server_log import ServerLog, server_failed
from node.embedded.socket_folder import socket_folder
from node.errors import Text

SOCKET_NAME: Final = "valkey.sock"
MEMORY_MEBIBYTES_MAX: Final = 256
"""A second cache behind each worker's own; beyond this the least recently used go."""

SETTINGS: Final = (
    ("port", "0"),
    ("unixsocketperm", "700"),
    ("save", ""),
    ("appendonly", "no"),
    ("maxmemory", f"{MEMORY_MEBIBYTES_MAX}mb"),
    ("maxmemory-policy", "allkeys-lru"),
)

START_SECONDS: Final = 10.0
STOP_SECONDS: Final[tuple[tuple[Signals, float], ...]] = ((SIGTERM, 5.0), (SIGKILL, 5.0))
POLL_SECONDS: Final = 0.02


class EmbeddedValkey:
    """One Valkey below a node's data directory: socket in run/, log in log/.

    Attributes:
        url: where to connect, once started.
    """

    def __init__(self, data_dir: Path) -> None:
        """Choose the program and the account.

        Raises:
            EmbeddedServerError: no Valkey is installed.
        """
        self._data_dir = data_dir
        self._account = Account.choose()
        self._installed = valkey_program()
        self._log = ServerLog(data_dir / "log" / "valkey.log")
        self._process: asyncio.subprocess.Process | None = None
        self.url = ""

    @property
    def pid(self) -> int | None:
        """The process id of the server, None before it was started."""
        return self._process.pid if self._process else None

    async def start(self) -> None:
        """Start the server and wait until it answers.

        Raises:
            EmbeddedServerError: it does not start; the message holds its last words.
            OSError: the data directory cannot be written.
        """
        self._account.open_way_through(self._data_dir)
        program = runnable_by(self._account, self._installed, self._data_dir / "runtime")
        folder = socket_folder(self._data_dir / "run", "valkey", SOCKET_NAME, self._account)
        self._account.check_reaches(folder)
        settings = [word for name, value in SETTINGS for word in (f"--{name}", value)]
        output = await self._log.open()
        try:
            self._process = await start_child(
                [program, "--unixsocket", folder / SOCKET_NAME, "--dir", folder, *settings],
                on_parent_death=SIGKILL,  # nothing in it is worth a farewell
                identity=self._account.identity,
                environment={"PATH": os.defpath, "LC_ALL": "C.UTF-8"},
                output=output,
            )
        finally:
            os.close(output)
        await self._wait_until_it_answers(self._process, folder / SOCKET_NAME)
        self.url = f"unix://{folder / SOCKET_NAME}"

    async def wait(self) -> int:
        """Wait until the server has ended. Return its exit status; negative = ended by that signal."""
        if self._process is None:
            raise RuntimeError("the server was not started")
        status = await self._process.wait()
        await self._log.close()
        return status

    async def stop(self) -> None:
        """Stop the server within its deadlines, softly first."""
        if self._process is not None:
            await end_child(self._process, STOP_SECONDS)
            await self._log.close()

    async def _wait_until_it_answers(self, process: asyncio.subprocess.Process, socket_path: Path) -> None:
        now = asyncio.get_running_loop().time
        deadline = now() + START_SECONDS
        while process.returncode is None and now() < deadline:
            if await _answers(socket_path):
                return
            await asyncio.sleep(POLL_SECONDS)
        await self.stop()
        raise server_failed(Text("Valkey does not start", "Valkey 无法启动"), self._log)


async def _answers(socket_path: Path) -> bool:
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(1.0):
            reader, writer = await asyncio.open_unix_connection(socket_path)
            writer.write(b"PING\r\n")
            answer = await reader.readline()
            writer.close()
            return answer == b"+PONG\r\n"
    return False
