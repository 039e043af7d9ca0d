"""The short way for the question that nearly everybody asks: all public values of one remembered handle.

In Python, for where the compiled module is not: the same answers, octet for octet.

Layout of such a request; what is not mentioned must be zero (RFC 3652 §2.2 and §3.2.1):

octets  field
     0  version 2.x
     2  flags and suggested major version, suggested minor version
     4  session id, echoed: industrial SDKs choose one, and nothing in a session comes without a credential
     8  request id
    16  message length: all after octet 20
    20  operation 1
    28  operation flags, of which only harmless ones are set
    32  site serial, recursion count, reserved; 36 expiration
    40  body length; 44 length of the handle; 48 the handle
   end  no indexes, no types, no credential: three zero counts
"""

from __future__ import annotations

import errno
import socket
import sys
from collections.abc import Set as AbstractSet
from typing import Any, Final, NamedTuple

from handle_protocol import octets
from handle_protocol.codes import OpCode, ResponseCode
from handle_protocol.envelope import VERSION_OURS
from handle_protocol.flags import EnvelopeFlag, OpFlag
from handle_protocol.limits import (
    DATAGRAM_OCTETS_MAX,
    ENVELOPE_OCTETS,
    EXPIRATION_SECONDS,
    HEADER_OCTETS,
    RECURSION_COUNT_MAX,
)
from handle_protocol.record import NO_VALUES
from resolver.fast_path.records import Entry, RecordTable

_FRAME: Final = octets.layout("BBBBIIIIIIIHBBIII")
_FRAME_OCTETS: Final = ENVELOPE_OCTETS + HEADER_OCTETS + 4
"""Everything before the handle."""

_ENDING: Final = bytes(12)
_ENDING_OCTETS: Final = len(_ENDING)
_NO_CREDENTIAL: Final = bytes(4)

# Enumerations calculate in Python, plain numbers do not: that is a third of the time here.
_RESOLUTION: Final = int(OpCode.RESOLUTION)
_SUCCESS: Final = int(ResponseCode.SUCCESS)
_PUBLIC_ONLY: Final = int(OpFlag.PUBLIC_ONLY)
_AUTHORITATIVE: Final = int(OpFlag.AUTHORITATIVE)
_SPECIAL_OPERATION: Final = 0xFFFF_FFFF & ~int(
    OpFlag.RECURSIVE | OpFlag.CACHE_CERTIFY | OpFlag.KEEP_ALIVE | OpFlag.PUBLIC_ONLY | OpFlag.DO_NOT_REFER
)
_SPECIAL_ENVELOPE: Final = int(EnvelopeFlag.COMPRESSED | EnvelopeFlag.ENCRYPTED | EnvelopeFlag.TRUNCATED)
_SUGGESTED_MAJOR: Final = 0x03
_MAJOR, _MINOR_MAX = VERSION_OURS


MADE_MAX: Final = 50_000
MADE_LIST_OCTETS_MAX: Final = 1_024
"""Answers that are remembered by the octets of a question that decide them, and the longest values of one: they take
some 20 MB, and keep 50 MB of records at most that the table itself has given up."""

_Made = tuple[Entry, bytes, bytes, bytes, bytes]
"""The entry that is shown, its key, and what stands in an answer before the ids, before the expiry, and after it."""

STREAM_OCTETS_MAX: Final = 256 * 1024
"""Answers that are made at once for one connection: one of the longest."""

_LENGTH_AT: Final = 16
"""Where the envelope tells the length of the message."""

DATAGRAMS_PER_TURN: Final = 64
"""Datagrams answered before the loop may do something else: about a millisecond."""

_READ_OCTETS: Final = DATAGRAM_OCTETS_MAX + 1
"""One more than there may be shows that there were too many."""

_UDP_SEGMENT: Final = 103
_SEGMENTS_MAX: Final = 60
"""udp(7): the kernel cuts one message into at most 64 datagrams of one size (generic segmentation offload)."""

_FOR_WANT_OF_SEGMENTS: Final = frozenset({errno.EIO, errno.EINVAL, errno.ENOPROTOOPT, errno.EMSGSIZE})

