"""Logging in on a connection with a key (operation 2001 of the industrial SDKs): whose key it will be.

octets  field
   4+n  handle of the identity
     4  index of its key

The answer is a challenge, and the answer to that has no body. Recorded: vectors, file 15.
"""

from __future__ import annotations

from dataclasses import dataclass

from handle_protocol.bodies.identity import decode_identity, encode_identity
from handle_protocol.octets import OctetReader
from handle_protocol.value import ValueReference


@dataclass(frozen=True, slots=True)
class KeyLoginRequest:
    """Let me log in as this identity."""

    identity: ValueReference


def encode_key_login(body: KeyLoginRequest) -> bytes:
    """Return the octets of a login."""
    return encode_identity(body.identity)


def decode_key_login(reader: OctetReader) -> KeyLoginRequest:
    """Read a login.

    Raises:
        MalformedMessage: the octets end early.
        InvalidHandle: the handle is too long or not UTF-8.
    """
    return KeyLoginRequest(decode_identity(reader))
