"""The credential after a message's body: a signature or a session MAC (RFC 3652 §2.2.4).

octets  field
     1  version
     1  reserved
     2  options
   4+n  handle of the signer
     4  index of the signer's key; inside a session the session counter (protocol 2.5)
   4+n  type
     4  length of what follows: 4+n name of the digest, 4+n signature

The u32 length in front of a credential belongs to the message, since it is there without one too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from handle_protocol import octets
from handle_protocol.octets import OctetReader

_FIXED: Final = octets.layout("BBH")


@dataclass(frozen=True, slots=True)
class Credential:
    """Who vouches for a message, and how.

    Attributes:
        signer_handle: empty from servers.
        signer_index: index of the key, or the session counter.
        credential_type: HS_SIGNED or HS_MAC; HS_DSAPUBKEY from old peers.
        digest_name: such as b"SHA-256"; a single octet in the MACs of versions below 2.6.
    """

    signer_handle: str
    signer_index: int
    credential_type: str
    digest_name: bytes
    signature: bytes
    version: int = 0
    reserved: int = 0
    options: int = 0


def encode_credential(credential: Credential) -> bytes:
    """Return the octets of a credential."""
    section = octets.counted(credential.digest_name) + octets.counted(credential.signature)
    return b"".join(
        (
            _FIXED.pack(credential.version, credential.reserved, credential.options),
            octets.text(credential.signer_handle),
            octets.u32(credential.signer_index),
            octets.text(credential.credential_type),
            octets.counted(section),
        )
    )


def decode_credential(reader: OctetReader) -> Credential:
    """Read a credential that fills `reader`.

    Raises:
        MalformedMessage: the octets are no credential.
    """
    version, reserved, options = reader.fields(_FIXED, "credential")
    signer_handle = reader.text("signer handle")
    signer_index = reader.u32("signer index")
    credential_type = reader.text("credential type")
    section = reader.region(reader.u32("length of signed information"), "signed information")
    digest_name = section.counted("digest name")
    signature = section.counted("signature")
    section.finish("signed information")
    reader.finish("credential")
    return Credential(signer_handle, signer_index, credential_type, digest_name, signature, version, reserved, options)
