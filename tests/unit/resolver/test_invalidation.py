"""A worker keeps in step with the register, through changes and losses of the feed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest_asyncio
import structlog

from handle_protocol.handle import Handle
from resolver.answer import Busy, Found, NotFound, NotResponsible, Suspended
from resolver.cache import CacheLimits, RecordCache
from resolver.invalidation import Follower
from resolver.query import Query
from resolver.resolve import Resolver
from tests.builders import OWN_SITE, text_value
from tests.fakes.memory_register import MemoryRegister

OLD = text_value(1, "URL", "https://example.cn/旧")
NEW = text_value(1, "URL", "https://example.cn/新")


class World:
    def __init__(self) -> None:
        self.register = MemoryRegister()
        self.register.add_prefix("88.118.8")
        self.register.put("88.118.8/阀", OLD)
        self.resolver = Resolver(self.register, RecordCache(CacheLimits()), OWN_SITE)
        self.follower = Follower(self.resolver, self.register, self.register)

    async def ask(self, spelling: str) -> object:
        return await self.resolver.resolve(Query(Handle.parse(spelling)))

    async def settle(self) -> None:
        """Give the follower a moment to hear and apply."""
        await asyncio.sleep(0.02)


@pytest_asyncio.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    following = asyncio.create_task(world.follower.run())
    await world.settle()
    yield world
    following.cancel()


async def test_before_the_feed_stands_nothing_is_said() -> None:
    world = World()
    assert not world.follower.is_current
    assert await world.ask("88.118.8/阀") == Busy(Handle("88.118.8/阀"))


async def test_a_change_replaces_what_is_remembered(world) -> None:
    assert world.follower.is_current
    assert (await world.ask("88.118.8/阀")).record.values == (OLD,)
    world.register.put("88.118.8/阀", NEW)
    await world.settle()
    assert (await world.ask("88.118.8/阀")).record.values == (NEW,)


async def test_a_deletion_and_a_creation_are_seen(world) -> None:
    await world.ask("88.118.8/阀")
    await world.ask("88.118.8/泵")
    world.register.delete("88.118.8/阀")
    world.register.put("88.118.8/泵", NEW)
    await world.settle()
    assert await world.ask("88.118.8/阀") == NotFound(Handle("88.118.8/阀"), was_deleted=True)
    assert isinstance(await world.ask("88.118.8/泵"), Found)


async def test_prefixes_come_and_go(world) -> None:
    assert isinstance(await world.ask("88.118.9/X"), NotResponsible)
    await world.ask("88.118.8/阀")
    world.register.add_prefix("88.118.9")
    world.register.add_prefix("88.118.8", is_suspended=True)
    await world.settle()
    assert isinstance(await world.ask("88.118.9/X"), NotFound)
    assert isinstance(await world.ask("88.118.8/阀"), Suspended)


async def test_a_lost_feed_is_followed_again_and_misses_nothing(world) -> None:
    await world.ask("88.118.8/阀")
    world.register.break_feed(ConnectionError("gone"))
    await world.settle()
    assert not world.follower.is_current
    world.register.put("88.118.8/阀", NEW)
    await asyncio.sleep(0.3)
    assert world.follower.is_current
    assert (await world.ask("88.118.8/阀")).record.values == (NEW,)


async def test_a_feed_that_ran_away_empties_the_memory(world) -> None:
    await world.ask("88.118.8/阀")
    assert len(world.resolver.cache) == 1
    world.register.break_feed(LookupError("too long ago"))
    await world.settle()
    assert len(world.resolver.cache) == 0


async def test_a_prefix_change_during_an_outage_is_caught_up_with(world) -> None:
    world.register.outage = ConnectionError("gone")
    world.register.add_prefix("88.118.8", is_suspended=True)
    await world.settle()
    world.register.outage = None
    await asyncio.sleep(0.5)
    assert isinstance(await world.ask("88.118.8/阀"), Suspended)


async def test_a_failure_that_nobody_thought_of_is_told_once_and_survived_like_an_outage(world) -> None:
    await world.ask("88.118.8/阀")
    with structlog.testing.capture_logs() as events:
        world.register.outage = RuntimeError("relation idnode.changes does not exist")
        world.register.break_feed(RuntimeError("relation idnode.changes does not exist"))
        await asyncio.sleep(0.4)
        assert not world.follower.is_current
        assert len(world.resolver.cache) == 1
        world.register.outage = None
        await asyncio.sleep(0.6)
    assert world.follower.is_current
    assert [event["event"] for event in events] == ["change_feed_failed", "change_feed_connected"]
    assert events[0]["exc_info"]
