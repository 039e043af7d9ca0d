"""The answer "ask there": a service referral or a prefix referral (RFC 3652 §3.4, as the reference writes it).

octets  field
     n  digest of the request, where asked for
   4+n  handle that holds the sites to ask; empty when the values say it
   4+n  number of values and the values; may be missing altogether
"""

from __future__ import annotations

from dataclasses import dataclass

from handle_protocol import octets
from handle_protocol.bodies.digest import RequestDigest
from handle_protocol.octets import OctetReader
from handle_protocol.record import decode_value_list
from handle_protocol.value import HandleValue


@dataclass(frozen=True, slots=True)
class Referral:
    """Where to ask instead.

    Attributes:
        handle: the handle that holds the sites, or empty.
        value_list: the delegating values in wire form; empty octets when the answer holds no list.
    """

    handle: str
    value_list: bytes = b""
    request_digest: RequestDigest | None = None

    @property
    def values(self) -> tuple[HandleValue, ...]:
        """The delegating values, decoded anew at each look."""
        return decode_value_list(self.value_list) if self.value_list else ()


def encode_referral(body: Referral) -> bytes:
    """Return the octets of a referral, without the digest."""
    return octets.text(body.handle) + body.value_list


def decode_referral(reader: OctetReader, digest: RequestDigest | None) -> Referral:
    """Read what follows the digest, to the end of the body.

    Raises:
        MalformedMessage: the octets are no referral.
    """
    handle = reader.text("referral handle")
    value_list = reader.rest()
    if value_list:
        decode_value_list(value_list)
    return Referral(handle, value_list, digest)
