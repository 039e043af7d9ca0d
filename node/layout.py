"""What lies where in a node's data directory.

postgres/     the data of the bundled Postgres
log/          what the bundled servers print
runtime/      copies of their programs, where their account cannot reach the installed ones
run/          of the running node: lock, node.json, board, metrics/, sockets
"""

from __future__ import annotations

from pathlib import Path


def run_folder(data_dir: Path) -> Path:
    """Where the running node keeps what is gone after a restart."""
    return data_dir / "run"


def lock_file(data_dir: Path) -> Path:
    """Held by the one supervisor of this data directory."""
    return run_folder(data_dir) / "lock"


def node_file(data_dir: Path) -> Path:
    """How commands find the running node, see node.running."""
    return run_folder(data_dir) / "node.json"


def board_file(data_dir: Path) -> Path:
    """Which workers are ready, see node.status_board."""
    return run_folder(data_dir) / "board"


def metrics_folder(data_dir: Path) -> Path:
    """Where each process keeps its counters for /metrics."""
    return run_folder(data_dir) / "metrics"
