"""A whole node as processes: what dies comes back, what must stop stops in order, nothing survives the supervisor."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import pytest

from node.layout import SHARED_MEMORY, board_file, metrics_folder
from node.status_board import StatusBoard

WAIT_SECONDS = 60.0
"""Longer than anything takes on a machine that does much else; then something hangs."""

RESTART_SECONDS_MAX = 2.0
"""After this long a worker that was killed has been started again (its imports not counted)."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def status_of(url: str) -> int:
    try:
        with urllib.request.urlopen(quote(url, safe=":/"), timeout=2) as answer:  # noqa: S310 - our own node
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        refused.close()
        return refused.code
    except OSError:
        return 0


def wait_until(statement: Callable[[], object]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not statement():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.02)


@dataclass
class Node:
    """A node that was started by its command, and what it logged."""

    data_dir: Path
    environment: dict[str, str] = field(default_factory=dict)
    handle_port: int = field(default_factory=free_port)
    http_port: int = field(default_factory=free_port)
    admin_port: int = field(default_factory=free_port)

    def start(self) -> None:
        self.log = (self.data_dir / "node.log").open("a+")
        self.process = subprocess.Popen(self.command(), env=self.whole_environment(), stderr=self.log)

    def command(self) -> list[str]:
        options = {
            "data-dir": self.data_dir,
            "bind": "127.0.0.1",
            "handle-port": self.handle_port,
            "http-port": self.http_port,
            "admin-port": self.admin_port,
        }
        words = [f"--{name}={value}" for name, value in options.items()]
        return [sys.executable, "-m", "node", "serve", *words]

    def whole_environment(self) -> dict[str, str]:
        return os.environ | {"IDNODE_DRAIN_SECONDS": "5", "IDNODE_LOG_FORMAT": "json"} | self.environment

    def events(self, name: str) -> list[dict[str, object]]:
        lines = (self.data_dir / "node.log").read_text().splitlines()
        events = [json.loads(line) for line in lines if line.startswith("{")]
        return [event for event in events if event["event"] == name]

    def pids(self, kept: str) -> list[int]:
        """Return the processes of that kind that live, oldest first."""
        started = [event["pid"] for event in self.events("process_started") if event["kept"] == kept]
        return [pid for pid in started if isinstance(pid, int) and lives(pid)]

    def refused_over_http(self) -> float:
        """Return how many questions for foreign handles over HTTP the metrics of all processes count."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.admin_port}/metrics", timeout=5) as answer:
            lines = answer.read().decode().splitlines()
        counted = 'idnode_resolutions_total{door="http",outcome="not_responsible"}'
        return sum(float(line.split()[-1]) for line in lines if line.startswith(counted))

    def is_ready(self) -> bool:
        return status_of(f"http://127.0.0.1:{self.http_port}/healthz/ready") == 200

    def wait_until_ready(self) -> None:
        wait_until(lambda: self.events("node_ready") and self.is_ready())

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "node", *words, "--data-dir", str(self.data_dir)],
            env=self.whole_environment(),
            capture_output=True,
            text=True,
            check=False,
        )

    def stop(self) -> int:
        """Stop it, if that was not done yet; return its exit status."""
        if self.process.poll() is None:
            self.process.terminate()
        status = self.process.wait(WAIT_SECONDS)
        self.log.close()
        return status


@contextmanager
def running_node(data_dir: Path, **settings: str) -> Iterator[Node]:
    workers = {} if "IDNODE_CONFIG" in settings else {"IDNODE_WORKERS": "2"}
    started = Node(data_dir, workers | settings)
    started.start()
    try:
        started.wait_until_ready()
        yield started
    finally:
        started.stop()


@pytest.fixture(scope="module")
def node(server_data_dir: Path) -> Iterator[Node]:
    """A node for the tests that leave it running."""
    folder = server_data_dir / "node"
    folder.mkdir(mode=0o711)
    with running_node(folder) as started:
        yield started


def test_every_worker_and_the_admin_process_say_that_the_node_is_ready(node: Node) -> None:
    assert len(node.pids("worker")) == 2
    assert status_of(f"http://127.0.0.1:{node.admin_port}/healthz/live") == 200
    assert status_of(f"http://127.0.0.1:{node.admin_port}/healthz/ready") == 200
    assert status_of(f"http://127.0.0.1:{node.admin_port}/metrics") == 200


def test_metrics_are_summed_over_all_processes_the_dead_ones_included(node: Node) -> None:
    before = node.refused_over_http()
    for _ in range(8):
        status_of(f"http://127.0.0.1:{node.http_port}/api/handles/99.9/无此标识")
    wait_until(lambda: node.refused_over_http() == before + 8)
    os.kill(node.pids("worker")[0], signal.SIGKILL)
    wait_until(lambda: node.events("process_ended"))
    assert node.refused_over_http() == before + 8
    wait_until(lambda: len(node.pids("worker")) == 2 and node.is_ready())


@pytest.mark.skipif(not os.access("/dev/shm", os.W_OK), reason="this user shares no memory here")  # noqa: S108
def test_metrics_take_no_room_on_the_disk_and_their_folder_may_vanish(node: Node) -> None:
    folder = metrics_folder(node.data_dir)
    assert folder.parent == SHARED_MEMORY
    assert folder.stat().st_mode & 0o777 == 0o700
    assert list(folder.glob("*.db"))
    shutil.rmtree(folder)
    for pid in node.pids("worker"):
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: len(node.events("process_ended")) >= 2 and len(node.pids("worker")) == 2 and node.is_ready())
    before = node.refused_over_http()
    status_of(f"http://127.0.0.1:{node.http_port}/api/handles/99.9/无此标识")
    wait_until(lambda: node.refused_over_http() == before + 1)


def test_a_killed_worker_comes_back_and_the_node_is_ready_again_only_then(node: Node) -> None:
    victim, survivor = node.pids("worker")
    board = StatusBoard.open(board_file(node.data_dir))
    killed_at = time.monotonic()
    os.kill(victim, signal.SIGKILL)
    wait_until(lambda: victim in [event["pid"] for event in node.events("process_ended")])
    assert not board.are_all_ready()
    wait_until(lambda: len(node.pids("worker")) == 2)
    assert time.monotonic() - killed_at < RESTART_SECONDS_MAX
    wait_until(board.are_all_ready)
    assert len(node.pids("worker")) == 2
    assert survivor in node.pids("worker")


def test_a_killed_postgres_comes_back_and_keeps_what_was_acknowledged(node: Node) -> None:
    assert node.run("prefix", "add", "88.118.8", "--enterprise", "扬州一厂").returncode == 0
    os.kill(node.pids("postgres")[0], signal.SIGKILL)
    wait_until(lambda: node.run("register", "88.118.8/减速机", "--value", "URL=https://example.cn").returncode == 0)
    listed = json.loads(node.run("prefix", "list", "--json").stdout)
    assert [each["enterprise"] for each in listed] == ["扬州一厂"]


def test_a_database_that_vanishes_below_a_running_node_is_not_replaced_by_an_empty_one(node: Node) -> None:
    assert node.run("prefix", "add", "88.118.9", "--enterprise", "盐城二厂").returncode == 0
    folder, elsewhere = node.data_dir / "postgres", node.data_dir / "elsewhere"
    folder.rename(elsewhere)
    os.kill(node.pids("postgres")[0], signal.SIGKILL)
    wait_until(lambda: node.events("process_not_started"))
    assert not folder.exists()
    assert f"the database in {folder} is gone" in str(node.events("process_not_started")[0]["reason"])
    elsewhere.rename(folder)
    wait_until(lambda: node.pids("postgres"))
    wait_until(lambda: node.run("register", "88.118.9/阀", "--value", "URL=https://example.cn").returncode == 0)
    assert "盐城二厂" in node.run("prefix", "list").stdout


def test_a_killed_admin_process_comes_back(node: Node) -> None:
    os.kill(node.pids("admin")[0], signal.SIGKILL)
    wait_until(lambda: status_of(f"http://127.0.0.1:{node.admin_port}/healthz/ready") == 0)
    wait_until(lambda: status_of(f"http://127.0.0.1:{node.admin_port}/healthz/ready") == 200)


def test_a_second_supervisor_in_one_data_directory_is_refused(node: Node) -> None:
    second = Node(node.data_dir)
    refused = subprocess.run(
        second.command(), env=second.whole_environment(), capture_output=True, text=True, check=False
    )
    assert refused.returncode == 1
    assert f"error: a node already runs in {node.data_dir} (process {node.process.pid})" in refused.stderr


@pytest.mark.parametrize("port", ["handle_port", "http_port", "admin_port"])
def test_a_port_in_use_is_refused_by_name(data_dir: Path, port: str) -> None:
    blocked = Node(data_dir)
    with socket.create_server(("127.0.0.1", getattr(blocked, port))):
        refused = subprocess.run(
            blocked.command(),
            env=blocked.whole_environment() | {"LANG": "zh_CN.UTF-8", "LC_ALL": ""},
            capture_output=True,
            text=True,
            check=False,
        )
    assert refused.returncode == 1
    assert f"端口 {getattr(blocked, port)} 已被占用({port})" in refused.stderr
    assert not (data_dir / "postgres").exists()


def test_wrong_settings_end_with_their_own_status_and_every_mistake(data_dir: Path) -> None:
    node = Node(data_dir, {"IDNODE_WORKERS": "0", "IDNODE_CACHE_OCTETS": "viel"})
    refused = subprocess.run(node.command(), env=node.whole_environment(), capture_output=True, text=True, check=False)
    assert refused.returncode == 78
    assert "IDNODE_WORKERS = 0" in refused.stderr
    assert "IDNODE_CACHE_OCTETS = viel" in refused.stderr


def test_a_reload_replaces_the_workers_and_keeps_serving(data_dir: Path) -> None:
    config = data_dir / "idnode.toml"
    config.write_text("workers = 1\n")
    with running_node(data_dir, IDNODE_CONFIG=str(config)) as node:
        (before,) = node.pids("worker")
        config.write_text("workers = 2\n")
        node.process.send_signal(signal.SIGHUP)
        failures = 0
        while not node.events("settings_reloaded"):
            failures += not node.is_ready()
            time.sleep(0.02)
        wait_until(node.is_ready)
        assert failures == 0
        assert len(node.pids("worker")) == 2
        assert before not in node.pids("worker")

        config.write_text('workers = 2\nredis_url = "embedded"\n')
        node.process.send_signal(signal.SIGHUP)
        wait_until(lambda: node.events("settings_need_restart"))
        assert [event["names"] for event in node.events("settings_need_restart")] == [["redis_url"]]

        config.write_text("workers = 0\n")
        node.process.send_signal(signal.SIGHUP)
        wait_until(lambda: node.events("settings_refused"))
        assert len(node.pids("worker")) == 2


KEPT = ("worker", "admin", "postgres", "valkey")


def test_nothing_survives_kill_9_of_the_supervisor_and_the_next_one_stops_in_order(data_dir: Path) -> None:
    with running_node(data_dir, IDNODE_REDIS_URL="embedded") as node:
        first = [pid for kept in KEPT for pid in node.pids(kept)]
        assert len(first) == 5
        assert node.run("prefix", "add", "88.118.8").returncode == 0
        node.process.kill()
        node.process.wait()
        node.log.truncate(0)
        node.log.close()

        node.start()
        node.wait_until_ready()
        wait_until(lambda: not any(map(lives, first)))
        assert json.loads(node.run("prefix", "list", "--json").stdout)[0]["prefix"] == "88.118.8"

        second = [pid for kept in KEPT for pid in node.pids(kept)]
        assert node.stop() == 0
        assert not any(map(lives, second))
        assert not (data_dir / "run" / "node.json").exists()
        assert not metrics_folder(data_dir).exists()
        assert node.events("node_stopped")
