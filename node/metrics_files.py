"""The folder in which the processes keep their counters: made before one starts, removed when the node stops."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from node.errors import NodeError, Text
from node.layout import metrics_folder


def make_metrics_folder(data_dir: Path) -> Path:
    """Return the folder, made if it is missing and closed to others.

    It can go missing below a running node: systemd empties the shared memory of a user who logs out (RemoveIPC in
    logind.conf).

    Raises:
        NodeError: it belongs to somebody else; everybody may make folders in shared memory.
        OSError: it cannot be made.
    """
    folder = metrics_folder(data_dir)
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.geteuid():
        raise NodeError(
            Text(f"{folder} belongs to somebody else", f"{folder} 属于其他用户"),
            Text("remove it, or choose another data directory", "请删除它,或选择其他数据目录"),
        )
    return folder


def remove_metrics_folder(data_dir: Path) -> None:
    """Remove the folder with what is in it, as far as it is ours."""
    shutil.rmtree(metrics_folder(data_dir), ignore_errors=True)
