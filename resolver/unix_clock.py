"""Seconds since 1970 for one process, which do not go back when somebody sets the machine's clock back.

What has expired stays expired: a signature that ended does not become valid again, nor does a value live longer that
says until when it lives. All timers count in the monotonic clock anyway.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

import structlog

TOLD_SECONDS: Final = 60.0
"""A clock that is so far behind was set back; less is what time servers correct."""

_log = structlog.get_logger()


class UnixClock:
    """The machine's clock, or the time that has passed here since the start, whichever is later.

    Who started while the clock was fast stays as fast until started again; a clock that is fast for a while only
    later leaves no trace.

    Args:
        wall: seconds since 1970 as the machine has them.
        clock: monotonic, seconds.
    """

    def __init__(self, wall: Callable[[], float] = time.time, clock: Callable[[], float] = time.monotonic) -> None:
        self._wall = wall
        self._clock = clock
        self._began_at = wall() - clock()
        self._was_told = False

    def __call__(self) -> float:
        """Return what time it is."""
        now, passed_to = self._wall(), self._began_at + self._clock()
        if now >= passed_to:
            return now
        if not self._was_told and passed_to - now > TOLD_SECONDS:
            self._was_told = True
            _log.warning("clock_set_back", seconds=round(passed_to - now))
        return passed_to
