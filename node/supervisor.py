"""The supervisor: starts what a node is made of in order, keeps it alive, and stops it in the reverse order.

Keys → Postgres → migrations → Valkey → workers and the admin process. SIGTERM and SIGINT stop: workers finish what is
in flight, then the admin process ends, then the servers. SIGHUP reads the settings again and replaces the workers one
by one.
"""

from __future__ import annotations

import asyncio
import dataclasses
import os
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial
from signal import SIGHUP, SIGINT, SIGTERM

import structlog

from node.certificates import prepare_certificate
from node.data_dir_lock import hold_data_dir
from node.embedded.postgres import EmbeddedPostgres
from node.embedded.valkey import EmbeddedValkey
from node.errors import NodeError
from node.housekeeping import keep_house
from node.keeper import Keeper
from node.layout import board_file
from node.metrics_files import make_metrics_folder, remove_metrics_folder
from node.ports import check_doors_are_free
from node.processes import AdminProcess, WorkerProcess
from node.register import migrate_register
from node.running import RunningNode, remove_running_node, start_ticks, write_running_node
from node.server_key import prepare_server_key
from node.settings import EMBEDDED, FIXED_SETTINGS, Settings
from node.settings_sources import SettingsError
from node.status_board import StatusBoard, WorkerState
from node.systemd import READY, STOPPING, notify

OnReady = Callable[[RunningNode], Awaitable[None]]


