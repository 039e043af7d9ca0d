"""Trusted queries: whether what a resolution shows is signed, by keys that certificates lead to from trusted ones.

Asked with the flag TRUSTED_QUERY of CAICT's SDK: an answer that everything in it is vouched for has TRUSTED_RESULT, and
anything less is code 3001. Templates and sites that the node adds are signed by nobody.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

from handle_protocol.errors import ProtocolError
from handle_protocol.handle import Handle
from handle_protocol.record import HandleRecord
from handle_protocol.security.public_keys import VerificationKey
from handle_protocol.security.record_trust import SIGNATURE_TYPE, Trust, TrustSource, verify_record
from handle_protocol.value import HandleValue, ValueReference
from resolver.answer import Found
from resolver.authentication.keys import KeySource, RemoteKeys
from resolver.resolve import Resolver

SIGNATURES_MAX: Final = 4
"""Signatures of one record that are looked at; a record has one, or two while keys change."""

CHECKS_MAX: Final = 16
"""Ours: records that are verified at once in one worker; each may take some milliseconds and some looks elsewhere."""

CERTIFICATE_SECONDS: Final = 2.0
"""For one look at where a certificate is."""

VOUCHING_TYPES: Final = (SIGNATURE_TYPE, "HS_CERT")
"""Values that vouch for others, and so need nobody to vouch for them."""


class TrustedQueries:
    """Verifies records.

    Args:
        resolver: knows the records as they are stored, of which an answer may show a part.
        anchors: the keys that are trusted, by the reference under which certificates name them.
        keys, remote: where certificates are found.
        threads: where signatures are verified.
        accepts_legacy: whether SHA-1, DSA and short keys vouch for anything.
    """

    def __init__(
        self,
        resolver: Resolver,
        anchors: Mapping[ValueReference, VerificationKey],
        keys: KeySource,
        remote: RemoteKeys | None,
        threads: ThreadPoolExecutor,
        *,
        accepts_legacy: bool = False,
    ) -> None:
        self._resolver = resolver
        self._anchors = anchors
        self._keys = keys
        self._remote = remote
        self._threads = threads
        self._accepts_legacy = accepts_legacy
        self._under_way = 0

    async def find_fault(self, shown: HandleRecord) -> str | None:
        """Return why not everything in `shown` is vouched for, as a word of Trust; None when it is."""
        if self._under_way >= CHECKS_MAX:
            return "busy"
        self._under_way += 1
        try:
            stored = await self._resolver.stored(shown.handle)
            if not isinstance(stored, Found):
                return Trust.UNTRUSTED.value
            return await self._find_fault(shown, stored.record.values)
        finally:
            self._under_way -= 1

    async def _find_fault(self, shown: HandleRecord, stored: Sequence[HandleValue]) -> str | None:
        loop = asyncio.get_running_loop()
        source = TrustSource(self._anchors, self._fetch_from(loop), self._resolver.unix_clock())
        signatures = [value for value in stored if value.has_type(SIGNATURE_TYPE)][:SIGNATURES_MAX]
        covered: set[int] = set()
        fault = Trust.UNTRUSTED.value
        for signature in signatures:
            verified = await loop.run_in_executor(
                self._threads, verify_record, signature.data, shown.handle.spelling, stored, source
            )
            if verified.outcome is not Trust.TRUSTED:
                fault = verified.outcome.value
            elif self._accepts_legacy or not verified.is_weak:
                covered.update(verified.signed_indexes)
        needed = {value.index for value in shown.values if not any(map(value.has_type, VOUCHING_TYPES))}
        return None if needed and needed <= covered else fault

    def _fetch_from(self, loop: asyncio.AbstractEventLoop) -> Callable[[ValueReference], Sequence[HandleValue]]:
        """Return a function that a thread may call: it has the loop look where a certificate should be."""

        def fetch(reference: ValueReference) -> Sequence[HandleValue]:
            looking: Future[Sequence[HandleValue]] = asyncio.run_coroutine_threadsafe(self._values(reference), loop)
            try:
                return looking.result(CERTIFICATE_SECONDS)
            except (TimeoutError, ConnectionError, ProtocolError):
                looking.cancel()
                return ()

        return fetch

    async def _values(self, reference: ValueReference) -> Sequence[HandleValue]:
        handle = Handle.parse(reference.handle)
        values = await self._keys.values(handle)
        if values is not None:
            return values
        return () if self._remote is None else await self._remote.values(handle)
