"""What lies where in a node's data directory.

postgres/     the data of the bundled Postgres
log/          what the bundled servers print
runtime/      copies of their programs, where their account cannot reach the installed ones
run/          of the running node: lock, node.json, board, sockets
keys/         what was made at the first start: the server's key, a certificate and its key

Its metrics are in shared memory, and in run/metrics where there is none.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Final

SHARED_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - see node.metrics_files for who may have been there before


def run_folder(data_dir: Path) -> Path:
    """Where the running node keeps what is gone after a restart."""
    return data_dir / "run"


def keys_folder(data_dir: Path) -> Path:
    """Where the keys are that the node made itself."""
    return data_dir / "keys"


def server_key_file(data_dir: Path) -> Path:
    """The private key that signs certified answers, unless the settings name another."""
    return keys_folder(data_dir) / "server-key.pem"


def certificate_file(data_dir: Path) -> Path:
    """The certificate of the HTTP port, unless the settings name another."""
    return keys_folder(data_dir) / "certificate.pem"


def certificate_key_file(data_dir: Path) -> Path:
    """The private key of that certificate."""
    return keys_folder(data_dir) / "certificate-key.pem"


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
    """Where each process keeps its counters for /metrics, the same for all that run as one user.

    In memory if that can be: these files get their room only when they are written to, and the kernel ends (SIGBUS)
    who writes where the disk is full.
    """
    if not os.access(SHARED_MEMORY, os.W_OK | os.X_OK):
        return run_folder(data_dir) / "metrics"
    digest = hashlib.sha256(os.fsencode(data_dir.resolve())).hexdigest()[:12]
    return SHARED_MEMORY / f"idnode-{os.geteuid()}-{digest}"
