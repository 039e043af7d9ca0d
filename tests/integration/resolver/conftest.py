"""A resolver over a register in memory, for doors on real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from resolver.cache import CacheLimits, RecordCache
from resolver.fast_path.choice import FastPath
from resolver.invalidation import Follower
from resolver.metrics import DoorTally
from resolver.operations.native import NativeService
from resolver.resolve import Resolver
from tests.builders import OWN_SITE, text_value
from tests.fakes.memory_register import MemoryRegister
from tests.fast_paths import FAST_PATHS


class Served:
    """What stands behind a door."""

    def __init__(self, fast_path: FastPath) -> None:
        self.register = MemoryRegister()
        self.register.add_prefix("88.118.8")
        self.register.put(
            "88.118.8/轴承", text_value(1, "URL", "https://example.cn/轴承"), text_value(2, "名称", "轴承")
        )
        self.register.put("88.118.8/长", text_value(1, "DESC", "长" * 1_000))
        self.resolver = Resolver(self.register, RecordCache(CacheLimits(), fast_path), OWN_SITE)
        self.tally = DoorTally("test")
        self.service = NativeService(self.resolver, self.tally)


@pytest_asyncio.fixture(params=FAST_PATHS)
async def served(request: pytest.FixtureRequest) -> AsyncIterator[Served]:
    served = Served(request.param)
    follower = Follower(served.resolver, served.register, served.register)
    following = asyncio.create_task(follower.run())
    await follower.became_current.wait()
    yield served
    following.cancel()
