"""The bundled Postgres: made once, started, watched and stopped; it ends when the process that started it ends."""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
from collections.abc import Sequence
from pathlib import Path
from signal import SIGINT, SIGKILL, SIGQUIT, Signals
from typing import Final
from urllib.parse import quote

from node.child import end_child, start_child
from node.embedded.account import Account
from node.embedded.postgres_remains import clear_remains, is_postmaster_ready
from node.embedded.postgres_settings import DURABILITY, configuration, host_based_authentication, ident_map
from node.embedded.programs import PostgresPrograms, postgres_for, runnable_by
from node.embedded.server_log import ServerLog, server_failed
from node.embedded.socket_folder import socket_folder
from node.errors import EmbeddedServerError, Text

ROLE: Final = "idnode"
DATABASE: Final = "idnode"
SOCKET_NAME: Final = ".s.PGSQL.5432.lock"
"""The longer of the two names that Postgres puts beside each other."""

INITIALISE_SECONDS: Final = 120.0
START_SECONDS: Final = 300.0
"""After a crash Postgres first replays up to max_wal_size of log."""

RETRY_SECONDS: Final = 20.0
"""For how long a start is repeated while the last server's processes still hold its shared memory."""

STOP_SECONDS: Final[tuple[tuple[Signals, float], ...]] = ((SIGINT, 30.0), (SIGQUIT, 10.0), (SIGKILL, 10.0))
"""How it is asked to stop, one after the other: fast, at once (replays at the next start), by the kernel."""

POLL_SECONDS: Final = 0.02
STILL_HELD: Final = ("is still in use", "already exists")
"""How Postgres says that an earlier one has not quite gone: shared memory, lock file."""


