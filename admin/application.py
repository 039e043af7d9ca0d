"""The admin port: health and metrics of the whole node.

It knows nothing of workers or processes: whether the node is ready it asks the function it was given, and the figures
of all processes it reads from the folder where each keeps its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Final

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

DRAIN_SECONDS: Final = 2.0
BACKLOG: Final = 1024
METRICS_SECONDS_MAX: Final = 10.0
"""Prometheus itself gives up after ten seconds."""

IsReady = Callable[[], bool]

IS_READY: Final[web.AppKey[IsReady]] = web.AppKey("is_ready")
METRICS_FOLDER: Final = web.AppKey("metrics_folder", Path)


def make_application(is_ready: IsReady, metrics_folder: Path) -> web.Application:
    """Return the application behind the admin port.

    Args:
        is_ready: whether the node serves with every worker that it should have.
        metrics_folder: what the processes have in PROMETHEUS_MULTIPROC_DIR.
    """
    application = web.Application()
    application[IS_READY] = is_ready
    application[METRICS_FOLDER] = metrics_folder
    application.router.add_get("/healthz/live", answer_live)
    application.router.add_get("/healthz/ready", answer_ready)
    application.router.add_get("/metrics", answer_metrics)
    return application


async def serve_admin(
    address: str, port: int, *, is_ready: IsReady, metrics_folder: Path, stopping: asyncio.Event
) -> None:
    """Serve the admin port until `stopping` is set.

    Raises:
        OSError: the port cannot be listened on.
    """
    application = make_application(is_ready, metrics_folder)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=DRAIN_SECONDS)
    await runner.setup()
    try:
        await web.TCPSite(runner, address, port, backlog=BACKLOG).start()
        await stopping.wait()
    finally:
        await runner.cleanup()


async def answer_live(_request: web.Request) -> web.Response:
    """Say that this process runs; whatever else is broken, restarting it would not mend it."""
    return web.json_response({"status": "live"})


async def answer_ready(request: web.Request) -> web.Response:
    """Say whether the node serves: 200 when every worker does, else 503."""
    if request.app[IS_READY]():
        return web.json_response({"status": "ready"})
    return web.json_response({"status": "not ready"}, status=503)


async def answer_metrics(request: web.Request) -> web.Response:
    """Return the figures of all processes in the text form of Prometheus."""
    async with asyncio.timeout(METRICS_SECONDS_MAX):
        text = await asyncio.to_thread(_collect, request.app[METRICS_FOLDER])
    return web.Response(body=text, headers={"Content-Type": CONTENT_TYPE_LATEST})


def _collect(folder: Path) -> bytes:
    registry = CollectorRegistry(support_collectors_without_names=True)
    MultiProcessCollector(registry, path=str(folder))  # type: ignore[no-untyped-call]
    return generate_latest(registry)
