"""Requests that change records, or that name no more than a handle (RFC 3652 §3.6 and §3.7).

octets  field of a creation, an addition, a modification (operations 100, 102, 104)
   4+n  handle
   4+n  number of values, each as in `handle_protocol.value`

octets  field of a removal (operation 103)
   4+n  handle
   4+n  number of indexes, 4 octets each

Operations 2, 101, 105, 300, 301, 302 and 401 hold a handle alone; "/" where none is meant. The answer to a creation
holds the handle that was made; servers before 2.0 left it out.
"""

from __future__ import annotations

from dataclasses import dataclass

from handle_protocol import octets
from handle_protocol.bodies.digest import RequestDigest
from handle_protocol.handle import Handle
from handle_protocol.limits import VALUES_MAX
from handle_protocol.octets import OctetReader
from handle_protocol.record import decode_value_list
from handle_protocol.value import HandleValue


@dataclass(frozen=True, slots=True)
class ValuesRequest:
    """Create a record, or add or modify values of one: the operation says which.

    Attributes:
        value_list: the values in wire form.
    """

    handle: Handle
    value_list: bytes

    @property
    def values(self) -> tuple[HandleValue, ...]:
        """The values, decoded anew at each look."""
        return decode_value_list(self.value_list)


@dataclass(frozen=True, slots=True)
class RemoveRequest:
    """Remove the values with these indexes."""

    handle: Handle
    indexes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class HandleRequest:
    """Do with this handle, or prefix handle, what the operation says."""

    handle: Handle


@dataclass(frozen=True, slots=True)
class HandleResponse:
    """The handle that was created.

    Attributes:
        handle: None when the answer holds none.
    """

    handle: Handle | None
    request_digest: RequestDigest | None = None


def encode_values_request(body: ValuesRequest) -> bytes:
    """Return the octets of a creation, an addition or a modification."""
    return octets.text(body.handle.spelling) + body.value_list


def decode_values_request(reader: OctetReader) -> ValuesRequest:
    """Read a creation, an addition or a modification, to the end of the body.

    Raises:
        MalformedMessage: the octets are no handle and value list.
        InvalidHandle: the handle is empty, too long or not UTF-8.
    """
    handle = Handle.decode(reader.counted("handle"))
    value_list = reader.rest()
    decode_value_list(value_list)
    return ValuesRequest(handle, value_list)


def encode_remove_request(body: RemoveRequest) -> bytes:
    """Return the octets of a removal."""
    return octets.text(body.handle.spelling) + octets.u32(len(body.indexes)) + octets.u32s(body.indexes)


def decode_remove_request(reader: OctetReader) -> RemoveRequest:
    """Read a removal.

    Raises:
        MalformedMessage: the octets end early.
        InvalidHandle: the handle is empty, too long or not UTF-8.
    """
    handle = Handle.decode(reader.counted("handle"))
    return RemoveRequest(handle, reader.u32s(reader.count("indexes", 4, VALUES_MAX), "indexes"))


def encode_handle_request(body: HandleRequest) -> bytes:
    """Return the octets of a handle alone."""
    return octets.text(body.handle.spelling)


def decode_handle_request(reader: OctetReader) -> HandleRequest:
    """Read a handle alone.

    Raises:
        MalformedMessage: the octets end early.
        InvalidHandle: the handle is empty, too long or not UTF-8.
    """
    return HandleRequest(Handle.decode(reader.counted("handle")))


def encode_handle_response(body: HandleResponse) -> bytes:
    """Return the octets of the answer to a creation, without the digest."""
    return b"" if body.handle is None else octets.text(body.handle.spelling)


def decode_handle_response(reader: OctetReader, digest: RequestDigest | None) -> HandleResponse:
    """Read what follows the digest.

    Raises:
        MalformedMessage: the octets end early.
        InvalidHandle: the handle is empty, too long or not UTF-8.
    """
    return HandleResponse(Handle.decode(reader.counted("handle")) if reader.remaining else None, digest)
