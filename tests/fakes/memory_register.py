"""A register in memory: fulfils what `resolver.sources` asks for, and can be taken away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field

from handle_protocol.handle import Handle, Prefix
from handle_protocol.predefined.site import Site
from handle_protocol.record import HandleRecord
from handle_protocol.value import HandleValue


@dataclass(frozen=True, slots=True)
class MemoryPrefix:
    """A registered prefix."""

    prefix: Prefix
    is_suspended: bool = False
    folds_suffix: bool = False
    delegated_to: Site | None = None
    changed_at: int = 1_700_000_000


@dataclass(frozen=True, slots=True)
class MemoryChange:
    """What one transaction changed."""

    record_keys: Sequence[bytes] = ()
    has_prefixes: bool = False


@dataclass
class MemoryRegister:
    """Records and prefixes by key.

    Attributes:
        outage: raised instead of answering, when set.
        batches: the keys of every fetch, in order.
        is_open: cleared to hold every fetch back.
    """

    records: dict[bytes, HandleRecord] = field(default_factory=dict)
    prefixes: dict[str, MemoryPrefix] = field(default_factory=dict)
    outage: Exception | None = None
    batches: list[tuple[bytes, ...]] = field(default_factory=list)
    is_open: asyncio.Event = field(default_factory=asyncio.Event)
    _changes: asyncio.Queue[MemoryChange | Exception] = field(default_factory=asyncio.Queue)

    def __post_init__(self) -> None:
        self.is_open.set()

    def add_prefix(self, name: str, **fields: object) -> None:
        """Register a prefix, or change it, and say so in the feed."""
        self.prefixes[name] = MemoryPrefix(Prefix.parse(name), **fields)
        self._changes.put_nowait(MemoryChange(has_prefixes=True))

    def put(self, spelling: str, *values: HandleValue, folds_suffix: bool = False) -> HandleRecord:
        """Store a record, and say so in the feed."""
        handle = Handle.parse(spelling)
        key = handle.key(folds_suffix=folds_suffix)
        before = self.records.get(key)
        record = HandleRecord.of(handle, values, revision=1 if before is None else before.revision + 1)
        self.records[key] = record
        self._changes.put_nowait(MemoryChange((key,)))
        return record

    def delete(self, spelling: str) -> None:
        """Delete a record, and say so in the feed."""
        key = Handle.parse(spelling).key()
        del self.records[key]
        self._changes.put_nowait(MemoryChange((key,)))

    def break_feed(self, error: Exception) -> None:
        """Let whoever follows the feed meet `error`."""
        self._changes.put_nowait(error)

    async def fetch(self, keys: Sequence[bytes]) -> Mapping[bytes, HandleRecord]:
        """Return those of `keys` that exist, as they were when the fetch began."""
        self.batches.append(tuple(keys))
        found = {key: self.records[key] for key in keys if key in self.records}
        await self.is_open.wait()
        await asyncio.sleep(0)
        if self.outage is not None:
            raise self.outage
        return found

    async def load(self) -> Sequence[MemoryPrefix]:
        """Return every prefix."""
        await asyncio.sleep(0)
        if self.outage is not None:
            raise self.outage
        return tuple(self.prefixes.values())

    async def follow(self) -> AsyncIterator[Sequence[MemoryChange]]:
        """Yield changes as they come."""
        if self.outage is not None:
            raise self.outage
        yield ()
        while True:
            change = await self._changes.get()
            if isinstance(change, Exception):
                raise change
            yield (change,)
