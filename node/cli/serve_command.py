"""`idnode serve`: run the node until it is told to stop."""

from __future__ import annotations

import asyncio
import os
import sys
from functools import partial
from pathlib import Path

import click

from node.cli.language import words
from node.cli.options import config_option, data_dir_option
from node.logs import configure_logs
from node.running import RunningNode
from node.settings_sources import load_settings
from node.supervisor import Supervisor


@click.command(
    help=words(
        """Run the node until Ctrl-C or SIGTERM; SIGHUP reads the settings again.

\b
Example:
  idnode serve --data-dir /srv/idnode --handle-port 2641 --http-port 80""",
        """运行节点,直至 Ctrl-C 或 SIGTERM;SIGHUP 重新读取设置。

\b
示例:
  idnode serve --data-dir /srv/idnode --handle-port 2641 --http-port 80""",
    )
)
@data_dir_option
@config_option
@click.option("--bind", metavar="ADDRESS", help=words("Address of the public doors.", "公共服务的监听地址。"))
@click.option("--handle-port", metavar="N", help=words("Handle protocol, UDP and TCP.", "Handle 协议端口。"))
@click.option("--http-port", metavar="N", help=words("HTTP resolution.", "HTTP 解析端口。"))
@click.option("--admin-port", metavar="N", help=words("Health and metrics.", "健康检查与指标端口。"))
@click.option("--dns-port", metavar="N", help=words("DNS resolution; 0 = off.", "DNS 解析端口;0 = 关闭。"))
@click.option("--workers", metavar="N", help=words("Processes that resolve.", "解析进程数。"))
def serve(config: Path | None, **options: str | None) -> None:
    """Run a node with the settings that all sources together give."""
    read_settings = partial(load_settings, options, os.environ, config)
    settings = read_settings()
    configure_logs(settings.log_format, settings.log_level, process="supervisor")
    on_ready = tell_where if sys.stdout.isatty() else None
    asyncio.run(Supervisor(settings, read_settings).run(on_ready))


async def tell_where(node: RunningNode) -> None:
    """Tell a person at a terminal where the doors are."""
    click.echo(
        words(
            f"""
  The node serves.
    Handle protocol   {node.address}:{node.handle_port} (UDP, TCP)
    HTTP              http://{node.address}:{node.http_port}/
    health, metrics   http://{node.admin_address}:{node.admin_port}/metrics
    data              {node.data_dir}
  Stop it with Ctrl-C.
""",
            f"""
  节点已就绪。
    Handle 协议       {node.address}:{node.handle_port}(UDP、TCP)
    HTTP              http://{node.address}:{node.http_port}/
    健康检查与指标    http://{node.admin_address}:{node.admin_port}/metrics
    数据目录          {node.data_dir}
  按 Ctrl-C 停止。
""",
        )
    )
