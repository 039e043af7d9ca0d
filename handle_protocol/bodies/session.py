"""Setting up a session, and handing over its key (RFC 3652 §3.8, and the reference).

octets  field of a set-up (operation 400)
     2  mode of key exchange
     4  seconds that the client wants the session to live when idle
   4+n  handle of the identity; 4 index of its key
   4+n  public key of the client, in modes 1 and 4
   4+n  handle, 4 index of that key, in mode 3
     2  zero, from the reference, which counts two octets too many

octets  field of its answer
     2  mode
   4+n  what the mode needs: a session key, or the server's half of it
     2  zero, as above

Handing over a session key (operation 402) is a counted field: the encrypted key.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from handle_protocol import octets
from handle_protocol.bodies.digest import RequestDigest
from handle_protocol.bodies.identity import decode_identity, encode_identity
from handle_protocol.octets import OctetReader
from handle_protocol.value import ValueReference

_SPARE_OCTETS: Final = bytes(2)


class ExchangeMode(IntEnum):
    """How both sides come to know the session key."""

    CLIENT_KEY = 1
    SERVER_KEY = 2
    HANDLE_KEY = 3
    DIFFIE_HELLMAN = 4


_WITH_PUBLIC_KEY: Final = frozenset({ExchangeMode.CLIENT_KEY, ExchangeMode.DIFFIE_HELLMAN})


@dataclass(frozen=True, slots=True)
class SessionSetupRequest:
    """Let us have a session.

    Attributes:
        mode: an ExchangeMode, or an unknown number, which has no further fields.
        timeout_seconds: how long the client wants it to live when idle.
        identity: who will be asked to prove it once; an empty handle = nobody yet.
        public_key: of the client, encoded as in HS_PUBKEY, in modes 1 and 4.
        key_reference: the value that holds the client's key, in mode 3.
        has_spare_octets: two zero octets follow, as the reference leaves them.
    """

    mode: int
    timeout_seconds: int
    identity: ValueReference
    public_key: bytes = b""
    key_reference: ValueReference | None = None
    has_spare_octets: bool = False


@dataclass(frozen=True, slots=True)
class SessionSetupResponse:
    """Here is our half.

    Attributes:
        data: what the mode needs.
    """

    mode: int
    data: bytes = field(repr=False)
    has_spare_octets: bool = False
    request_digest: RequestDigest | None = None


@dataclass(frozen=True, slots=True)
class KeyExchangeRequest:
    """Here is the session key, encrypted for you."""

    encrypted_key: bytes = field(repr=False)


def encode_session_setup(body: SessionSetupRequest) -> bytes:
    """Return the octets of a set-up."""
    parts = [octets.u16(body.mode), octets.u32(body.timeout_seconds), encode_identity(body.identity)]
    if body.mode in _WITH_PUBLIC_KEY:
        parts.append(octets.counted(body.public_key))
    if body.key_reference is not None:
        parts.append(encode_identity(body.key_reference))
    return b"".join(parts) + _SPARE_OCTETS * body.has_spare_octets


def decode_session_setup(reader: OctetReader) -> SessionSetupRequest:
    """Read a set-up.

    Raises:
        MalformedMessage: the octets end early.
        InvalidHandle: a handle is too long or not UTF-8.
    """
    mode = reader.u16("mode of key exchange")
    timeout_seconds = reader.u32("timeout")
    identity = decode_identity(reader)
    public_key = reader.counted("public key") if mode in _WITH_PUBLIC_KEY else b""
    key_reference = decode_identity(reader) if mode == ExchangeMode.HANDLE_KEY else None
    return SessionSetupRequest(mode, timeout_seconds, identity, public_key, key_reference, reader.skip(_SPARE_OCTETS))


def encode_session_setup_response(body: SessionSetupResponse) -> bytes:
    """Return the octets of the answer to a set-up, without the digest."""
    return octets.u16(body.mode) + octets.counted(body.data) + _SPARE_OCTETS * body.has_spare_octets


def decode_session_setup_response(reader: OctetReader, digest: RequestDigest | None) -> SessionSetupResponse:
    """Read what follows the digest.

    Raises:
        MalformedMessage: the octets end early.
    """
    mode = reader.u16("mode of key exchange")
    data = reader.counted("key exchange data")
    return SessionSetupResponse(mode, data, reader.skip(_SPARE_OCTETS), digest)


def encode_key_exchange(body: KeyExchangeRequest) -> bytes:
    """Return the octets of a handed over key."""
    return octets.counted(body.encrypted_key)


def decode_key_exchange(reader: OctetReader) -> KeyExchangeRequest:
    """Read a handed over key.

    Raises:
        MalformedMessage: the octets end early.
    """
    return KeyExchangeRequest(reader.counted("encrypted session key"))
