"""The chain from a query to an answer.

authority (ours? suspended? delegated?) ─▶ L1 ─▶ register, in batches ─▶ absent ones are computed, where a template says
    how ─▶ prefix records get their site
    ─▶ selection and visibility ─▶ answer
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Final

from handle_protocol.handle import Handle
from handle_protocol.predefined import parse_data
from handle_protocol.predefined.namespace import Namespace
from handle_protocol.predefined.site import Site, encode_site
from handle_protocol.record import NO_VALUES, HandleRecord
from handle_protocol.value import HandleValue
from resolver.answer import (
    Answer,
    Busy,
    Found,
    NotFound,
    NotResponsible,
    PermissionNeeded,
    Referred,
    Suspended,
    ValuesNotFound,
)
from resolver.authority import Authority
from resolver.cache import RecordCache
from resolver.computed import ComputedRecords
from resolver.fast_path.records import Entry
from resolver.flights import Flights, Landing
from resolver.query import Query
from resolver.sources import RecordSource, RegisteredPrefix
from resolver.unix_clock import UnixClock

PROBE_SECONDS: Final = 1.0
"""After an outage showed, the register is left alone for so long, instead of letting everybody wait for it."""

_PREFIX_RECORDS: Final = b"0."
"""How the keys of records begin that say something about others."""

_SITE_TYPES: Final = ("HS_SITE", "HS_SITE.6", "HS_SERV")
"""A prefix record with one of these says itself where its handles are."""


class Resolver:
    """Answers queries from what a worker remembers and from the register.

    Attributes:
        site: where this node is, as HS_SITE tells it.
        authority: the registered prefixes; replaced as a whole when they change.
        cache: what is remembered.
        clock, unix_clock: the seconds that the cache counts in, and those of the world.
    """

    def __init__(
        self,
        source: RecordSource,
        cache: RecordCache,
        site: Site,
        *,
        queries_max: int = 3,
        clock: Callable[[], float] = time.monotonic,
        unix_clock: Callable[[], float] | None = None,
    ) -> None:
        self.site = site
        self.authority = Authority()
        self.cache = cache
        self.clock = clock
        self.unix_clock = unix_clock or UnixClock()
        self._unreachable_until = 0.0
        self._prefix_changes = 0
        self._flights = Flights(source, self._remember, self._note_failure, queries_max)
        self._computed = ComputedRecords(lambda: self.authority, cache, self._flights, clock)

    @property
    def prefix_state(self) -> tuple[Authority, int]:
        """What is another one whenever a prefix, or a record that describes one, may have changed."""
        return self.authority, self._prefix_changes

    async def resolve(self, query: Query) -> Answer:
        """Answer `query`, asking the register where memory does not suffice."""
        return self.answer_from_memory(query) or await self.answer_from_register(query)

    async def namespace_of(self, handle: Handle) -> Namespace | None:
        """Return what the record of its prefix says to everybody about `handle`; None when it says nothing readable."""
        registered = self.authority.find(handle)
        if registered is None or handle.described_prefix is not None:
            return None
        answer = await self.resolve(Query(registered.prefix.handle, types=("HS_NAMESPACE",)))
        values = answer.record.values if isinstance(answer, Found) else ()
        read = (parse_data(value) for value in sorted(values, key=lambda value: value.index))
        return next((namespace for namespace in read if isinstance(namespace, Namespace)), None)

    def answer_from_memory(self, query: Query) -> Answer | None:
        """Answer `query` without waiting for anything, or return None: the register must be asked."""
        registered = self.authority.find(query.handle)
        if registered is None:
            return NotResponsible(query.handle) if self.authority.is_known else Busy(query.handle)
        answer = _answer_by_authority(query, registered)
        if answer is not None or query.is_authoritative:
            return answer
        key, now = _key(query.handle, registered), self.clock()
        entry = self.cache.look_up(key, now)
        if entry is not None:
            return self._conclude(query, registered, _recall(query, entry), is_public=query.is_public_only)
        computed = self._computed.from_memory(query.handle, registered) if self.cache.is_absent(key, now) else None
        return None if computed is None else self._conclude(query, registered, *computed)

    async def answer_from_register(self, query: Query) -> Answer:
        """Answer `query` as the register has it now; from memory only while the register cannot be asked."""
        registered = self.authority.find(query.handle)
        if registered is None:
            return NotResponsible(query.handle)
        key = _key(query.handle, registered)
        if self.clock() < self._unreachable_until:
            return self._answer_without_register(query, registered, key)
        try:
            is_absent = not query.is_authoritative and self.cache.is_absent(key, self.clock())
            record = None if is_absent else await asyncio.shield(self._flights.fetch(key))
            record = record or await self._computed.with_register(query.handle, registered)
        except (ConnectionError, TimeoutError):
            return self._answer_without_register(query, registered, key)
        return self._conclude(query, registered, record)

    async def stored(self, handle: Handle) -> Answer:
        """Return what the register holds under `handle` now: every value, spelled as registered, no site added.

        Found, NotFound, NotResponsible, Suspended, Referred (delegated) or Busy. For those who decide upon a change.
        """
        registered = self.authority.find(handle)
        if registered is None:
            return NotResponsible(handle) if self.authority.is_known else Busy(handle)
        elsewhere = _answer_by_authority(Query(handle), registered)
        if elsewhere is not None:
            return elsewhere
        if self.clock() < self._unreachable_until:
            return Busy(handle)
        try:
            record = await asyncio.shield(self._flights.fetch(_key(handle, registered)))
        except (ConnectionError, TimeoutError):
            return Busy(handle)
        return NotFound(handle) if record is None else Found(record)

    def with_site(self, handle: Handle, record: HandleRecord | None) -> HandleRecord | None:
        """Return the stored `record` of `handle`, with the HS_SITE that the records of registered prefixes have."""
        registered = self.authority.find(handle)
        if registered is None or not _has_site(handle, registered, record):
            return record
        return _with_site(record, handle, registered, registered.delegated_to or self.site)

    def fetch(self, key: bytes) -> Landing | None:
        """Fetch what is to be remembered under `key`; None when memory has it, or the register cannot be asked now."""
        now = self.clock()
        if now < self._unreachable_until or self.cache.look_up(key, now) or self.cache.is_absent(key, now):
            return None
        return self._flights.fetch(key)

    def forget(self, keys: Iterable[bytes]) -> None:
        """Drop what is remembered of `keys`, and do not remember what is just being fetched of them."""
        for key in keys:
            self._flights.ground(key)
            self.cache.evict(key)
            self._prefix_changes += key.startswith(_PREFIX_RECORDS)

    def forget_everything(self) -> None:
        """Do so for every key."""
        self._flights.ground_all()
        self.cache.clear()
        self._prefix_changes += 1

    def _answer_without_register(self, query: Query, registered: RegisteredPrefix, key: bytes) -> Answer:
        entry = self.cache.look_up_stale(key, self.clock())
        if entry is None:
            return Busy(query.handle)
        record = _recall(query, entry)
        return self._conclude(query, registered, record, is_public=query.is_public_only, is_authoritative=False)

    def _conclude(
        self,
        query: Query,
        registered: RegisteredPrefix,
        record: HandleRecord | None,
        *,
        is_public: bool = False,
        is_authoritative: bool = True,
    ) -> Answer:
        """Answer with `record` as it is stored, or just its public values: `is_public`."""
        if _has_site(query.handle, registered, record):
            record = _with_site(record, query.handle, registered, registered.delegated_to or self.site)
        if record is None:
            return NotFound(query.handle, self.cache.was_deleted(_key(query.handle, registered)))
        record = HandleRecord(query.handle, record.value_list, record.revision)  # Spelled as it was asked.
        if is_public and query.wants_everything and record.value_list != NO_VALUES:
            return Found(record, is_authoritative)
        return _select(query, record, is_authoritative=is_authoritative)

    def _note_failure(self, error: Exception) -> None:
        if isinstance(error, ConnectionError | TimeoutError):
            self._unreachable_until = self.clock() + PROBE_SECONDS

    def _remember(self, key: bytes, record: HandleRecord | None) -> None:
        self.cache.put(key, record, self.clock(), self.unix_clock())


def _answer_by_authority(query: Query, registered: RegisteredPrefix) -> Answer | None:
    described = query.handle.described_prefix
    if registered.is_suspended:
        return Suspended(query.handle, registered.prefix)
    if described == registered.prefix or registered.delegated_to is None:
        return None
    if not query.may_refer:
        return NotResponsible(query.handle)
    return Referred(query.handle, registered.delegated_to, is_prefix_query=described is not None)


def _has_site(handle: Handle, registered: RegisteredPrefix, record: HandleRecord | None) -> bool:
    """Tell whether `handle` describes a prefix that is registered, or one derived from it that has a record."""
    described = handle.described_prefix
    return described is not None and (record is not None or described == registered.prefix)


def _key(handle: Handle, registered: RegisteredPrefix) -> bytes:
    return handle.key(folds_suffix=registered.folds_suffix)


def _select(query: Query, record: HandleRecord, *, is_authoritative: bool) -> Answer:
    values = record.values
    selected = query.select(values)
    visible = tuple(value for value in selected if value.is_public)
    if not query.is_public_only and len(visible) < len(selected):
        return PermissionNeeded(query.handle)
    if not visible:
        return ValuesNotFound(query.handle)
    if len(visible) < len(values):
        record = HandleRecord.of(record.handle, visible, record.revision)
    return Found(record, is_authoritative)


def _recall(query: Query, entry: Entry) -> HandleRecord:
    _, public_list, value_list, revision = entry
    return HandleRecord(query.handle, public_list if query.is_public_only else value_list, revision)


def _with_site(record: HandleRecord | None, handle: Handle, registered: RegisteredPrefix, site: Site) -> HandleRecord:
    """Return the record of a prefix with the HS_SITE that every such record has, unless it names its own."""
    values = () if record is None else record.values
    if record is not None and any(value.has_type(each) for value in values for each in _SITE_TYPES):
        return record
    taken = {value.index for value in values}
    index = next(index for index in range(1, len(taken) + 2) if index not in taken)
    own = HandleValue(index, "HS_SITE", encode_site(site), modified_at=registered.changed_at)
    revision = 0 if record is None else record.revision
    return HandleRecord.of(handle, sorted((own, *values), key=lambda value: value.index), revision)