class Supervisor:
    """Runs one node in one data directory."""

    def __init__(self, settings: Settings, read_settings: Callable[[], Settings]) -> None:
        """Prepare a node; nothing happens before `run`.

        Args:
            settings: those to start with.
            read_settings: reads them again, for SIGHUP; may raise SettingsError.
        """
        self._settings = settings
        self._asked_for = settings
        self._read_settings = read_settings
        self._is_reload_wanted = asyncio.Event()
        self._workers: list[Keeper[WorkerProcess]] = []

    async def run(self, on_ready: OnReady | None = None) -> None:
        """Start the node, keep it, and return when it was asked to stop and has stopped.

        Args:
            on_ready: awaited once, when every worker serves.

        Raises:
            NodeError: the node does not start: directory or port in use, key or database unfit, server failed.
            OSError: the node does not start: a file or a process is refused.
        """
        self._obey_signals()
        try:
            async with hold_data_dir(self._settings.data_dir):
                await check_doors_are_free(self._settings)
                prepare_server_key(self._settings)
                prepare_certificate(self._settings)
                self._prepare_run_folder()
                try:
                    await self._live(on_ready)
                finally:
                    remove_metrics_folder(self._settings.data_dir)
        except asyncio.CancelledError:
            _logger().info("node_stopped", pid=os.getpid())
        except BaseExceptionGroup as group:
            expected, _ = group.split((NodeError, OSError))
            raise _first(expected or group) from None

    async def _live(self, on_ready: OnReady | None) -> None:
        """Start everything, then wait; whatever ends this, cancellation or error, unwinds the stack in order."""
        async with asyncio.TaskGroup() as tasks, AsyncExitStack() as stack:
            await self._start_servers(tasks, stack)
            admin = Keeper("admin", partial(AdminProcess, self._settings))
            stack.push_async_callback(admin.stop)
            stack.push_async_callback(self._stop_workers)
            async with asyncio.TaskGroup() as starting:
                starting.create_task(admin.start(tasks))
                starting.create_task(self._start_workers(tasks, WorkerState.EXPECTED))
            tasks.create_task(keep_house(self._settings.database_url))
            running = self._announce(stack)
            if on_ready is not None:
                await on_ready(running)
            while True:
                await self._is_reload_wanted.wait()
                self._is_reload_wanted.clear()
                await self._reload(tasks)

    def _obey_signals(self) -> None:
        """Let the first request to stop cancel this task, which unwinds in order; later ones must not disturb that."""
        loop = asyncio.get_running_loop()
        running = asyncio.current_task()
        is_stopping = asyncio.Event()

        def stop() -> None:
            if running is not None and not is_stopping.is_set():
                is_stopping.set()
                notify(STOPPING)
                _logger().info("node_stopping", pid=os.getpid())
                running.cancel()

        for signal_number in (SIGTERM, SIGINT):
            loop.add_signal_handler(signal_number, stop)
        loop.add_signal_handler(SIGHUP, self._is_reload_wanted.set)

    def _prepare_run_folder(self) -> None:
        remove_metrics_folder(self._settings.data_dir)
        make_metrics_folder(self._settings.data_dir)
        self._board = StatusBoard.create(board_file(self._settings.data_dir))

    async def _start_servers(self, tasks: asyncio.TaskGroup, stack: AsyncExitStack) -> None:
        data_dir = self._settings.data_dir
        if self._settings.database_url == EMBEDDED:
            make_again = partial(EmbeddedPostgres, data_dir, may_initialise=False)
            postgres = Keeper("postgres", make_again, EmbeddedPostgres(data_dir))
            stack.push_async_callback(postgres.stop)
            await postgres.start(tasks)
            self._settings = dataclasses.replace(self._settings, database_url=postgres.running.url)
        for migration in await migrate_register(self._settings.database_url):
            _logger().info("migration_applied", migration=migration)
        if self._settings.redis_url == EMBEDDED:
            valkey = Keeper("valkey", partial(EmbeddedValkey, data_dir))
            stack.push_async_callback(valkey.stop)
            await valkey.start(tasks)
            self._settings = dataclasses.replace(self._settings, redis_url=valkey.running.url)

    async def _start_workers(self, tasks: asyncio.TaskGroup, state: WorkerState) -> None:
        """Start what is missing of the workers that the settings ask for.

        Args:
            tasks: what keeps them from then on.
            state: whether the node counts as ready without them, until they are.

        Raises:
            NodeError: one does not become ready; it is kept all the same.
            OSError: one cannot be started; those before it are kept.
        """
        missing = self._settings.workers - len(self._workers)
        started = [Keeper("worker", self._make_worker, self._make_worker(state)) for _ in range(missing)]
        try:
            for worker in started:
                await worker.start(tasks)
                self._workers.append(worker)
        finally:
            await asyncio.gather(*(worker.stop() for worker in started if worker not in self._workers))
        for worker in started:
            await worker.running.wait_until_ready()

    def _make_worker(self, state: WorkerState = WorkerState.EXPECTED) -> WorkerProcess:
        return WorkerProcess(self._settings, self._board, state)

    async def _stop_workers(self) -> None:
        await asyncio.gather(*(worker.stop() for worker in self._workers))

    def _announce(self, stack: AsyncExitStack) -> RunningNode:
        settings = self._settings
        running = RunningNode(
            pid=os.getpid(),
            start_ticks=start_ticks(os.getpid()),
            data_dir=str(settings.data_dir),
            database_url=settings.database_url,
            redis_url=settings.redis_url,
            address=settings.reachable_address,
            handle_port=settings.handle_port,
            http_port=settings.http_port,
            admin_address=settings.reachable_admin_address,
            admin_port=settings.admin_port,
        )
        stack.callback(remove_running_node, settings.data_dir)
        write_running_node(running)
        notify(READY)
        _logger().info(
            "node_ready",
            pid=running.pid,
            workers=settings.workers,
            bind=settings.bind,
            handle_port=settings.handle_port,
            http_port=settings.http_port,
            admin_port=settings.admin_port,
            data_dir=running.data_dir,
        )
        return running

    async def _reload(self, tasks: asyncio.TaskGroup) -> None:
        """Replace the workers one by one by workers with new settings; wrong settings change nothing."""
        try:
            fresh = self._read_settings()
        except SettingsError as error:
            for mistake in error.mistakes:
                _logger().error(
                    "settings_refused", where=mistake.where, found=mistake.found, expected=mistake.expected[0]
                )
            return
        self._name_what_needs_a_restart(fresh)
        kept = {name: getattr(self._settings, name) for name in FIXED_SETTINGS}
        wanted = dataclasses.replace(fresh, **kept)
        try:
            prepare_certificate(wanted)
            self._settings = wanted
            await self._replace_workers(tasks)
        except (NodeError, OSError) as error:
            _logger().error("reload_failed", reason=str(error))
        else:
            _logger().info("settings_reloaded", workers=len(self._workers))

    def _name_what_needs_a_restart(self, fresh: Settings) -> None:
        """Compare with what was asked for at the start: `embedded` has become an address since."""
        names = [name for name in FIXED_SETTINGS if getattr(fresh, name) != getattr(self._asked_for, name)]
        if names:
            _logger().warning("settings_need_restart", names=names)

    async def _replace_workers(self, tasks: asyncio.TaskGroup) -> None:
        for worker in self._workers[self._settings.workers :]:
            await worker.stop()
            self._workers.remove(worker)
        for worker in self._workers:
            successor = self._make_worker(WorkerState.SPARE)
            try:
                await successor.start()
                await successor.wait_until_ready()
                await worker.replace(successor)
            finally:
                if worker.running is not successor:  # it failed, or the node is asked to stop meanwhile
                    await successor.stop()
        await self._start_workers(tasks, WorkerState.SPARE)


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    first: BaseException = group
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    return first


def _logger() -> structlog.typing.FilteringBoundLogger:
    logger: structlog.typing.FilteringBoundLogger = structlog.get_logger()
    return logger
