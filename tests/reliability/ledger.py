"""What was acknowledged to a client that writes while things are killed, and whether the register still has it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from handle_protocol.handle import Handle
from handle_protocol.record import HandleRecord
from registry.database import Database
from registry.outcomes import OutcomeKind
from registry.records import RecordReader, RecordStore
from tests.builders import text_value

GROUP_RECORDS = 20
"""Records that are always written together: one is never newer than the others."""

ROUNDS_UNTIL_DELETION = 5
RETRY_SECONDS = 0.05


def group_of(number: int) -> Sequence[Handle]:
    """Return the handles of one group."""
    return tuple(Handle(f"88.118.8/批次-{number:02d}/{each:02d}") for each in range(GROUP_RECORDS))


@dataclass
class Group:
    """Records that are written together, by one writer.

    Attributes:
        attempted: the last version that was sent.
        acknowledged: the last version of which we were told that it is stored.
        is_in_doubt: something has failed since we last looked: look before the next change hides what was lost.
    """

    number: int
    attempted: int = 0
    acknowledged: int = 0
    is_in_doubt: bool = False

    def is_deleted_in(self, version: int) -> bool:
        """Tell whether that version is a deletion; before the first there was nothing either."""
        return version % ROUNDS_UNTIL_DELETION == 0

    async def check(self, database: Database) -> None:
        """Compare the register with what was acknowledged.

        Raises:
            AssertionError: something is lost, undone or torn.
        """
        records = (await RecordReader(database).fetch([handle.key() for handle in group_of(self.number)])).values()
        assert len(records) in {0, GROUP_RECORDS}, f"torn: {len(records)} of {GROUP_RECORDS} records are there"
        versions = {int(record.values[0].data.decode().rpartition(" ")[2]) for record in records}
        assert len(versions) <= 1, f"torn: versions {sorted(versions)} in one group"
        possible = range(self.acknowledged, self.attempted + 1)
        if versions:
            assert versions <= set(possible), f"lost or undone: {self}, stored {versions}"
        else:
            assert any(map(self.is_deleted_in, possible)), f"lost: {self}"
        self.is_in_doubt = False


@dataclass
class Ledger:
    """What some writers did.

    Attributes:
        acknowledged_at: when, in seconds of the monotonic clock.
        longest_call_seconds: of all calls, those that failed included.
        looks: how often a writer looked, after a failure, whether everything was still there.
    """

    groups: Sequence[Group]
    acknowledged_at: list[float] = field(default_factory=list)
    longest_call_seconds: float = 0.0
    looks: int = 0

    def seconds_until_acknowledged(self, since: float) -> float | None:
        """Return how long after a moment the first change was acknowledged, None = not yet."""
        return next((at - since for at in self.acknowledged_at if at > since), None)

    async def check(self, database: Database) -> None:
        """Compare the register with everything that was acknowledged. Raises AssertionError."""
        for group in self.groups:
            await group.check(database)


@asynccontextmanager
async def writing(find_url: Callable[[], str | None], groups: int = 4) -> AsyncIterator[Ledger]:
    """Let one writer for each group change it again and again, through every outage, until the block is left.

    Args:
        find_url: says where the register is now; None = nobody knows.
        groups: how many.
    """
    ledger = Ledger([Group(number) for number in range(groups)])
    is_over = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        for group in ledger.groups:
            tasks.create_task(_write(ledger, group, find_url, is_over))
        try:
            yield ledger
        finally:
            is_over.set()


async def _write(ledger: Ledger, group: Group, find_url: Callable[[], str | None], is_over: asyncio.Event) -> None:
    while not is_over.is_set():
        url = find_url()
        if url is not None:
            async with Database.open(url) as database:
                while not is_over.is_set() and find_url() == url:
                    await _write_once(ledger, group, database)
        await asyncio.sleep(RETRY_SECONDS)


async def _write_once(ledger: Ledger, group: Group, database: Database) -> None:
    began_at = time.monotonic()
    try:
        if group.is_in_doubt:
            await group.check(database)
            ledger.looks += 1
        await _change(group, RecordStore(database))
    except (ConnectionError, TimeoutError):
        group.is_in_doubt = True
        await asyncio.sleep(RETRY_SECONDS)
    else:
        ledger.acknowledged_at.append(time.monotonic())
    finally:
        ledger.longest_call_seconds = max(ledger.longest_call_seconds, time.monotonic() - began_at)


async def _change(group: Group, store: RecordStore) -> None:
    version = group.attempted = group.attempted + 1
    if group.is_deleted_in(version):
        outcomes = await store.delete(group_of(group.number))
    else:
        outcomes = await store.put([_record(handle, version) for handle in group_of(group.number)])
    assert not {outcome.kind for outcome in outcomes} & {OutcomeKind.REFUSED, OutcomeKind.SAME}
    group.acknowledged = version


def _record(handle: Handle, version: int) -> HandleRecord:
    return HandleRecord.of(handle, (text_value(2000, "名称", f"锂电冲击扳手 {version}"),))
