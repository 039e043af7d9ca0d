"""The envelope before every message and in every datagram (RFC 3652 §2.2.1).

octets  field
     1  protocol version, major
     1  protocol version, minor
     1  upper six bits: flags; lower two: major version that the sender suggests for the answer
     1  minor version that the sender suggests
     4  session id, 0 = none
     4  request id, chosen by the client and echoed
     4  sequence number of this datagram, from 0
     4  length of the whole message without envelopes, the same in every datagram

RFC 3652 reserves the octets of the suggestion; peers that follow it send zeros.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

from handle_protocol import octets
from handle_protocol.errors import MalformedMessage
from handle_protocol.limits import MESSAGE_OCTETS_MAX
from handle_protocol.octets import OctetReader


class Version(NamedTuple):
    """A protocol version. Compares as numbers do: 2.11 is above 2.9."""

    major: int
    minor: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"


VERSION_OURS: Final = Version(2, 11)
"""The newest version that this codec speaks."""

VERSION_OLDEST: Final = Version(2, 0)
"""The oldest."""

VERSION_UNKNOWN_PEER: Final = Version(2, 3)
"""Reference: how a peer is addressed whose version is not known."""

NO_SUGGESTION: Final = Version(0, 0)

_LAYOUT: Final = octets.layout("BBBBIIII")
_FLAG_BITS: Final = 0xFC
_SUGGESTED_MAJOR_BITS: Final = 0x03
_LENGTH_OFFSET: Final = 16


@dataclass(frozen=True, slots=True)
class Envelope:
    """What stands before a message.

    Attributes:
        suggested: the version in which the sender would like the answer; NO_SUGGESTION = its own. Major at most 3.
        flags: bits of EnvelopeFlag; unknown ones pass through.
        message_length: octets of the whole message, without envelopes.
    """

    version: Version
    suggested: Version
    flags: int
    session_id: int
    request_id: int
    sequence_number: int
    message_length: int


def wanted_version(version: Version, suggested: Version) -> Version:
    """Return the version the sender wants to be answered in."""
    return suggested if suggested.major else version


def encode_envelope(envelope: Envelope) -> bytes:
    """Return the 20 octets of an envelope."""
    return _LAYOUT.pack(
        *envelope.version,
        envelope.flags & _FLAG_BITS | envelope.suggested.major & _SUGGESTED_MAJOR_BITS,
        envelope.suggested.minor,
        envelope.session_id,
        envelope.request_id,
        envelope.sequence_number,
        envelope.message_length,
    )


def decode_envelope(reader: OctetReader) -> Envelope:
    """Read one envelope, of any protocol generation.

    Raises:
        MalformedMessage: fewer than 20 octets remain, or it announces more than 262 144 octets.
    """
    start = reader.offset
    major, minor, flags, suggested_minor, session_id, request_id, sequence_number, length = reader.fields(
        _LAYOUT, "message envelope"
    )
    if length > MESSAGE_OCTETS_MAX:
        raise MalformedMessage(
            f"a message of at most {MESSAGE_OCTETS_MAX} octets, not {length},", start + _LENGTH_OFFSET
        )
    return Envelope(
        Version(major, minor),
        Version(flags & _SUGGESTED_MAJOR_BITS, suggested_minor),
        flags & _FLAG_BITS,
        session_id,
        request_id,
        sequence_number,
        length,
    )
