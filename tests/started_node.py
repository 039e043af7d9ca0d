"""A node as its operator starts it: a program with workers, a Postgres, ports and a data directory of its own."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from load_tests.processes import command_line, descendants
from node.running import find_running_node

ROOT = Path(__file__).resolve().parents[1]
LOOPBACK = "127.0.0.1"

START_SECONDS = 90.0
STOP_SECONDS = 40.0
COMMAND_SECONDS = 100.0
POLL_SECONDS = 0.02


@dataclass
class StartedNode:
    """A node that runs, or did.

    Attributes:
        output: what supervisor, workers and admin process print.
        settings: beside ports and workers, as they stand in the environment (IDNODE_CACHE_OCTETS).
        command: serve or demo.
        python: what runs the program.
    """

    data_dir: Path
    output: Path
    handle_port: int
    http_port: int
    admin_port: int
    workers_count: int = 2
    settings: Mapping[str, str] = field(default_factory=dict)
    command: str = "serve"
    python: str = sys.executable
    process: subprocess.Popen[bytes] = field(init=False)

    @classmethod
    @contextmanager
    def run(
        cls,
        data_dir: Path,
        settings: Mapping[str, str] | None = None,
        *,
        workers: int = 2,
        command: str = "serve",
        python: str = sys.executable,
    ) -> Iterator[StartedNode]:
        """Start a node below `data_dir`, which its Postgres must be able to reach, and stop it afterwards."""
        node = cls(data_dir, data_dir / "output", *free_ports(3), workers, settings or {}, command, python)
        node.launch()
        try:
            node.wait_until_ready()
            yield node
        finally:
            node.stop()

    def start(self) -> None:
        """Start the program, for the first time or again, and wait until all its workers serve."""
        self.launch()
        self.wait_until_ready()

    def launch(self) -> None:
        """Start the program without waiting for anything."""
        self.data_dir.mkdir(exist_ok=True)
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                (self.python, "-m", "node", self.command),
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    def wait_until_ready(self, seconds: float = START_SECONDS) -> None:
        """Wait until every worker serves and commands find the node."""
        wait_until(lambda: self.process.poll() is not None or self.is_ready(), seconds, self.printed)
        assert self.process.poll() is None, self.printed()

    def is_ready(self) -> bool:
        """Tell whether this very process says that all its workers serve."""
        running = find_running_node(self.data_dir)
        if running is None or running.pid != self.process.pid:
            return False
        try:
            return self.get(self.admin_port, "/healthz/ready")[0] == 200
        except OSError:
            return False

    def stop(self) -> int:
        """Stop the node as an operator does; return its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(STOP_SECONDS)
        finally:
            self.process.kill()

    def printed(self) -> str:
        """Return what the node has printed so far."""
        return self.output.read_text(encoding="utf-8", errors="replace")

    @property
    def environment(self) -> dict[str, str]:
        """What the program and its commands are told."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("IDNODE_")}
        return inherited | {
            "IDNODE_DATA_DIR": str(self.data_dir),
            "IDNODE_BIND": LOOPBACK,
            "IDNODE_HANDLE_PORT": str(self.handle_port),
            "IDNODE_HTTP_PORT": str(self.http_port),
            "IDNODE_ADMIN_PORT": str(self.admin_port),
            "IDNODE_WORKERS": str(self.workers_count),
            **self.settings,
        }

    @property
    def address(self) -> tuple[str, int]:
        """Where it answers over UDP and TCP."""
        return LOOPBACK, self.handle_port

    @property
    def site(self) -> str:
        """Where it answers over HTTP."""
        return f"http://{LOOPBACK}:{self.http_port}"

    @property
    def database_url(self) -> str:
        """Where its Postgres is."""
        url: str = json.loads((self.data_dir / "run" / "node.json").read_bytes())["database_url"]
        return url

    @property
    def workers(self) -> list[int]:
        """The processes that resolve, as they are now."""
        return self._children("node.worker")

    @property
    def postmaster(self) -> int:
        """The first process of its Postgres."""
        return int((self.data_dir / "postgres" / "postmaster.pid").read_text().splitlines()[0])

    @property
    def postgres(self) -> list[int]:
        """All processes of its Postgres, the first one first."""
        return [self.postmaster, *descendants(self.postmaster)]

    def idnode(self, *words: str, seconds: float = COMMAND_SECONDS) -> subprocess.CompletedProcess[str]:
        """Run a command of the node to its end."""
        return subprocess.run(
            (sys.executable, "-m", "node", *words, "--data-dir", str(self.data_dir)),
            cwd=ROOT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )

    @contextmanager
    def begun(self, *words: str) -> Iterator[subprocess.Popen[str]]:
        """Start a command of the node, and kill it if it still runs when the block is left."""
        with subprocess.Popen(
            (sys.executable, "-m", "node", *words, "--data-dir", str(self.data_dir)),
            cwd=ROOT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as command:
            try:
                yield command
            finally:
                command.kill()

    @staticmethod
    def get(port: int, path: str, seconds: float = 5.0) -> tuple[int, str]:
        """Ask one of the node's web doors; return status and body.

        Raises:
            OSError: there is no answer in time.
        """
        connection = http.client.HTTPConnection(LOOPBACK, port, timeout=seconds)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read().decode()
        except http.client.HTTPException as error:
            raise ConnectionError(str(error)) from error
        finally:
            connection.close()

    def metric(self, name: str) -> float:
        """Return a number from the metrics, of all workers and labels together; at most a second old."""
        lines = self.get(self.admin_port, "/metrics")[1].splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.partition("{")[0].split(" ")[0] == name)

    def _children(self, words: str) -> list[int]:
        return [pid for pid in descendants(self.process.pid) if words in _command_line(pid)]


def free_ports(count: int) -> list[int]:
    """Return ports that are free now for TCP and for UDP."""
    ports: list[int] = []
    with ExitStack() as held:
        while len(ports) < count:
            stream = held.enter_context(socket.socket())
            stream.bind((LOOPBACK, 0))
            datagrams = held.enter_context(socket.socket(type=socket.SOCK_DGRAM))
            port = stream.getsockname()[1]
            try:
                datagrams.bind((LOOPBACK, port))
            except OSError:
                continue
            ports.append(port)
    return ports


def wait_until(statement: Callable[[], bool], seconds: float, explain: Callable[[], str] = str) -> float:
    """Wait until a statement is true; return how many seconds that took."""
    began_at = time.monotonic()
    while not statement():
        assert time.monotonic() - began_at < seconds, f"not true after {seconds} s {explain()}"
        time.sleep(POLL_SECONDS)
    return time.monotonic() - began_at


async def until(statement: Callable[[], bool], seconds: float) -> None:
    """Wait until a statement is true, and let others go on meanwhile. Raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while not statement():  # noqa: ASYNC110 - what is waited for happens in other processes
            await asyncio.sleep(POLL_SECONDS)


def lives(pid: int) -> bool:
    """Tell whether a process runs; one that has ended and that nobody has asked after does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _command_line(pid: int) -> str:
    try:
        return command_line(pid)
    except OSError:  # It has just ended.
        return ""
