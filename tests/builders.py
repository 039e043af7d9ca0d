"""Short ways to make what many tests are about."""

from __future__ import annotations

from handle_protocol.bodies.resolution import ResolutionRequest
from handle_protocol.codes import OpCode, ResponseCode
from handle_protocol.envelope import VERSION_OURS, Version
from handle_protocol.flags import OpFlag
from handle_protocol.handle import Handle
from handle_protocol.header import Header
from handle_protocol.message import Message, encode_message
from handle_protocol.predefined.site import Site
from handle_protocol.value import HandleValue

OWN_SITE = Site((), serial=1)


def text_value(index: int, value_type: str, text: str, **fields: object) -> HandleValue:
    """Return a value that holds text."""
    return HandleValue(index, value_type, text.encode(), **fields)


def resolution_request(  # noqa: PLR0913 - every field has its default
    spelling: str,
    request_id: int = 1,
    *,
    op_code: int = OpCode.RESOLUTION,
    op_flags: int = OpFlag.PUBLIC_ONLY,
    version: Version = VERSION_OURS,
    suggested: Version = VERSION_OURS,
    recursion_count: int = 0,
    session_id: int = 0,
    **selection: object,
) -> Message:
    """Return the question for a handle, with indexes and types as `selection`."""
    header = Header(op_code, ResponseCode.REQUEST, int(op_flags), 7, recursion_count, 2_000_000_000)
    body = ResolutionRequest(Handle(spelling), **selection)
    return Message(version, suggested, 0, session_id, request_id, header, body)


def question(spelling: str, request_id: int = 1, **fields: object) -> bytes:
    """Return such a question as octets."""
    return encode_message(resolution_request(spelling, request_id, **fields))
