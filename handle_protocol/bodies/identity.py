"""Who somebody says to be, inside a body: a handle, and the index of the value that holds the key (RFC 3652 §3.5).

octets  field
   4+n  handle; empty = nobody yet, when a session is set up
     4  index
"""

from __future__ import annotations

from handle_protocol import octets
from handle_protocol.handle import Handle
from handle_protocol.octets import OctetReader
from handle_protocol.value import ValueReference


def encode_identity(identity: ValueReference) -> bytes:
    """Return the octets of an identity."""
    return octets.text(identity.handle) + octets.u32(identity.index)


def decode_identity(reader: OctetReader) -> ValueReference:
    """Read an identity.

    Raises:
        MalformedMessage: the octets end early.
        InvalidHandle: the handle is too long or not UTF-8.
    """
    handle = reader.counted("handle of the identity")
    spelling = Handle.decode(handle).spelling if handle else ""
    return ValueReference(reader.u32("index of the identity"), spelling)
