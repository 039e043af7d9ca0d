"""What vouches for a record as a node shows it: its signatures, and the certificates that the same node has."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import Final

from handle_protocol.handle import Handle
from handle_protocol.record import HandleRecord
from handle_protocol.security.public_keys import VerificationKey
from handle_protocol.security.record_trust import (
    CERTIFICATE_TYPE,
    SIGNATURE_TYPE,
    RecordTrust,
    Trust,
    TrustSource,
    verify_record,
)
from handle_protocol.value import HandleValue, ValueReference
from resolver.asking.node import Node
from resolver.asking.wires import TIMEOUT_SECONDS_DEFAULT
from resolver.operations.trust import SIGNATURES_MAX, VOUCHING_TYPES
from resolver.query import Query


@dataclass(frozen=True, slots=True)
class Vouching:
    """A record and what its signatures are worth.

    Attributes:
        signatures: by their indexes.
        accepts_weak: whether DSA, short RSA keys, MD5 and SHA-1 vouch for anything.
    """

    record: HandleRecord
    signatures: Mapping[int, RecordTrust]
    accepts_weak: bool = False

    @property
    def needed(self) -> tuple[HandleValue, ...]:
        """The values that need somebody to vouch for them: all but those that vouch for others."""
        return tuple(value for value in self.record.values if not any(map(value.has_type, VOUCHING_TYPES)))

    @property
    def is_whole(self) -> bool:
        """Whether there are values, and each of them is vouched for."""
        return bool(self.needed) and all(self.signature_over(value) is not None for value in self.needed)

    def signature_over(self, value: HandleValue) -> int | None:
        """Return the index of a signature that vouches for `value`."""
        return next(
            (
                index
                for index, trust in self.signatures.items()
                if self.is_believed(trust) and value.index in trust.signed_indexes
            ),
            None,
        )

    def is_believed(self, trust: RecordTrust) -> bool:
        """Tell whether a signature vouches for what it covers."""
        return trust.outcome is Trust.TRUSTED and (self.accepts_weak or not trust.is_weak)


async def verify_shown(
    node: Node,
    record: HandleRecord,
    anchors: Mapping[ValueReference, VerificationKey],
    now: float,
    *,
    accepts_weak: bool = False,
) -> Vouching:
    """Verify the signatures of a record that `node` showed.

    Args:
        node: is asked for certificates.
        record: all its public values.
        anchors: the keys that are trusted, by the reference under which certificates name them.
        now: Unix seconds.
        accepts_weak: see Vouching.

    Raises:
        OSError: a certificate was asked for, and there was no answer.
    """
    loop = asyncio.get_running_loop()
    source = TrustSource(anchors, _fetch_from(node, loop), now)
    signatures = [value for value in record.values if value.has_type(SIGNATURE_TYPE)][:SIGNATURES_MAX]
    verified = {}
    for each in signatures:
        verify = partial(verify_record, each.data, record.handle.spelling, record.values, source)
        verified[each.index] = await loop.run_in_executor(None, verify)
    return Vouching(record, verified, accepts_weak)


def _fetch_from(node: Node, loop: asyncio.AbstractEventLoop) -> Callable[[ValueReference], Sequence[HandleValue]]:
    """Return a function that a thread may call: it has the loop ask where a certificate should be."""

    def fetch(reference: ValueReference) -> Sequence[HandleValue]:
        asking: Future[Sequence[HandleValue]] = asyncio.run_coroutine_threadsafe(_certificates(node, reference), loop)
        return asking.result(_FETCH_SECONDS_MAX)

    return fetch


_FETCH_SECONDS_MAX: Final = 2 * TIMEOUT_SECONDS_DEFAULT
"""Each message has its own deadline; this one ends a thread whose loop has stopped."""


async def _certificates(node: Node, reference: ValueReference) -> Sequence[HandleValue]:
    reply = await node.resolve(Query(Handle.parse(reference.handle), types=(CERTIFICATE_TYPE,)))
    return reply.record.values if reply.is_success else ()
