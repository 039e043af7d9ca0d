"""`idnode demo`: the node of `serve` with sample data, and a hint of what to try with it."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import shutil
import sys
from pathlib import Path
from shlex import quote

import click
import structlog

from node.cli.language import words
from node.cli.serve_command import serve
from node.demo import load_samples, what_to_try
from node.logs import configure_logs
from node.processes import CODE_FOLDER
from node.running import RunningNode, default_demo_data_dir
from node.settings import Settings, default_data_dir
from node.settings_sources import load_settings
from node.supervisor import Supervisor


def run_demo(config: Path | None, **options: str | None) -> None:
    """Run a node with sample data, in a data directory of its own unless one was chosen."""

    def read_settings() -> Settings:
        settings = load_settings(options, os.environ, config)
        if settings.data_dir != default_data_dir():
            return settings
        return dataclasses.replace(settings, data_dir=default_demo_data_dir())

    settings = read_settings()
    configure_logs(settings.log_format, settings.log_level, process="supervisor")
    asyncio.run(Supervisor(settings, read_settings).run(_show))


async def _show(node: RunningNode) -> None:
    stored = await load_samples(node.database_url)
    structlog.get_logger().info("samples_loaded", records=stored)
    click.echo(what_to_try(node, _program()))


def _program() -> str:
    """Return how a person at this machine calls `idnode`."""
    if shutil.which("idnode"):
        return "idnode"
    script = CODE_FOLDER / "run"
    if not script.exists():
        return f"{quote(sys.executable)} -P -m node"
    return "./run" if Path.cwd() == CODE_FOLDER else quote(str(script))


demo = click.Command(
    "demo",
    callback=run_demo,
    params=serve.params,
    help=words(
        """Run a node with three sample manufacturers and their products, and say what to try.

Its data is kept beside that of `serve`, so that the two do not mix. The options are those of `serve`.

\b
Example:
  idnode demo
  idnode demo --handle-port 12641 --http-port 18000""",
        """运行带三家示例企业及其产品的节点,并提示可以尝试的操作。

其数据与 serve 的数据分开存放。选项与 serve 相同。

\b
示例:
  idnode demo
  idnode demo --handle-port 12641 --http-port 18000""",
    ),
)
