"""A node as a program: started with an empty data directory on free ports, spoken to by its command line."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.request import urlopen

from load_tests import processes

START_SECONDS: Final = 120.0
STOP_SECONDS: Final = 60.0
COMMAND_SECONDS: Final = 600.0
HTTP_SECONDS: Final = 10.0
POLL_SECONDS: Final = 0.05
LOOPBACK: Final = "127.0.0.1"
CODE_FOLDER: Final = Path(__file__).resolve().parent.parent


class NodeFailed(Exception):
    """The node does not start, or one of its commands ended with an error."""


@dataclass(frozen=True, slots=True)
class NodeProgram:
    """A node that runs.

    Attributes:
        log: what it says on standard error.
    """

    pid: int
    data_dir: Path
    handle_port: int
    http_port: int
    admin_port: int
    log: Path

    @classmethod
    @contextmanager
    def start(cls, settings: Mapping[str, str] | None = None) -> Iterator[NodeProgram]:
        """Start a node with one worker, and stop it and remove what it has written when the block is left.

        Args:
            settings: further settings, as they stand in the environment (IDNODE_CACHE_OCTETS).

        Raises:
            NodeFailed: it is not ready within START_SECONDS.
        """
        folder = Path(tempfile.mkdtemp(prefix="idnode-bench-"))
        folder.chmod(0o755)  # The account of the bundled Postgres goes through it.
        handle_port, http_port, admin_port = _free_ports(3)
        environment = _environment(folder / "data", handle_port, http_port, admin_port) | dict(settings or {})
        log = folder / "node.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                (sys.executable, "-m", "node", "serve"),
                cwd=CODE_FOLDER, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            )  # fmt: skip
        node = cls(process.pid, folder / "data", handle_port, http_port, admin_port, log)
        try:
            node._wait_until_ready(process)
            yield node
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP_SECONDS)
            finally:
                process.kill()
                shutil.rmtree(folder, ignore_errors=True)

    @property
    def native_address(self) -> tuple[str, int]:
        """Where it answers over UDP and TCP."""
        return LOOPBACK, self.handle_port

    @property
    def http_address(self) -> tuple[str, int]:
        """Where it answers over HTTP."""
        return LOOPBACK, self.http_port

    @property
    def database_url(self) -> str:
        """Where its Postgres is, from the file that tells commands where the node is."""
        url: str = json.loads((self.data_dir / "run" / "node.json").read_bytes())["database_url"]
        return url

    @property
    def worker(self) -> int:
        """The process that resolves."""
        (worker,) = (pid for pid in processes.descendants(self.pid) if "node.worker" in processes.command_line(pid))
        return worker

    @property
    def postgres(self) -> list[int]:
        """The processes of its Postgres, as they are now: one for each connection, and some of its own."""
        return [pid for pid in processes.descendants(self.pid) if "postgres" in processes.command_line(pid)]

    def command(self, *arguments: str) -> str:
        """Run a command of the node to its end and return what it printed.

        Raises:
            NodeFailed: it ended with an error.
        """
        done = subprocess.run(
            (sys.executable, "-m", "node", *arguments),
            cwd=CODE_FOLDER, env=_environment(self.data_dir, self.handle_port, self.http_port, self.admin_port),
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=COMMAND_SECONDS, check=False,
        )  # fmt: skip
        if done.returncode:
            raise NodeFailed(f"{arguments}: {done.stdout}{done.stderr}")
        return done.stdout

    def metric(self, name: str) -> float:
        """Return a number from the metrics that the node shows, of all workers together."""
        with urlopen(f"http://{LOOPBACK}:{self.admin_port}/metrics", timeout=HTTP_SECONDS) as page:
            lines = page.read().decode().splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.partition("{")[0].split(" ")[0] == name)

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not (self.data_dir / "run" / "node.json").exists():
            if process.poll() is not None or time.monotonic() > deadline:
                raise NodeFailed(self.log.read_text(errors="replace"))
            time.sleep(POLL_SECONDS)


def _environment(data_dir: Path, handle_port: int, http_port: int, admin_port: int) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("IDNODE_")} | {
        "IDNODE_DATA_DIR": str(data_dir),
        "IDNODE_BIND": LOOPBACK,
        "IDNODE_HANDLE_PORT": str(handle_port),
        "IDNODE_HTTP_PORT": str(http_port),
        "IDNODE_ADMIN_PORT": str(admin_port),
        "IDNODE_WORKERS": "1",
    }


def _free_ports(count: int) -> Sequence[int]:
    """Return ports that nobody listens on; free for UDP as a rule, too."""
    listeners = [socket.create_server((LOOPBACK, 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports
