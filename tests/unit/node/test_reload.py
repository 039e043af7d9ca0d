"""A reload that fails leaves the node as it was; one that is interrupted leaves nothing behind."""
# ruff: noqa: SLF001 - a whole node cannot be made to fail at these moments

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

from node.settings import Settings
from node.status_board import StatusBoard, WorkerState
from node.supervisor import Supervisor
from tests.started_node import until


class FakeWorker:
    """A worker that does as it is told.

    Attributes:
        started: every one that runs or ran, oldest first.
        refusal: raised instead of starting, when set.
        can_be_ready: cleared to let nobody become ready any more.
        can_drain: cleared to let nobody end.
    """

    started: list[FakeWorker]
    refusal: Exception | None
    can_be_ready: asyncio.Event
    can_drain: asyncio.Event

    def __init__(self, _settings: Settings, _board: StatusBoard, _state: WorkerState) -> None:
        self.has_ended = asyncio.Event()
        self.is_ending = False
        self.pid = None

    async def start(self) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.started.append(self)

    async def wait_until_ready(self) -> None:
        await self.can_be_ready.wait()

    async def wait(self) -> int:
        await self.has_ended.wait()
        return 0

    async def stop(self) -> None:
        self.is_ending = True
        await self.can_drain.wait()
        self.has_ended.set()


class World:
    """A supervisor whose workers run."""

    def __init__(self, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        FakeWorker.started, FakeWorker.refusal = [], None
        FakeWorker.can_be_ready, FakeWorker.can_drain = asyncio.Event(), asyncio.Event()
        FakeWorker.can_be_ready.set()
        FakeWorker.can_drain.set()
        monkeypatch.setattr("node.supervisor.WorkerProcess", FakeWorker)
        self.settings = Settings(data_dir=data_dir, workers=2)
        self.supervisor = Supervisor(self.settings, lambda: self.settings)
        self.supervisor._board = StatusBoard.create(data_dir / "board")

    async def live(self, before_reload: Callable[[], object]) -> None:
        """Start the workers, reload once, and stop whatever happens: as `Supervisor._live` does."""
        try:
            async with asyncio.TaskGroup() as tasks:
                try:
                    await self.supervisor._start_workers(tasks, WorkerState.EXPECTED)
                    before_reload()
                    await self.supervisor._reload(tasks)
                finally:
                    await self.supervisor._stop_workers()
        finally:
            self.left_behind = self.running

    @property
    def running(self) -> list[FakeWorker]:
        return [worker for worker in FakeWorker.started if not worker.has_ended.is_set()]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(tmp_path, monkeypatch)


@pytest.mark.parametrize("workers", [1, 2, 3])
async def test_a_reload_that_the_kernel_refuses_leaves_running_workers_that_are_kept(
    world: World, workers: int
) -> None:
    async with asyncio.TaskGroup() as tasks:
        await world.supervisor._start_workers(tasks, WorkerState.EXPECTED)
        first = world.running
        FakeWorker.refusal = OSError(24, "Too many open files")
        world.settings = dataclasses.replace(world.settings, workers=workers)
        await world.supervisor._reload(tasks)
        assert world.running == first[:workers]

        FakeWorker.refusal = None
        await world.supervisor._reload(tasks)
        assert len(world.running) == workers
        assert not set(first) & set(world.running)
        world.running[-1].has_ended.set()
        await until(lambda: len(world.running) == workers, 5.0)
        await world.supervisor._stop_workers()
    assert world.running == []


async def test_a_successor_is_stopped_when_the_node_is_asked_to_stop_before_it_is_ready(world: World) -> None:
    living = asyncio.create_task(world.live(FakeWorker.can_be_ready.clear))
    await until(lambda: len(FakeWorker.started) == 3, 5.0)
    living.cancel()
    await asyncio.wait({living})
    assert world.left_behind == []


async def test_a_replaced_worker_may_drain_when_the_node_is_asked_to_stop_meanwhile(world: World) -> None:
    living = asyncio.create_task(world.live(FakeWorker.can_drain.clear))
    await until(lambda: any(worker.is_ending for worker in FakeWorker.started), 5.0)
    living.cancel()
    await asyncio.sleep(0.05)
    assert not living.done()
    FakeWorker.can_drain.set()
    await asyncio.wait({living})
    assert world.left_behind == []
