"""Old changes disappear from the register, and what is new stays."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from handle_protocol.handle import Prefix
from node.housekeeping import keep_house
from registry.database import Database
from registry.migrate import migrate
from registry.prefixes import PrefixStore


async def test_changes_older_than_their_retention_are_deleted(database_url: str) -> None:
    async with Database.open(database_url) as database:
        await migrate(database)
        await PrefixStore(database).add(Prefix.parse("88.118.8"))
        await database.fetch("update change set committed_at = committed_at - interval '2 hours'")
        await PrefixStore(database).add(Prefix.parse("88.118.9"))

        with suppress(TimeoutError):
            await asyncio.wait_for(keep_house(database_url, pause_seconds=60), 1.0)

        ((left,),) = await database.fetch("select count(*) from change")
        assert left == 1
