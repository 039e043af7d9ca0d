"""How a worker learns of changes: it follows the feed, forgets what changed and reloads the prefixes.

Order matters: the feed is connected first and the prefixes are loaded after it, so that no change falls between.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Final

import structlog

from resolver.authority import Authority
from resolver.resolve import Resolver
from resolver.sources import Change, ChangeFeed, PrefixSource

RETRY_SECONDS: Final = (0.1, 0.2, 0.5, 1.0)
"""Pauses before the feed is followed again after a loss; the last one repeats."""

KEYS_PER_TURN: Final = 2_000
"""Keys forgotten before the loop may do something else: about a millisecond."""

log = structlog.get_logger()


class Follower:
    """Keeps one resolver in step with the register.

    Attributes:
        is_current: whether the feed is connected and everything it said has been applied.
        became_current: set once that was so for the first time.
        heard_at: when the feed last said where it stands, in seconds of `clock`.
    """

    def __init__(
        self,
        resolver: Resolver,
        feed: ChangeFeed,
        prefixes: PrefixSource,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._resolver = resolver
        self._feed = feed
        self._prefixes = prefixes
        self._clock = clock
        self._losses = 0
        self._surprise: type[Exception] | None = None
        self._starts_afresh = True
        self.is_current = False
        self.became_current = asyncio.Event()
        self.heard_at = clock()

    async def run(self) -> None:
        """Follow the feed until cancelled, through every outage, also one that nobody thought of.

        A worker that ended here would take its cache with it, and cached answers are what an outage is survived by.
        """
        while True:
            try:
                await self._follow()
            except LookupError:
                log.warning("change_feed_outrun")
                self._starts_afresh = True
                self._resolver.forget_everything()
            except (ConnectionError, TimeoutError) as outage:
                if self._is_newly_lost:
                    log.warning("change_feed_lost", reason=str(outage))
            except Exception as surprise:  # the edge of the feed: a missing table, a bug
                if self._is_newly_lost or type(surprise) is not self._surprise:
                    log.exception("change_feed_failed")
                self._surprise = type(surprise)
            self.is_current = False
            await asyncio.sleep(RETRY_SECONDS[min(self._losses, len(RETRY_SECONDS) - 1)])
            self._losses += 1

    @property
    def _is_newly_lost(self) -> bool:
        """Whether this is the first failure since the feed stood, or since the start."""
        return self.is_current or not self._losses

    async def _follow(self) -> None:
        must_load = True
        async for changes in self._feed.follow():
            heard_at = self._clock()
            if self._starts_afresh:  # What was read before the feed stood is covered by no batch.
                self._resolver.forget_everything()
                self._starts_afresh = False
            await self._forget(changes)
            if must_load or any(change.has_prefixes for change in changes):
                self._resolver.authority = Authority(await self._prefixes.load())
                must_load = False
            self._resolver.cache.trust(heard_at)
            self.heard_at = heard_at
            if not self.is_current:
                log.info("change_feed_connected")
            self.is_current, self._losses = True, 0
            self.became_current.set()

    async def _forget(self, changes: Sequence[Change]) -> None:
        for change in changes:
            keys = change.record_keys
            for start in range(0, len(keys), KEYS_PER_TURN):
                self._resolver.forget(keys[start : start + KEYS_PER_TURN])
                if len(keys) > KEYS_PER_TURN:
                    await asyncio.sleep(0)
