"""The question for a handle's values and the answer to it (RFC 3652 §3.2).

octets  field of a request
   4+n  handle
   4+n  number of indexes, 4 octets each
   4+n  number of types, each a text
     4  zero, from id-pointer-sdk 2.3.1 alone

octets  field of an answer
     n  digest of the request, where asked for
   4+n  handle as it was asked
   4+n  number of values, each as in `handle_protocol.value`
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from handle_protocol import octets
from handle_protocol.bodies.digest import RequestDigest
from handle_protocol.handle import Handle
from handle_protocol.limits import QUESTION_ITEMS_MAX
from handle_protocol.octets import OctetReader
from handle_protocol.record import decode_value_list
from handle_protocol.value import HandleValue

_SPARE_OCTETS: Final = bytes(4)


@dataclass(frozen=True, slots=True)
class ResolutionRequest:
    """The question: which handle, and which of its values.

    A value that either list names is meant, and every value when both are empty.

    Attributes:
        has_spare_octets: four zero octets follow the types.
    """

    handle: Handle
    indexes: tuple[int, ...] = ()
    types: tuple[str, ...] = ()
    has_spare_octets: bool = False


@dataclass(frozen=True, slots=True)
class ResolutionResponse:
    """The values that were asked for.

    Attributes:
        handle: spelled as in the question.
        value_list: the values in wire form.
    """

    handle: Handle
    value_list: bytes
    request_digest: RequestDigest | None = None

    @property
    def values(self) -> tuple[HandleValue, ...]:
        """The values, decoded anew at each look."""
        return decode_value_list(self.value_list)


def encode_resolution_request(body: ResolutionRequest) -> bytes:
    """Return the octets of a question."""
    return b"".join(
        (
            octets.text(body.handle.spelling),
            octets.u32(len(body.indexes)),
            octets.u32s(body.indexes),
            octets.u32(len(body.types)),
            *map(octets.text, body.types),
            _SPARE_OCTETS if body.has_spare_octets else b"",
        )
    )


def decode_resolution_request(reader: OctetReader) -> ResolutionRequest:
    """Read a question.

    Raises:
        MalformedMessage: the octets end early, or a type is not UTF-8.
        InvalidHandle: the handle is empty, too long or not UTF-8.
    """
    handle = Handle.decode(reader.counted("handle"))
    indexes = reader.u32s(reader.count("indexes", 4, QUESTION_ITEMS_MAX), "indexes")
    types = tuple(reader.text("value type") for _ in range(reader.count("types", 4, QUESTION_ITEMS_MAX)))
    return ResolutionRequest(handle, indexes, types, reader.skip(_SPARE_OCTETS))


def encode_resolution_response(body: ResolutionResponse) -> bytes:
    """Return the octets of an answer, without the digest."""
    return octets.text(body.handle.spelling) + body.value_list


def decode_resolution_response(reader: OctetReader, digest: RequestDigest | None) -> ResolutionResponse:
    """Read what follows the digest, to the end of the body.

    Raises:
        MalformedMessage: the octets are no handle and value list.
        InvalidHandle: the handle is empty, too long or not UTF-8.
    """
    handle = Handle.decode(reader.counted("handle"))
    value_list = reader.rest()
    decode_value_list(value_list)
    return ResolutionResponse(handle, value_list, digest)