class EmbeddedPostgres:
    """One Postgres below a node's data directory: data in postgres/, socket in run/, log in log/.

    Attributes:
        url: where to connect, once started.
    """

    def __init__(
        self, data_dir: Path, programs: PostgresPrograms | None = None, *, may_initialise: bool = True
    ) -> None:
        """Choose the programs and the account.

        Args:
            data_dir: the node's data directory, absolute.
            programs: which Postgres; None = the one that fits, see `postgres_for`.
            may_initialise: whether missing data means a new node. Below a running node it means a lost volume, and an
                empty database in its place would hide the real one.

        Raises:
            EmbeddedServerError: nothing fits the data that is there.
        """
        self._data_dir = data_dir
        self._may_initialise = may_initialise
        self._data = data_dir / "postgres"
        self._account = Account.choose()
        self._programs = programs or postgres_for(self._data)
        self._log = ServerLog(data_dir / "log" / "postgres.log")
        self._process: asyncio.subprocess.Process | None = None
        self.url = ""

    @property
    def pid(self) -> int | None:
        """The process id of the server, None before it was started."""
        return self._process.pid if self._process else None

    @property
    def major(self) -> int:
        """The version of the server, such as 18."""
        return self._programs.major

    async def start(self) -> None:
        """Make the data directory if there is none, start the server and wait until it accepts connections.

        Raises:
            EmbeddedServerError: it does not start, and the message holds its last words; or its data are gone.
            OSError: the data directory cannot be written.
        """
        is_new = not (self._data / "PG_VERSION").exists()
        if is_new and not self._may_initialise:
            raise _data_gone(self._data)
        self._account.open_way_through(self._data_dir)
        if is_new:
            await self._initialise()
        await clear_remains(self._data)
        folder = socket_folder(self._data_dir / "run", "postgres", SOCKET_NAME, self._account)
        self._configure(folder)
        await self._launch()
        self.url = f"postgresql://{ROLE}@/{DATABASE}?host={quote(str(folder))}"

    async def wait(self) -> int:
        """Wait until the server has ended. Return its exit status; negative = ended by that signal."""
        if self._process is None:
            raise RuntimeError("the server was not started")
        status = await self._process.wait()
        await self._log.close()
        return status

    async def stop(self) -> None:
        """Stop the server within its deadlines, softly first."""
        if self._process is None:
            return
        await end_child(self._process, STOP_SECONDS)
        await self._log.close()

    async def _initialise(self) -> None:
        """Run initdb beside the final place, then move: a start that is killed leaves no half data directory."""
        unfinished = self._data_dir / "postgres-unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        self._account.own(unfinished)
        self._account.check_reaches(unfinished)
        program = self._program("initdb")
        options = ("--no-instructions", "--no-sync", "--data-checksums", "--encoding=UTF8", "--locale=C.UTF-8")
        await self._run((program, "-D", unfinished, "-U", ROLE, "-A", "peer", *options))
        single = (self._program("postgres"), "--single", "-D", unfinished, "postgres")
        await self._run(single, f"CREATE DATABASE {DATABASE};\n")
        await self._run((program, "-D", unfinished, "--sync-only"))
        unfinished.rename(self._data)

    def _configure(self, folder: Path) -> None:
        accounts = (self._account.name, pwd.getpwuid(os.geteuid()).pw_name)
        for name, text in {
            "postgresql.conf": configuration(folder),
            "pg_hba.conf": host_based_authentication(),
            "pg_ident.conf": ident_map(accounts, ROLE),
        }.items():
            (self._data / name).write_text(text)

    async def _launch(self) -> None:
        """Start the server, again if need be while remains of the last one still stand in its way.

        Raises:
            EmbeddedServerError: it ended, or is not ready within START_SECONDS.
        """
        now = asyncio.get_running_loop().time
        retry_until = now() + RETRY_SECONDS
        while True:
            self._process = await self._spawn()
            deadline = now() + START_SECONDS
            while self._process.returncode is None and now() < deadline:
                if is_postmaster_ready(self._data, self._process.pid):
                    return
                await asyncio.sleep(POLL_SECONDS)
            await self.stop()
            is_still_held = any(words in line for line in self._log.last_lines[-3:] for words in STILL_HELD)
            if not is_still_held or now() > retry_until:
                raise server_failed(Text("Postgres does not start", "Postgres 无法启动"), self._log)
            await asyncio.sleep(10 * POLL_SECONDS)

    async def _spawn(self) -> asyncio.subprocess.Process:
        output = await self._log.open()
        durability = [option for name, value in DURABILITY.items() for option in ("-c", f"{name}={value}")]
        try:
            return await start_child(
                [self._program("postgres"), "-D", self._data, *durability],
                on_parent_death=SIGINT,
                identity=self._account.identity,
                environment=_environment(),
                output=output,
            )
        finally:
            os.close(output)

    async def _run(self, command: Sequence[str | Path], text: str = "") -> None:
        """Run one of Postgres' programs to its end, as the server's account."""
        output = await self._log.open()
        try:
            process = await start_child(
                command,
                on_parent_death=SIGKILL,
                identity=self._account.identity,
                environment=_environment(),
                stdin=asyncio.subprocess.PIPE,
                output=output,
            )
        finally:
            os.close(output)
        try:
            await asyncio.wait_for(process.communicate(text.encode()), INITIALISE_SECONDS)
        except TimeoutError:
            process.kill()
        status = await process.wait()
        await self._log.close()
        if status != 0:
            raise server_failed(Text("Postgres cannot be set up", "Postgres 无法初始化"), self._log)

    def _program(self, name: str) -> Path:
        return runnable_by(self._account, self._programs.folder / name, self._data_dir / "runtime")


def _data_gone(folder: Path) -> EmbeddedServerError:
    return EmbeddedServerError(
        Text(f"the database in {folder} is gone", f"{folder} 中的数据库已不存在"),
        Text(
            "bring the folder back (is its volume mounted?); or stop the node before starting anew",
            "请恢复该目录(检查其卷是否已挂载);若要重新开始,请先停止节点",
        ),
    )


def _environment() -> dict[str, str]:
    """Nothing of ours: PG* variables of an operator's shell must not reach the server."""
    return {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "TZ": "UTC"}
