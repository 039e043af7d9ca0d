"""The header of a message (RFC 3652 §2.2.2).

octets  field
     4  operation code
     4  response code, 0 in a request
     4  operation flags
     2  serial number of the site information that the client knows, 0xFFFF = unknown
     1  recursion count
     1  reserved
     4  expiration, Unix seconds
     4  length of the body
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from handle_protocol import octets
from handle_protocol.octets import OctetReader

UNKNOWN_SITE_SERIAL: Final = 0xFFFF

_LAYOUT: Final = octets.layout("IIIHBBII")


@dataclass(frozen=True, slots=True)
class Header:
    """What is asked or answered, and how.

    Attributes:
        op_code: an OpCode, or an unknown number that passes through.
        response_code: the number as it is written; Message.response_code knows what it means.
        op_flags: bits of OpFlag; unknown ones pass through.
        expires_at: Unix seconds after which an answer must not be believed; servers ignore it in requests.
        reserved: zero from every known peer.
    """

    op_code: int
    response_code: int
    op_flags: int
    site_serial: int
    recursion_count: int
    expires_at: int
    reserved: int = 0


def encode_header(header: Header, body_length: int) -> bytes:
    """Return the 24 octets of a header."""
    return _LAYOUT.pack(
        header.op_code,
        header.response_code,
        header.op_flags,
        header.site_serial,
        header.recursion_count,
        header.reserved,
        header.expires_at,
        body_length,
    )


def decode_header(reader: OctetReader) -> tuple[Header, int]:
    """Read a header; return it and the length of the body that follows.

    Raises:
        MalformedMessage: fewer than 24 octets remain.
    """
    op_code, response_code, op_flags, site_serial, recursion_count, reserved, expires_at, length = reader.fields(
        _LAYOUT, "message header"
    )
    return Header(op_code, response_code, op_flags, site_serial, recursion_count, expires_at, reserved), length
