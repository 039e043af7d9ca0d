"""Absent handles that templates compute: what that takes comes from memory, or else from the register.

An unknown name costs the register one more key than its own, its base; the record of the prefix, and templates that
it refers to, are the same for all names and soon remembered.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from handle_protocol.handle import Handle
from handle_protocol.record import HandleRecord, decode_value_list
from resolver.authority import Authority
from resolver.cache import RecordCache
from resolver.flights import Flights
from resolver.sources import RegisteredPrefix
from resolver.templates import Values, compute
from resolver.value_terms import terms_of

Computed = tuple[HandleRecord | None]
"""A computed record, or None for a handle that no template computes."""


class _NotInMemory(LookupError):
    """The register must be asked."""

    def __init__(self, key: bytes) -> None:
        super().__init__(key)
        self.key = key


class ComputedRecords:
    """Computes records for one resolver, of which it is given the parts."""

    def __init__(
        self,
        authority: Callable[[], Authority],
        cache: RecordCache,
        flights: Flights,
        clock: Callable[[], float],
    ) -> None:
        self._authority = authority
        self._cache = cache
        self._flights = flights
        self._clock = clock

    def from_memory(self, handle: Handle, registered: RegisteredPrefix) -> Computed | None:
        """Compute the record of `handle`, or return None: the register must be asked."""
        computation = compute(handle, registered.prefix, ignores_case=registered.folds_suffix)
        try:
            wanted = next(computation)
            while True:
                wanted = computation.send(self._recall(wanted))
        except _NotInMemory:
            return None
        except StopIteration as end:
            return (_record(handle, end.value),)

    async def with_register(self, handle: Handle, registered: RegisteredPrefix) -> HandleRecord | None:
        """Compute the record of `handle`; return None when no template computes it. Raises as Flights.fetch."""
        computation = compute(handle, registered.prefix, ignores_case=registered.folds_suffix)
        try:
            wanted = next(computation)
            while True:
                wanted = computation.send(await self._fetch(wanted))
        except StopIteration as end:
            return _record(handle, end.value)

    def _recall(self, handle: Handle) -> Values | None:
        registered = self._authority().find(handle)
        if registered is None or registered.is_suspended or registered.delegated_to is not None:
            return None
        key, now = handle.key(folds_suffix=registered.folds_suffix), self._clock()
        entry = self._cache.look_up(key, now)
        if entry is not None:
            return decode_value_list(entry[1])
        if self._cache.is_absent(key, now):
            return None
        raise _NotInMemory(key)

    async def _fetch(self, handle: Handle) -> Values | None:
        try:
            return self._recall(handle)
        except _NotInMemory as missing:
            record = await asyncio.shield(self._flights.fetch(missing.key))
        return None if record is None else decode_value_list(terms_of(record.value_list)[1])


def _record(handle: Handle, values: Values | None) -> HandleRecord | None:
    return None if values is None else HandleRecord.of(handle, values)
