"""The Handle protocol without input or output: data model, messages and how they travel.

Usable on its own by any Handle client or server: `decode_message` and `encode_message` are the way in.
Sources: RFC 3650 to 3652, and what the implementations in the field do.
"""

from handle_protocol.bodies.table import Body
from handle_protocol.codes import OpCode, ResponseCode
from handle_protocol.envelope import VERSION_OURS, Envelope, Version
from handle_protocol.errors import InvalidHandle, InvalidValue, MalformedMessage, ProtocolError, UnsupportedVersion
from handle_protocol.flags import EnvelopeFlag, OpFlag
from handle_protocol.handle import Handle, Prefix
from handle_protocol.header import Header
from handle_protocol.message import Message, answer_to, decode_message, encode_message
from handle_protocol.record import HandleRecord
from handle_protocol.value import HandleValue, Permissions, Ttl, ValueReference

__all__ = [
    "VERSION_OURS",
    "Body",
    "Envelope",
    "EnvelopeFlag",
    "Handle",
    "HandleRecord",
    "HandleValue",
    "Header",
    "InvalidHandle",
    "InvalidValue",
    "MalformedMessage",
    "Message",
    "OpCode",
    "OpFlag",
    "Permissions",
    "Prefix",
    "ProtocolError",
    "ResponseCode",
    "Ttl",
    "UnsupportedVersion",
    "ValueReference",
    "Version",
    "answer_to",
    "decode_message",
    "encode_message",
]
