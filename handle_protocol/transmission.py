"""How messages travel: cut into datagrams and put together again, and cut out of a stream (RFC 3652 §2.3).

Every datagram repeats the envelope with its own sequence number and carries 492 octets of the message, the last one
the rest. The truncated flag of the envelope tells nothing: the reference leaves it out in answers up to 9.2.0, so
octets are counted against the announced length.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from handle_protocol import octets
from handle_protocol.envelope import decode_envelope
from handle_protocol.errors import MalformedMessage
from handle_protocol.flags import EnvelopeFlag
from handle_protocol.limits import (
    DATAGRAM_SHARE_OCTETS,
    ENVELOPE_OCTETS,
    UNFINISHED_MESSAGES_MAX,
    UNFINISHED_MESSAGES_PER_PEER_MAX,
    UNFINISHED_OCTETS_MAX,
    UNFINISHED_SECONDS,
)
from handle_protocol.octets import OctetReader

Peer = tuple[object, ...]
"""Where a datagram came from, as sockets say it: the address, the port, and for IPv6 more."""

_FLAGS: Final = slice(2, 3)
_SEQUENCE_NUMBER: Final = slice(12, 16)
_LENGTH: Final = slice(16, 20)


def split(message_octets: bytes) -> list[bytes]:
    """Return the datagrams that carry a message.

    Args:
        message_octets: envelope and message as they travel over TCP.
    """
    content = message_octets[ENVELOPE_OCTETS:]
    if len(content) <= DATAGRAM_SHARE_OCTETS:
        return [message_octets]
    flags = octets.u8(message_octets[2] | EnvelopeFlag.TRUNCATED)
    return [
        _with_fields(message_octets[:ENVELOPE_OCTETS], flags, number)
        + content[number * DATAGRAM_SHARE_OCTETS : (number + 1) * DATAGRAM_SHARE_OCTETS]
        for number in range(_datagram_count(len(content)))
    ]


def is_whole(datagram: bytes) -> bool:
    """Tell whether a datagram announces as many octets of message as it carries."""
    content_octets = len(datagram) - ENVELOPE_OCTETS
    return content_octets >= 0 and datagram[_LENGTH] == octets.u32(content_octets)


@dataclass(slots=True)
class _Unfinished:
    """A message of which datagrams are missing.

    Attributes:
        envelope: of the message as a whole: as in every datagram, but unflagged and with sequence number 0.
        expires_at: in the clock of the caller.
        shares: by sequence number.
        is_spoiled: its datagrams contradict each other; whatever else comes for it is dropped until it expires.
    """

    envelope: bytes
    content_octets: int
    expires_at: float
    shares: dict[int, bytes] = field(default_factory=dict)
    received_octets: int = 0
    is_spoiled: bool = False


class Reassembly:
    """Puts datagrams together to messages.

    Datagrams belong together by peer and request id. What contradicts what came before spoils the message. State is
    bounded in messages, in octets and per address of a peer; beyond the bounds the oldest message is forgotten, and
    an address with too many of them is not listened to. Just received octets are kept, never room for announced ones.
    """

    def __init__(
        self,
        entries_max: int = UNFINISHED_MESSAGES_MAX,
        octets_max: int = UNFINISHED_OCTETS_MAX,
        per_peer_max: int = UNFINISHED_MESSAGES_PER_PEER_MAX,
        seconds: float = UNFINISHED_SECONDS,
    ) -> None:
        self._entries_max = entries_max
        self._octets_max = octets_max
        self._per_peer_max = per_peer_max
        self._seconds = seconds
        self._unfinished: dict[tuple[Peer, int], _Unfinished] = {}
        self._octets = 0
        self._open_by_address: Counter[object] = Counter()

    @property
    def entries(self) -> int:
        """How many messages are unfinished."""
        return len(self._unfinished)

    @property
    def octets(self) -> int:
        """How many octets of them are kept."""
        return self._octets

    def accept(self, datagram: bytes, peer: Peer, now: float) -> bytes | None:
        """Take a datagram; return envelope and message as over TCP if it completes one.

        Args:
            datagram: as it was received.
            peer: where from; its first item is the address.
            now: seconds of a clock that does not jump.

        Raises:
            MalformedMessage: the datagram cannot be part of any message.
        """
        envelope = decode_envelope(OctetReader(datagram))
        share = datagram[ENVELOPE_OCTETS:]
        if is_whole(datagram):
            return datagram
        _check_share(envelope.sequence_number, len(share), envelope.message_length)
        self._expire(now)
        key = (peer, envelope.request_id)
        plain_flags = octets.u8(datagram[2] & ~EnvelopeFlag.TRUNCATED)
        whole_envelope = _with_fields(datagram[:ENVELOPE_OCTETS], plain_flags, 0)
        unfinished = self._unfinished.get(key)
        if unfinished is None:
            if self._open_by_address[peer[0]] >= self._per_peer_max:
                return None
            unfinished = _Unfinished(whole_envelope, envelope.message_length, now + self._seconds)
            self._open(key, unfinished)
        self._add(unfinished, envelope.sequence_number, share, whole_envelope)
        if unfinished.received_octets < unfinished.content_octets:
            self._make_room()
            return None
        self._forget(key)
        return whole_envelope + b"".join(share for _, share in sorted(unfinished.shares.items()))

    def _add(self, unfinished: _Unfinished, number: int, share: bytes, whole_envelope: bytes) -> None:
        known = unfinished.shares.get(number, share)
        if unfinished.is_spoiled or known != share or whole_envelope != unfinished.envelope:
            self._octets -= unfinished.received_octets
            unfinished.shares.clear()
            unfinished.received_octets = 0
            unfinished.is_spoiled = True
        elif number not in unfinished.shares:
            unfinished.shares[number] = share
            unfinished.received_octets += len(share)
            self._octets += len(share)

    def _open(self, key: tuple[Peer, int], unfinished: _Unfinished) -> None:
        self._unfinished[key] = unfinished
        self._open_by_address[key[0][0]] += 1

    def _forget(self, key: tuple[Peer, int]) -> None:
        self._octets -= self._unfinished.pop(key).received_octets
        address = key[0][0]
        self._open_by_address[address] -= 1
        if not self._open_by_address[address]:
            del self._open_by_address[address]

    def _expire(self, now: float) -> None:
        while self._unfinished:
            oldest = next(iter(self._unfinished))
            if self._unfinished[oldest].expires_at > now:
                return
            self._forget(oldest)

    def _make_room(self) -> None:
        while len(self._unfinished) > self._entries_max or self._octets > self._octets_max:
            self._forget(next(iter(self._unfinished)))


class StreamCutter:
    """Cuts the messages out of a stream, in time proportional to its octets however they arrive."""

    def __init__(self) -> None:
        self._pending = bytearray()

    @property
    def is_within(self) -> bool:
        """Whether the last octets that came are the beginning of a message."""
        return bool(self._pending)

    def feed(self, received: bytes) -> list[bytes]:
        """Take octets; return the messages they complete, each with its envelope.

        Raises:
            MalformedMessage: a message is announced that is too long; nothing of it has to come for that. The stream
                cannot be read further.
        """
        self._pending += received
        messages = []
        start = 0
        while len(self._pending) - start >= ENVELOPE_OCTETS:
            envelope = decode_envelope(OctetReader(bytes(self._pending[start : start + ENVELOPE_OCTETS])))
            end = start + ENVELOPE_OCTETS + envelope.message_length
            if end > len(self._pending):
                break
            messages.append(bytes(self._pending[start:end]))
            start = end
        del self._pending[:start]
        return messages


def _datagram_count(content_octets: int) -> int:
    return -(-content_octets // DATAGRAM_SHARE_OCTETS)


def _check_share(number: int, share_octets: int, content_octets: int) -> None:
    missing = content_octets - number * DATAGRAM_SHARE_OCTETS
    expected = min(missing, DATAGRAM_SHARE_OCTETS)
    if expected <= 0 or share_octets != expected:
        raise MalformedMessage(f"datagram {number} of a message of {content_octets} octets", ENVELOPE_OCTETS)


def _with_fields(envelope: bytes, flags: bytes, number: int) -> bytes:
    return (
        envelope[: _FLAGS.start]
        + flags
        + envelope[_FLAGS.stop : _SEQUENCE_NUMBER.start]
        + octets.u32(number)
        + (envelope[_SEQUENCE_NUMBER.stop :])
    )
