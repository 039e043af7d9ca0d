"""The entry of a worker process: `python -m node.worker PLACE`, settings on standard input."""

from __future__ import annotations

import asyncio
import os
import signal
import sys

import structlog
import uvloop

from node.assembly import serve
from node.layout import board_file
from node.logs import configure_logs
from node.settings import Settings
from node.status_board import StatusBoard, WorkerState


def main() -> None:
    """Serve until SIGTERM, then finish what is in flight and end."""
    place = int(sys.argv[1])
    settings = Settings.from_json(sys.stdin.buffer.read())
    configure_logs(settings.log_format, settings.log_level, process=f"worker-{place}")
    try:
        uvloop.run(_serve(settings, place))
    except Exception:  # noqa: BLE001 - the edge of the process
        structlog.get_logger().exception("worker_failed", place=place, pid=os.getpid())
        sys.exit(1)


async def _serve(settings: Settings, place: int) -> None:
    board = StatusBoard.open(board_file(settings.data_dir))
    stopping = asyncio.Event()

    def drain() -> None:
        board.set_state(place, WorkerState.DRAINING)
        stopping.set()

    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, drain)
    await serve(settings, board, place, stopping)


if __name__ == "__main__":
    main()
