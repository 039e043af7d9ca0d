"""The node's own processes, as the supervisor starts them: workers that resolve, and the admin process.

Each gets the settings, secrets included, through its standard input, where no listing of processes shows them.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from signal import SIGKILL, SIGTERM
from typing import Final

from prometheus_client import multiprocess

import node
from node.child import end_child, start_child
from node.errors import NodeError, Text
from node.layout import metrics_folder
from node.metrics_files import make_metrics_folder
from node.settings import ENVIRONMENT_PREFIX, Settings
from node.status_board import StatusBoard, WorkerState

KILL_AFTER_SECONDS: Final = 3.0
"""A process that has not ended this long after its time to drain is hanging."""

ADMIN_STOP_SECONDS: Final = 3.0
READY_SECONDS: Final = 30.0
POLL_SECONDS: Final = 0.02
CODE_FOLDER: Final = Path(node.__file__).resolve().parent.parent


class PythonProcess:
    """One of our modules, running as a process that dies with this one."""

    def __init__(self, module: str, arguments: tuple[str, ...], settings: Settings, stop_seconds: float) -> None:
        self._command = (sys.executable, "-P", "-m", module, *arguments)
        self._settings = settings
        self._stop_seconds = stop_seconds
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int | None:
        """The process id, None before the start."""
        return self._process.pid if self._process else None

    @property
    def has_ended(self) -> bool:
        """Whether it was started and is no more."""
        return self._process is not None and self._process.returncode is not None

    async def start(self) -> None:
        """Start the process and hand it its settings.

        Raises:
            NodeError: there is no place for its metrics.
            OSError: it cannot be started, or ended before it had read them.
        """
        self._process = await start_child(
            self._command,
            on_parent_death=SIGKILL,  # nobody is left to watch a drain, and the next supervisor wants the ports
            environment=_environment(self._settings),
            stdin=asyncio.subprocess.PIPE,
        )
        stdin = self._process.stdin
        if stdin is not None:
            stdin.write(self._settings.to_json())
            async with asyncio.timeout(READY_SECONDS):
                await stdin.drain()
            stdin.close()

    async def wait(self) -> int:
        """Wait until it has ended and return its exit status; negative = ended by that signal."""
        if self._process is None:
            raise RuntimeError("the process was not started")
        return await self._process.wait()

    async def stop(self) -> None:
        """Ask it to end; kill it when its time is over."""
        if self._process is not None:
            await end_child(self._process, ((SIGTERM, self._stop_seconds), (SIGKILL, KILL_AFTER_SECONDS)))


class WorkerProcess(PythonProcess):
    """A worker with its place on the status board."""

    def __init__(self, settings: Settings, board: StatusBoard, state: WorkerState) -> None:
        """Claim a place on the board, in `state` until the worker says that it is ready."""
        self._board = board
        self._place = board.claim(state)
        self._has_place = True
        stop_seconds = settings.drain_seconds + KILL_AFTER_SECONDS
        super().__init__("node.worker", (str(self._place),), settings, stop_seconds)

    async def wait_until_ready(self) -> None:
        """Wait until the worker serves.

        Raises:
            NodeError: it ended, or is not ready within READY_SECONDS.
        """
        now = asyncio.get_running_loop().time
        deadline = now() + READY_SECONDS
        while self._board.state(self._place) is not WorkerState.READY:
            if self.has_ended or now() > deadline:
                raise NodeError(
                    Text(f"worker {self.pid} does not become ready", f"工作进程 {self.pid} 未能就绪"),
                    Text("see what it logged above", "请查看上方日志"),
                )
            await asyncio.sleep(POLL_SECONDS)

    async def wait(self) -> int:
        """Wait until it has ended and return its exit status. A place that was not given up stays expected."""
        status = await super().wait()
        if self._has_place:
            self._board.set_state(self._place, WorkerState.EXPECTED)
        if self.pid is not None:
            multiprocess.mark_process_dead(self.pid, str(metrics_folder(self._settings.data_dir)))  # type: ignore[no-untyped-call]
        return status

    async def stop(self) -> None:
        """Give up the place: let the worker drain, if it has not ended already. The second time only wait for that."""
        gives_up, self._has_place = self._has_place, False
        await super().stop()
        if gives_up:
            self._board.set_state(self._place, WorkerState.ABSENT)


class AdminProcess(PythonProcess):
    """The process behind the admin port."""

    def __init__(self, settings: Settings) -> None:
        super().__init__("node.admin_process", (), settings, ADMIN_STOP_SECONDS)

    async def start(self) -> None:
        """Start it and wait until its port accepts connections.

        Raises:
            NodeError: it does not within READY_SECONDS.
            OSError: it cannot be started.
        """
        await super().start()
        now = asyncio.get_running_loop().time
        deadline = now() + READY_SECONDS
        while not await self._accepts():
            if self.has_ended or now() > deadline:
                raise NodeError(
                    Text("the admin process does not become ready", "管理进程未能就绪"),
                    Text("see what it logged above", "请查看上方日志"),
                )
            await asyncio.sleep(POLL_SECONDS)

    async def _accepts(self) -> bool:
        try:
            async with asyncio.timeout(1.0):
                _, writer = await asyncio.open_connection(
                    self._settings.reachable_admin_address, self._settings.admin_port
                )
        except (OSError, TimeoutError):
            return False
        writer.close()
        return True


def _environment(settings: Settings) -> dict[str, str]:
    """What the process inherits: all but our own settings, which it gets whole; and where its metrics go."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(ENVIRONMENT_PREFIX)}
    return inherited | {
        "PYTHONPATH": str(CODE_FOLDER),
        "PROMETHEUS_MULTIPROC_DIR": str(make_metrics_folder(settings.data_dir)),
    }
