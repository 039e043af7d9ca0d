"""Which account the bundled servers run as, and what that account can reach.

Postgres refuses to run as root, and a server has no business being root. Whoever is not root runs the servers
itself; root runs them as `idnode` where that account exists, otherwise as `nobody`. An existing account is needed:
initdb looks its name up.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from node.child import Identity
from node.errors import EmbeddedServerError, Text

ACCOUNTS_FOR_ROOT: Final = ("idnode", "nobody")
PROBE_SECONDS: Final = 10.0
"""Asking a program for its version takes milliseconds; a hanging network file system must not hang the start."""


@dataclass(frozen=True, slots=True)
class Account:
    """The account of the bundled servers.

    Attributes:
        name: as in the password database.
        identity: what a child process has to become; None = it already is this account.
    """

    name: str
    identity: Identity | None

    @classmethod
    def choose(cls) -> Account:
        """Return the account for this process's servers.

        Raises:
            EmbeddedServerError: the process has no account by name, or root finds none to run servers as.
        """
        if os.geteuid() != 0:
            return cls(_own_name(), None)
        for name in ACCOUNTS_FOR_ROOT:
            try:
                entry = pwd.getpwnam(name)
            except KeyError:
                continue
            return cls(name, Identity(entry.pw_uid, entry.pw_gid))
        raise EmbeddedServerError(
            Text("there is no account to run Postgres as", "没有可用于运行 Postgres 的账户"),
            Text("create one: useradd --system idnode", "请创建账户:useradd --system idnode"),
        )

    def open_way_through(self, folder: Path) -> None:
        """Make `folder` if it is missing, and let the account pass through it, whatever the umask says."""
        folder.mkdir(parents=True, exist_ok=True)
        if self.identity is not None:
            folder.chmod(folder.stat().st_mode | 0o111)

    def own(self, folder: Path) -> None:
        """Make `folder` if it is missing, the account's own and closed to everybody else."""
        folder.mkdir(parents=True, exist_ok=True)
        if self.identity is not None:
            os.chown(folder, self.identity.uid, self.identity.gid)
        folder.chmod(0o700)

    def can_run(self, program: Path) -> bool:
        """Tell whether the account can execute `program`, its libraries included."""
        return self._succeeds([str(program), "--version"])

    def check_reaches(self, folder: Path) -> None:
        """Check that the account gets to `folder` through its parents.

        Raises:
            EmbeddedServerError: a parent is closed to it.
        """
        if self._succeeds(["test", "-w", str(folder)]):
            return
        raise EmbeddedServerError(
            Text(f"account {self.name} cannot reach {folder}", f"账户 {self.name} 无法访问 {folder}"),
            Text(
                "choose a data directory whose parents everybody may pass, such as /var/lib/idnode",
                "请选择上级目录均可通行的数据目录,例如 /var/lib/idnode",
            ),
        )

    def _succeeds(self, command: list[str]) -> bool:
        program = shutil.which(command[0])
        if program is None:
            return False
        options = self.identity.popen_options() if self.identity else {}
        try:
            ran = subprocess.run(  # noqa: S603 - our own programs
                [program, *command[1:]], capture_output=True, timeout=PROBE_SECONDS, check=False, cwd="/", **options
            )
        except (OSError, subprocess.SubprocessError):
            return False
        return ran.returncode == 0


def _own_name() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        raise EmbeddedServerError(
            Text(f"user {os.geteuid()} has no name on this machine", f"用户 {os.geteuid()} 在本机没有账户名"),
            Text(
                "add it to /etc/passwd, or use an external database (database_url)",
                "请将其加入 /etc/passwd,或使用外部数据库(database_url)",
            ),
        ) from None
