"""A register in memory: fulfils what `resolver.sources` asks for, and can be taken away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from handle_protocol.handle import Handle, Prefix
from handle_protocol.limits import VALUE_LIST_OCTETS_MAX
from handle_protocol.predefined.site import Site
from handle_protocol.record import NO_VALUES, HandleRecord
from handle_protocol.value import HandleValue
from resolver.authority import Authority
from resolver.sources import ChangeResult, RecordChange, RegisteredPrefix


@dataclass(frozen=True, slots=True)
class MemoryPrefix:
    """A registered prefix."""

    prefix: Prefix
    is_suspended: bool = False
    is_withdrawn: bool = False
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
        tombstones: revisions of deleted records.
        outage: raised instead of answering, when set.
        batches: the keys of every fetch, in order.
        transactions: the changes of every apply, in order.
        results: what becomes of changes to these keys instead of what should.
        meanwhile: what happens just before each of the next transactions.
        is_open: cleared to hold every fetch back.
    """

    records: dict[bytes, HandleRecord] = field(default_factory=dict)
    tombstones: dict[bytes, int] = field(default_factory=dict)
    prefixes: dict[str, MemoryPrefix] = field(default_factory=dict)
    outage: Exception | None = None
    batches: list[tuple[bytes, ...]] = field(default_factory=list)
    transactions: list[tuple[RecordChange, ...]] = field(default_factory=list)
    results: dict[bytes, ChangeResult] = field(default_factory=dict)
    meanwhile: list[Callable[[], object]] = field(default_factory=list)
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
        revision = self.tombstones.pop(key, 0) if before is None else before.revision
        record = HandleRecord.of(handle, values, revision + 1)
        self.records[key] = record
        self._changes.put_nowait(MemoryChange((key,)))
        return record

    def delete(self, spelling: str) -> None:
        """Delete a record, and say so in the feed."""
        key = Handle.parse(spelling).key()
        self.tombstones[key] = self.records.pop(key).revision + 1
        self._changes.put_nowait(MemoryChange((key,)))

    def break_feed(self, error: Exception) -> None:
        """Let whoever follows the feed meet `error`."""
        self._changes.put_nowait(error)

    async def fetch(self, keys: Sequence[bytes]) -> Mapping[bytes, HandleRecord]:
        """Return those of `keys` that exist or were deleted, as they were when the fetch began."""
        self.batches.append(tuple(keys))
        found = {key: self.records[key] for key in keys if key in self.records}
        found |= {key: _tombstone(key, self.tombstones[key]) for key in keys if key in self.tombstones.keys() - found}
        await self.is_open.wait()
        await asyncio.sleep(0)
        if self.outage is not None:
            raise self.outage
        return found

    async def apply(self, changes: Sequence[RecordChange]) -> Sequence[tuple[ChangeResult, int]]:
        """Store what still fits, all at once, and say so in the feed."""
        self.transactions.append(tuple(changes))
        await self.is_open.wait()
        await asyncio.sleep(0)
        if self.outage is not None:
            raise self.outage
        if self.meanwhile:
            self.meanwhile.pop(0)()
        return [self._apply(change) for change in changes]

    def _apply(self, change: RecordChange) -> tuple[ChangeResult, int]:
        registered = Authority(self.prefixes.values()).find(change.handle)
        refusal = _refusal(change.handle, registered)
        if refusal is not None or registered is None:
            return refusal or ChangeResult.NOT_OURS, 0
        key = change.handle.key(folds_suffix=registered.folds_suffix)
        if key in self.results:
            return self.results[key], 0
        if change.value_list is not None and len(change.value_list) > VALUE_LIST_OCTETS_MAX:
            return ChangeResult.TOO_LONG, 0
        before = self.records.get(key)
        revision = 0 if before is None else before.revision
        is_nothing_to_delete = change.value_list is None and before is None
        if is_nothing_to_delete or revision != change.expected_revision:
            return ChangeResult.CONFLICT, self.tombstones.get(key, revision)
        return ChangeResult.DONE, self._replace(key, before, change)

    def _replace(self, key: bytes, before: HandleRecord | None, change: RecordChange) -> int:
        revision = 1 + (self.tombstones.pop(key, 0) if before is None else before.revision)
        if change.value_list is None:
            del self.records[key]
            self.tombstones[key] = revision
        else:
            handle = change.handle if before is None else before.handle
            self.records[key] = HandleRecord(handle, change.value_list, revision)
        self._changes.put_nowait(MemoryChange((key,)))
        return revision

    async def list_handles(self, prefix: Prefix, after: bytes, handles_max: int) -> Sequence[tuple[bytes, Handle]]:
        """Return keys and handles directly below `prefix`, after the key `after`."""
        await asyncio.sleep(0)
        if self.outage is not None:
            raise self.outage
        keys = sorted(key for key in self.records if key.startswith(prefix.key + b"/") and key > after)
        return [(key, self.records[key].handle) for key in keys[:handles_max]]

    async def count_handles(self, prefix: Prefix) -> int:
        """Return how many there are."""
        return len(await self.list_handles(prefix, b"", len(self.records)))

    async def home(self, prefix: Prefix) -> bool:
        """Register a prefix."""
        await asyncio.sleep(0)
        if prefix.name in self.prefixes:
            if self.prefixes[prefix.name].delegated_to is not None:
                raise PermissionError(f"{prefix} is delegated")
            return False
        self.add_prefix(prefix.name)
        return True

    async def unhome(self, prefix: Prefix) -> bool:
        """Forget that a prefix is registered."""
        await asyncio.sleep(0)
        if self.prefixes.pop(prefix.name, None) is None:
            return False
        self._changes.put_nowait(MemoryChange(has_prefixes=True))
        return True

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


def _refusal(handle: Handle, registered: RegisteredPrefix | None) -> ChangeResult | None:
    """Return why nothing may be written under `handle`; prefix handles are ours to write below any of our prefixes."""
    if registered is None:
        return ChangeResult.NOT_OURS
    if handle.described_prefix is not None:
        return None
    if registered.is_suspended:
        return ChangeResult.SUSPENDED
    return None if registered.delegated_to is None else ChangeResult.DELEGATED


def _tombstone(key: bytes, revision: int) -> HandleRecord:
    return HandleRecord(Handle(key.decode()), NO_VALUES, revision, is_deleted=True)
