"""Two workers of one node, and a register with a prefix, its administrator and a record."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from handle_protocol.value import HandleValue, Permissions
from tests.builders import text_value
from tests.fakes.served_world import ADMINISTRATOR, SECRET, ServedWorker
from tests.unit.resolver.administration.administered_world import AdministeredWorld, admin_value


@pytest.fixture
def world() -> AdministeredWorld:
    world = AdministeredWorld()
    world.register_prefix("88.300.15907")
    secret = HandleValue(301, "HS_SECKEY", SECRET, permissions=Permissions.ADMIN_READ | Permissions.ADMIN_WRITE)
    world.register.put(ADMINISTRATOR.handle, admin_value(ADMINISTRATOR), secret)
    world.register.put(
        "88.300.15907/水泵",
        text_value(1, "URL", "https://example.cn/水泵"),
        text_value(6, "内部", "机密", permissions=Permissions.ADMIN_READ | Permissions.ADMIN_WRITE),
        admin_value(ADMINISTRATOR),
    )
    return world


@pytest_asyncio.fixture
async def workers(world: AdministeredWorld, tmp_path: Path) -> AsyncIterator[list[ServedWorker]]:
    workers = [ServedWorker(world, tmp_path, place, 2) for place in range(2)]
    for worker in workers:
        await worker.open()
    yield workers
    for worker in workers:
        await worker.close()


@pytest.fixture
def worker(workers: list[ServedWorker]) -> ServedWorker:
    return workers[0]
