"""What UDP clients send again because no answer came: it is done once, and answered like the first time.

A client waits for half a second, a second, one and a half (handle_protocol.limits), and repeats its octets from the
same socket. A question may be answered anew; a change must not be made, nor a challenge be used up, twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final

from handle_protocol import octets
from handle_protocol.codes import OpCode
from handle_protocol.limits import ENVELOPE_OCTETS
from resolver.authentication.fair_table import FairTable
from resolver.authentication.networks import network_of

REPEATED_SECONDS: Final = 10.0
"""Ours: longer than all tries of a client together."""

REPEATED_MAX: Final = 10_000
"""Ours: requests that are remembered in one worker."""

REPEATED_OCTETS_MAX: Final = 8 * 2**20
"""Ours: octets of their answers together."""

_ENTRY_OCTETS: Final = 200
"""What remembering one takes beside its answer."""

_OP_CODE: Final = slice(ENVELOPE_OCTETS, ENVELOPE_OCTETS + 4)
_RESOLUTION: Final = octets.u32(OpCode.RESOLUTION)


@dataclass(frozen=True, slots=True)
class Repeated:
    """A request that came before.

    Attributes:
        answer: what was answered; None = that is being found out.
        expires_at: seconds of the monotonic clock.
    """

    answer: bytes | None
    expires_at: float


def repetition_key(message: bytes, sender: Any) -> bytes | None:  # noqa: ANN401 - a socket address
    """Return what tells a request of `sender` from every other; None for a question, which may be answered anew."""
    if message[_OP_CODE] == _RESOLUTION:
        return None
    return blake2b(repr(sender).encode() + message, digest_size=16).digest()


class Repeats:
    """Requests by what tells them apart, with their answers."""

    def __init__(self) -> None:
        self._table: FairTable[bytes, Repeated] = FairTable(REPEATED_MAX, REPEATED_OCTETS_MAX)

    def find(self, key: bytes, now: float) -> Repeated | None:
        """Return what is remembered under `key`."""
        while (oldest := self._table.oldest()) is not None and oldest[1].expires_at <= now:
            self._table.pop(oldest[0])
        return self._table.get(key)

    def note(self, key: bytes, address: str, answer: bytes | None, now: float) -> None:
        """Remember that a request is being answered (None), or with what it was."""
        entry = Repeated(answer, now + REPEATED_SECONDS)
        self._table.put(key, entry, network_of(address), _ENTRY_OCTETS + len(answer or b""))
