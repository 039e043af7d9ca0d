"""The answer that lists handles, or prefixes by their prefix handles (RFC 3652 §3.6.6): a count, then each handle.

One message holds a part of a long list; the flag CONTINUOUS says that more follow.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from handle_protocol import octets
from handle_protocol.bodies.digest import RequestDigest
from handle_protocol.handle import Handle
from handle_protocol.octets import OctetReader

_HANDLE_OCTETS_MIN: Final = 5
"""A length and one octet."""


@dataclass(frozen=True, slots=True)
class HandleListResponse:
    """A part of a list of handles."""

    handles: tuple[Handle, ...]
    request_digest: RequestDigest | None = None


def encode_handle_list(body: HandleListResponse) -> bytes:
    """Return the octets of a list, without the digest."""
    return octets.u32(len(body.handles)) + b"".join(octets.text(handle.spelling) for handle in body.handles)


def decode_handle_list(reader: OctetReader, digest: RequestDigest | None) -> HandleListResponse:
    """Read what follows the digest.

    Raises:
        MalformedMessage: the octets end early.
        InvalidHandle: a handle is empty, too long or not UTF-8.
    """
    count = reader.count("handles", _HANDLE_OCTETS_MIN)
    return HandleListResponse(tuple(Handle.decode(reader.counted("handle")) for _ in range(count)), digest)
