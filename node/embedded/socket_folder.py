"""Where a bundled server's Unix socket goes: a folder that only its account, and root, can enter."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Final

from node.embedded.account import Account
from node.errors import EmbeddedServerError, Text

SOCKET_PATH_OCTETS_MAX: Final = 100
"""unix(7) allows 108; the rest is room for the lock file's ending and the closing zero."""


def socket_folder(run: Path, server: str, socket_name: str, account: Account) -> Path:
    """Return the folder for the socket of `server`, made and closed to others.

    It is run/server, or a folder in /tmp with a name of its own when the path would be too long for a socket.

    Raises:
        EmbeddedServerError: the folder in /tmp belongs to somebody else.
    """
    folder = run / server
    if len(os.fsencode(folder / socket_name)) > SOCKET_PATH_OCTETS_MAX:
        digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]
        folder = Path("/tmp") / f"idnode-{os.geteuid()}-{digest}"  # noqa: S108 - checked below
        _check_ours(folder, account)
    account.open_way_through(run)
    account.own(folder)
    return folder


def _check_ours(folder: Path, account: Account) -> None:
    """Everybody may make folders in /tmp, so one that stands there already must be the account's own."""
    try:
        found = folder.lstat()
    except FileNotFoundError:
        return
    owner = account.identity.uid if account.identity else os.geteuid()
    if folder.is_symlink() or found.st_uid not in {owner, os.geteuid()}:
        raise EmbeddedServerError(
            Text(f"{folder} belongs to somebody else", f"{folder} 属于其他用户"),
            Text("remove it, or choose a data directory with a shorter path", "请删除它,或选择路径更短的数据目录"),
        )
