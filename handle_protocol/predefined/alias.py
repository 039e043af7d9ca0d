"""HS_ALIAS: another name of the thing (RFC 3651 §3.2.6). Servers do not follow it; whoever shows a record may."""

from __future__ import annotations

from dataclasses import dataclass

from handle_protocol.handle import Handle


@dataclass(frozen=True, slots=True)
class Alias:
    """The handle to look at instead."""

    handle: Handle


def encode_alias(alias: Alias) -> bytes:
    """Return the octets of an alias."""
    return alias.handle.spelling.encode()


def decode_alias(data: bytes) -> Alias:
    """Read an alias.

    Raises:
        InvalidHandle: the octets can be no handle.
    """
    return Alias(Handle.decode(data))
