"""The short way for the question that nearly everybody asks: all public values of one cached handle.

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

from typing import Final

from handle_protocol import octets
from handle_protocol.codes import OpCode, ResponseCode
from handle_protocol.envelope import VERSION_OURS
from handle_protocol.flags import EnvelopeFlag, OpFlag
from handle_protocol.limits import ENVELOPE_OCTETS, EXPIRATION_SECONDS, HEADER_OCTETS, RECURSION_COUNT_MAX
from handle_protocol.record import NO_VALUES
from resolver.flights import Landing
from resolver.resolve import Resolver

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


class PlainAnswers:
    """Answers plain questions from the resolver's cache.

    Attributes:
        hits: how many questions were answered here since somebody set it to zero.
        missing: the key that the last request asked for, when its record alone was missing for an answer.
    """

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self.hits = 0
        self.missing: bytes | None = None

    def answer(self, request: bytes) -> bytes | None:
        """Return the answer to one whole request (envelope and message), or None: take the long way."""
        self.missing = None
        size = len(request)
        if size <= _FRAME_OCTETS + _ENDING_OCTETS or request[-_ENDING_OCTETS:] != _ENDING:
            return None
        # fmt: off
        (major, minor, flags, suggested_minor, session, request_id, sequence, length, operation, response,
         op_flags, site_serial, recursion, reserved, _, body_length, handle_length) = _FRAME.unpack_from(request)
        # fmt: on
        if (
            operation != _RESOLUTION
            or major != _MAJOR
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
        suggested_major = flags & _SUGGESTED_MAJOR
        if suggested_major == _MAJOR:
            minor = suggested_minor
        elif suggested_major:
            return None
        handle = request[_FRAME_OCTETS:-_ENDING_OCTETS]
        public_list = self._find(handle, op_flags)
        if public_list is None:
            return None
        self.hits += 1
        body_length = 4 + handle_length + len(public_list)
        expires_at = int(self._resolver.unix_clock()) + EXPIRATION_SECONDS
        # fmt: off
        head = _FRAME.pack(
            major, min(_MINOR_MAX, minor), _MAJOR, _MINOR_MAX, session, request_id, 0,
            HEADER_OCTETS + body_length + 4, _RESOLUTION, _SUCCESS,
            op_flags | _AUTHORITATIVE, site_serial, recursion, 0, expires_at, body_length, handle_length,
        )
        # fmt: on
        return b"".join((head, handle, public_list, _NO_CREDENTIAL))

    def fetch_missing(self) -> Landing | None:
        """Let the record be fetched that the last request lacked; None = that would not help, take the long way.

        Ask again when it has landed; no answer then means the long way, as ever.
        """
        if self.missing is None:
            return None
        prefix, slash, _ = self.missing.partition(b"/")
        if not slash or prefix not in self._resolver.authority.exact_prefixes:
            return None
        return self._resolver.fetch(self.missing)

    def _find(self, handle: bytes, op_flags: int) -> bytes | None:
        """Return what everybody may read of `handle`, if it is remembered and plainly ours.

        A spelling that is itself a key is canonical, so folding it would not lead anywhere else.
        """
        resolver = self._resolver
        if handle.partition(b"/")[0] not in resolver.authority.plain_prefixes:
            return None
        entry = resolver.cache.look_up(handle, resolver.clock())
        if entry is None:
            self.missing = handle
            return None
        _, public_list, value_list, _ = entry
        if public_list == NO_VALUES or (public_list is not value_list and not op_flags & _PUBLIC_ONLY):
            return None
        return public_list
