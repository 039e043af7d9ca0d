"""What has to be done in the register from time to time: changes that every worker has long heard of are deleted."""

from __future__ import annotations

import asyncio
from typing import Final

import structlog

from registry.changes import purge
from registry.database import Database

PAUSE_SECONDS: Final = 600.0
"""Changes are kept for an hour and some minutes: they are small, and being late costs nothing."""


async def keep_house(database_url: str, pause_seconds: float = PAUSE_SECONDS) -> None:
    """Purge old changes now and after every pause, until cancelled; an outage is waited for."""
    log = structlog.get_logger()
    async with Database.open(database_url, connections_max=1) as database:
        while True:
            try:
                deleted = await purge(database)
            except (ConnectionError, TimeoutError) as outage:
                log.warning("purge_postponed", reason=str(outage))
            else:
                if deleted:
                    log.info("changes_purged", changes=deleted)
            await asyncio.sleep(pause_seconds)
