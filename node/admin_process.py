"""The entry of the admin process: `python -m node.admin_process`, settings on standard input."""

from __future__ import annotations

import asyncio
import os
import signal
import sys

import structlog
import uvloop

from admin.application import serve_admin
from node.layout import board_file, metrics_folder
from node.logs import configure_logs
from node.settings import Settings
from node.status_board import StatusBoard


def main() -> None:
    """Serve until SIGTERM."""
    settings = Settings.from_json(sys.stdin.buffer.read())
    configure_logs(settings.log_format, settings.log_level, process="admin")
    try:
        uvloop.run(_serve(settings))
    except Exception:  # noqa: BLE001 - the edge of the process
        structlog.get_logger().exception("admin_failed", pid=os.getpid())
        sys.exit(1)


async def _serve(settings: Settings) -> None:
    board = StatusBoard.open(board_file(settings.data_dir))
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    await serve_admin(
        settings.admin_bind,
        settings.admin_port,
        is_ready=board.are_all_ready,
        metrics_folder=metrics_folder(settings.data_dir),
        stopping=stopping,
    )


if __name__ == "__main__":
    main()