SocketAddress = Any
"""A tuple whose shape depends on the family."""

Left = tuple[bytes, SocketAddress, bool]
"""A datagram that was not answered, its sender, and whether a record was all that was missing."""


class ShortWay:
    """Answers plain questions from remembered records.

    Times are given by the caller: seconds of the clock that the records expire by, and Unix seconds.

    Attributes:
        hits: how many questions were answered since somebody set it to zero.
        not_sent: how many answers the kernel did not take, likewise.
        can_segment: whether several answers may leave as one message; off for good once the kernel refuses.
    """

    def __init__(self, records: RecordTable) -> None:
        self._records = records
        self._made: dict[bytes, _Made] = {}
        self._prefixes: AbstractSet[bytes] = frozenset()
        self._second = -1
        self._expires_at = b""
        self.hits = 0
        self.not_sent = 0
        self.can_segment = True

    def answer(
        self, request: bytes, prefixes: AbstractSet[bytes], now: float, unix_now: float, trusted_until: float
    ) -> bytes | None:
        """Return the answer to one whole request; empty = just its record is missing, None = it takes the long way.

        Args:
            request: envelope and message.
            prefixes: below which a remembered record may be shown without a further look.
            now: seconds of the clock that records expire by.
            unix_now: Unix seconds.
            trusted_until: when records stop being believed, whatever they say themselves.
        """
        meaning = request[:4] + request[12:36] + request[40:]
        made: _Made | bytes | None = self._made.get(meaning)
        if made is None or prefixes is not self._prefixes:
            made = self._make(request, meaning, prefixes, now, trusted_until)
        if not isinstance(made, tuple):
            return made
        entry, key, start, middle, body_head = made
        if self._records.get(key) is not entry or now >= entry[0] or now >= trusted_until:
            self._made.pop(meaning, None)
            return self.answer(request, prefixes, now, unix_now, trusted_until)
        self.hits += 1
        if unix_now >= self._second + 1 or unix_now < self._second:
            self._second = int(unix_now)
            self._expires_at = octets.u32(self._second + EXPIRATION_SECONDS)
        return b"".join((start, request[4:12], middle, self._expires_at, body_head, key, entry[1], _NO_CREDENTIAL))

    def _make(
        self, request: bytes, meaning: bytes, prefixes: AbstractSet[bytes], now: float, trusted_until: float
    ) -> _Made | bytes | None:
        """Return what `request` is answered with, and remember it; else empty or None, as `answer`."""
        plain = _read(request)
        if plain is None or plain.handle.partition(b"/")[0] not in prefixes:
            return None
        entry = self._records.get(plain.handle)
        if entry is None or now >= entry[0] or now >= trusted_until:
            return b""
        _, public_list, value_list, _ = entry
        if public_list == NO_VALUES or (public_list is not value_list and not plain.op_flags & _PUBLIC_ONLY):
            return None
        made = (entry, plain.handle, *_frame(plain, len(public_list)))
        if prefixes is not self._prefixes or len(self._made) >= MADE_MAX:
            self._made.clear()
            self._prefixes = prefixes
        if len(public_list) <= MADE_LIST_OCTETS_MAX:
            self._made[meaning] = made
        return made

    def answer_stream(
        self, octets: bytes, prefixes: AbstractSet[bytes], now: float, unix_now: float, trusted_until: float
    ) -> tuple[bytes, int]:
        """Answer the plain questions that stand first in what a connection brought.

        Returns:
            The answers together, and how many of `octets` they answer.
        """
        answers: list[bytes] = []
        at = answers_octets = 0
        while answers_octets < STREAM_OCTETS_MAX:
            start = at + _LENGTH_AT
            end = at + ENVELOPE_OCTETS + int.from_bytes(octets[start : start + 4], "big")
            if len(octets) < max(end, at + ENVELOPE_OCTETS):
                break
            answer = self.answer(octets[at:end], prefixes, now, unix_now, trusted_until)
            if not answer:
                break
            answers.append(answer)
            answers_octets += len(answer)
            at = end
        return b"".join(answers), at

    def serve_datagrams(
        self, listener: socket.socket, prefixes: AbstractSet[bytes], now: float, unix_now: float, trusted_until: float
    ) -> list[Left]:
        """Take what has come, up to DATAGRAMS_PER_TURN, and answer what is plain; return the others."""
        left: list[Left] = []
        answers: dict[tuple[SocketAddress, int], list[bytes]] = {}
        for _ in range(DATAGRAMS_PER_TURN):
            try:
                datagram, peer = listener.recvfrom(_READ_OCTETS)
            except (BlockingIOError, InterruptedError):
                break
            except OSError:  # What an earlier answer met on its way, such as an unreachable port.
                continue
            answer = self.answer(datagram, prefixes, now, unix_now, trusted_until)
            if answer and len(answer) <= DATAGRAM_OCTETS_MAX:
                answers.setdefault((peer, len(answer)), []).append(answer)
            else:
                left.append((datagram, peer, answer == b""))
        for (peer, size), several in answers.items():
            self._send(listener, peer, size, several)
        return left

    def _send(self, listener: socket.socket, peer: SocketAddress, size: int, answers: list[bytes]) -> None:
        """Send answers of one size to one peer: as one message that the kernel cuts, or each for itself."""
        try:
            while len(answers) > 1 and self.can_segment:
                together, answers = answers[:_SEGMENTS_MAX], answers[_SEGMENTS_MAX:]
                cut = (socket.IPPROTO_UDP, _UDP_SEGMENT, size.to_bytes(2, sys.byteorder))
                listener.sendmsg((b"".join(together),), (cut,), 0, peer)
            for answer in answers:
                listener.sendto(answer, peer)
        except OSError as error:  # The peer asks again, as it would after any loss.
            self.not_sent += len(answers)
            if error.errno in _FOR_WANT_OF_SEGMENTS:
                self.can_segment = False


