"""How a command finds the running node: the supervisor writes run/node.json, and removes it when it stops."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from node.errors import NodeError, Text
from node.layout import node_file
from node.settings import default_data_dir

DEMO_SUFFIX: Final = "-demo"
"""The demonstration keeps its data beside the real node's, in a directory of this ending."""


@dataclass(frozen=True, slots=True)
class RunningNode:
    """A node that runs on this machine.

    Attributes:
        pid: of the supervisor.
        start_ticks: when that process started; tells it from a stranger that got the same number.
        database_url: where the register is; may hold a password.
        address: where a client on this machine reaches the public doors.
    """

    pid: int
    start_ticks: int
    data_dir: str
    database_url: str
    redis_url: str
    address: str
    handle_port: int
    http_port: int
    admin_address: str
    admin_port: int


def default_demo_data_dir() -> Path:
    """Return where the demonstration keeps its data unless told otherwise."""
    usual = default_data_dir()
    return usual.with_name(usual.name + DEMO_SUFFIX)


def write_running_node(node: RunningNode) -> None:
    """Tell commands where the node is; whoever reads sees all of it or nothing.

    The file is for the node's own account only, because a database URL may hold a password.
    """
    path = node_file(Path(node.data_dir))
    unfinished = path.with_suffix(".new")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.encode(node))
    unfinished.replace(path)


def remove_running_node(data_dir: Path) -> None:
    """Tell commands that the node has stopped."""
    node_file(data_dir).unlink(missing_ok=True)


def find_running_node(data_dir: Path | None = None) -> RunningNode | None:
    """Return the node that runs in `data_dir`; without one, in the default directory or in the demonstration's."""
    for folder in (data_dir,) if data_dir else (default_data_dir(), default_demo_data_dir()):
        with suppress(OSError, msgspec.DecodeError):
            node = msgspec.json.decode(node_file(folder).read_bytes(), type=RunningNode)
            if _lives(node):
                return node
    return None


def get_running_node(data_dir: Path | None = None) -> RunningNode:
    """Return the running node, looked for as by `find_running_node`.

    Raises:
        NodeError: none runs.
    """
    node = find_running_node(data_dir)
    if node is not None:
        return node
    looked_in = str(data_dir) if data_dir else f"{default_data_dir()}, {default_demo_data_dir()}"
    raise NodeError(
        Text(f"no node runs here (looked in {looked_in})", f"此处没有运行中的节点(已查找 {looked_in})"),
        Text(
            "start one with: idnode serve; or name its directory with --data-dir",
            "请先启动:idnode serve;或用 --data-dir 指定其数据目录",
        ),
    )


def start_ticks(pid: int) -> int:
    """Return when a process started, in clock ticks after the machine did (proc(5), field 22 of stat).

    Raises:
        OSError: there is no such process.
    """
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])


def _lives(node: RunningNode) -> bool:
    try:
        return start_ticks(node.pid) == node.start_ticks
    except OSError:
        return False