class _Plain(NamedTuple):
    """What decides the answer to a plain question."""

    minor: int
    op_flags: int
    site_serial: int
    recursion: int
    handle: bytes


def _read(request: bytes) -> _Plain | None:
    """Read a request; None when it is no plain question."""
    size = len(request)
    if size <= _FRAME_OCTETS + _ENDING_OCTETS or request[-_ENDING_OCTETS:] != _ENDING:
        return None
    # fmt: off
    (major, minor, flags, suggested_minor, _, _, sequence, length, operation, response,
     op_flags, site_serial, recursion, reserved, _, body_length, handle_length) = _FRAME.unpack_from(request)
    # fmt: on
    suggested_major = flags & _SUGGESTED_MAJOR
    if (
        operation != _RESOLUTION
        or major != _MAJOR
        or suggested_major not in {0, _MAJOR}
        or flags & _SPECIAL_ENVELOPE
        or op_flags & _SPECIAL_OPERATION
        or sequence
        or response
        or reserved
        or recursion > RECURSION_COUNT_MAX
        or length != size - ENVELOPE_OCTETS
        or body_length != size - _FRAME_OCTETS
        or handle_length != body_length - _ENDING_OCTETS
    ):
        return None
    handle = request[_FRAME_OCTETS:-_ENDING_OCTETS]
    return _Plain(suggested_minor if suggested_major else minor, op_flags, site_serial, recursion, handle)


def _frame(plain: _Plain, list_octets: int) -> tuple[bytes, bytes, bytes]:
    """Return what stands in an answer before the ids, before the expiry, and between that and the handle."""
    body_length = 4 + len(plain.handle) + list_octets
    # fmt: off
    frame = _FRAME.pack(
        _MAJOR, min(_MINOR_MAX, plain.minor), _MAJOR, _MINOR_MAX, 0, 0, 0,
        HEADER_OCTETS + body_length + 4, _RESOLUTION, _SUCCESS,
        plain.op_flags | _AUTHORITATIVE, plain.site_serial, plain.recursion, 0, 0, body_length, len(plain.handle),
    )
    # fmt: on
    return frame[:4], frame[12:36], frame[40:]
