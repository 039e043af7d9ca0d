"""A whole message: envelope, header, body, credential (RFC 3652 §2.2).

A u32 length stands before the credential, zero without one. One client in the field leaves even that out at the
very end of a message (operation 2001 of id-pointer-sdk 2.3.1); such a message is read, and written back the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from handle_protocol import octets
from handle_protocol.bodies.digest import RequestDigest, digest_of, encode_digest, usual_algorithm
from handle_protocol.bodies.error import ErrorBody
from handle_protocol.bodies.raw import RawBody
from handle_protocol.bodies.table import AnswerBody, Body, Frame, decode_body, encode_body
from handle_protocol.codes import OpCode, ResponseCode, code_meant, code_on_wire
from handle_protocol.credential import Credential, decode_credential, encode_credential
from handle_protocol.envelope import (
    VERSION_OLDEST,
    VERSION_OURS,
    VERSION_UNKNOWN_PEER,
    Envelope,
    Version,
    decode_envelope,
    encode_envelope,
    wanted_version,
)
from handle_protocol.errors import MalformedMessage, UnsupportedVersion
from handle_protocol.flags import EnvelopeFlag, OpFlag
from handle_protocol.header import UNKNOWN_SITE_SERIAL, Header, decode_header, encode_header
from handle_protocol.limits import ENVELOPE_OCTETS, EXPIRATION_SECONDS
from handle_protocol.octets import OctetReader

UNKNOWN_REQUEST_ID: Final = 0xFFFF_FFFF
"""Reference: the request id in the answer to octets that hold none."""

OP_FLAGS_USUAL: Final = OpFlag.RECURSIVE | OpFlag.CACHE_CERTIFY | OpFlag.PUBLIC_ONLY
"""Reference: the flags of its client's requests, and of its answers to unreadable ones."""

_UNREADABLE: Final = int(EnvelopeFlag.COMPRESSED | EnvelopeFlag.ENCRYPTED)

_RESPONSE_CODE_AT: Final = slice(ENVELOPE_OCTETS + 4, ENVELOPE_OCTETS + 8)


@dataclass(frozen=True, slots=True)
class Message:
    """One request or one answer.

    Attributes:
        suggested: the version in which an answer is wanted; NO_SUGGESTION = `version`.
        flags: bits of EnvelopeFlag.
        session_id: 0 = none; also the id of a pending challenge.
        credential: None when unsigned.
        has_credential_field: False when the message ends right after its body.
    """

    version: Version
    suggested: Version
    flags: int
    session_id: int
    request_id: int
    header: Header
    body: Body
    credential: Credential | None = None
    has_credential_field: bool = True

    @property
    def is_request(self) -> bool:
        """Whether it asks; everything else answers."""
        return self.header.response_code == ResponseCode.REQUEST

    @property
    def response_code(self) -> int:
        """What the header's response code means in this message's version."""
        return code_meant(self.header.response_code, self.version)

    def has_flag(self, flag: OpFlag) -> bool:
        """Tell whether an operation flag is set."""
        return bool(self.header.op_flags & int(flag))


def encode_message(message: Message) -> bytes:
    """Return envelope and message as they travel over TCP, or in one datagram."""
    content = encode_header_and_body(message)
    if message.credential is not None:
        content += octets.counted(encode_credential(message.credential))
    elif message.has_credential_field:
        content += octets.u32(0)
    envelope = Envelope(
        message.version,
        message.suggested,
        message.flags,
        message.session_id,
        message.request_id,
        sequence_number=0,
        message_length=len(content),
    )
    return encode_envelope(envelope) + content


def decode_message(message_octets: bytes) -> Message:
    """Read envelope and message, which must fill `message_octets` exactly.

    Raises:
        MalformedMessage: the octets are no message.
        UnsupportedVersion: a message of another protocol generation.
        InvalidHandle: a question for a name that can be no handle.
    """
    reader = OctetReader(message_octets)
    envelope = decode_envelope(reader)
    return _decode(envelope, reader)


def decode(envelope: Envelope, message_octets: bytes) -> Message:
    """Read the message of an envelope that was read before; the offset in errors starts after the envelope.

    Raises:
        ProtocolError: as for `decode_message`.
    """
    return _decode(envelope, OctetReader(message_octets))


def encode_sealed(message: Message, encrypt: Callable[[bytes], bytes]) -> bytes:
    """Return envelope and encrypted message; the envelope counts the encrypted octets, and says that they are so."""
    encoded = encode_message(message)
    content = encrypt(encoded[ENVELOPE_OCTETS:])
    plain = decode_envelope(OctetReader(encoded))
    flags = plain.flags | EnvelopeFlag.ENCRYPTED
    return encode_envelope(replace(plain, flags=flags, message_length=len(content))) + content


def open_sealed(message_octets: bytes, decrypt: Callable[[bytes], bytes]) -> bytes:
    """Return envelope and message of an encrypted message as they would be without encryption.

    Raises:
        MalformedMessage: there is no whole encrypted message, or whatever `decrypt` raises.
    """
    reader = OctetReader(message_octets)
    sealed = decode_envelope(reader)
    if reader.remaining != sealed.message_length:
        raise MalformedMessage(f"{sealed.message_length} octets of message, not {reader.remaining},", reader.offset)
    content = decrypt(reader.rest())
    flags = sealed.flags & ~EnvelopeFlag.ENCRYPTED
    return encode_envelope(replace(sealed, flags=flags, message_length=len(content))) + content


def is_sealed(message_octets: bytes) -> bool:
    """Tell whether octets that begin with an envelope say that the rest is encrypted."""
    return bool(message_octets[2:3] and message_octets[2] & EnvelopeFlag.ENCRYPTED)


def encode_header_and_body(message: Message) -> bytes:
    """Return the octets that digests, signatures and MACs cover."""
    body = encode_body(message.body, message.version)
    return encode_header(message.header, len(body)) + body


def holds_request(message_octets: bytes) -> bool:
    """Tell whether octets that could not be decoded are a request; False, too, when they are too short to tell.

    A message that is itself an answer must never be answered. `message_octets` start with the envelope.
    """
    return message_octets[_RESPONSE_CODE_AT] == octets.u32(ResponseCode.REQUEST)


def answer_to(
    request: Message,
    response_code: int,
    body: AnswerBody,
    *,
    now: float,
    is_authoritative: bool = True,
) -> Message:
    """Return the answer to `request`, with its ids, flags and counts, in the newest version both sides speak.

    The digest of the request is added to `body` where the request asks for it, and to every challenge.

    Args:
        request: the message to answer.
        response_code: a ResponseCode; written as the version of the answer numbers it.
        body: what fits the code, without a digest.
        now: Unix seconds; the answer may be believed for twelve hours.
        is_authoritative: False for an answer from memory that the register could not confirm.
    """
    version = answer_version(request)
    op_flags = request.header.op_flags & ~OpFlag.AUTHORITATIVE | (OpFlag.AUTHORITATIVE if is_authoritative else 0)
    if response_code == ResponseCode.AUTHENTICATION_NEEDED:  # The proof covers the digest: it is there unasked, too.
        op_flags |= OpFlag.RETURN_REQUEST_DIGEST
    if op_flags & OpFlag.RETURN_REQUEST_DIGEST:
        digest = digest_of(encode_header_and_body(request), usual_algorithm(version))
        body = _with_digest(body, digest, version)
    header = replace(
        request.header,
        response_code=code_on_wire(response_code, version),
        op_flags=op_flags,
        expires_at=int(now) + EXPIRATION_SECONDS,
        reserved=0,
    )
    return Message(version, VERSION_OURS, 0, request.session_id, request.request_id, header, body)


def answer_version(request: Message) -> Version:
    """Return the newest version that both we and whoever sent `request` speak."""
    return max(min(wanted_version(request.version, request.suggested), VERSION_OURS), VERSION_OLDEST)


def error_instead(answer_octets: bytes, text: str) -> bytes:
    """Return an answer of code ERROR, with ids, operation and expiration of the answer whose octets these are.

    Args:
        answer_octets: envelope and message; the message may be of any operation, and more may follow it.
        text: a few words for people.
    """
    reader = OctetReader(answer_octets)
    envelope = decode_envelope(reader)
    header, _ = decode_header(reader)
    flags = header.op_flags & ~(OpFlag.RETURN_REQUEST_DIGEST | OpFlag.CONTINUOUS)
    header = replace(header, response_code=int(ResponseCode.ERROR), op_flags=int(flags))
    body = ErrorBody(text)
    return encode_message(
        Message(envelope.version, envelope.suggested, 0, envelope.session_id, envelope.request_id, header, body)
    )


def error_for_unreadable(envelope: Envelope | None, *, now: float, text: str = "") -> Message:
    """Return the protocol's own error (operation 0, code 4), as the reference answers what it cannot read.

    Args:
        envelope: what was readable; its request id is echoed. None when not even that was.
        now: Unix seconds.
        text: at most a few words: the answer must stay smaller than what it may answer.
    """
    request_id = UNKNOWN_REQUEST_ID if envelope is None else envelope.request_id
    header = Header(
        OpCode.NONE,
        ResponseCode.PROTOCOL_ERROR,
        OP_FLAGS_USUAL,
        UNKNOWN_SITE_SERIAL,
        recursion_count=0,
        expires_at=int(now) + EXPIRATION_SECONDS,
    )
    return Message(VERSION_UNKNOWN_PEER, VERSION_OURS, 0, 0, request_id, header, ErrorBody(text))


def error_for_invalid_handle(envelope: Envelope, message_octets: bytes, *, now: float) -> Message:
    """Return the answer (code 102) to a request whose decoding raised InvalidHandle.

    Args:
        envelope: the request's envelope.
        message_octets: what follows it.
        now: Unix seconds.

    Raises:
        MalformedMessage: there is not even a header.
    """
    reader = OctetReader(message_octets)
    header, body_length = decode_header(reader)
    body = RawBody(reader.take(body_length, "body"))
    request = Message(envelope.version, envelope.suggested, 0, envelope.session_id, envelope.request_id, header, body)
    return answer_to(request, ResponseCode.INVALID_HANDLE, ErrorBody(), now=now)


def _decode(envelope: Envelope, reader: OctetReader) -> Message:
    _check_readable(envelope)
    if reader.remaining != envelope.message_length:
        raise MalformedMessage(f"{envelope.message_length} octets of message, not {reader.remaining},", reader.offset)
    header, body_length = decode_header(reader)
    region = reader.region(body_length, "body")
    code = code_meant(header.response_code, envelope.version)
    body = decode_body(Frame(header.op_code, code, header.op_flags, envelope.version), region)
    region.finish("body")
    has_credential_field = bool(reader.remaining)
    credential = _read_credential(reader) if has_credential_field else None
    return Message(
        envelope.version,
        envelope.suggested,
        envelope.flags,
        envelope.session_id,
        envelope.request_id,
        header,
        body,
        credential,
        has_credential_field,
    )


def _check_readable(envelope: Envelope) -> None:
    if envelope.version.major != VERSION_OURS.major:
        raise UnsupportedVersion(f"expected protocol version 2, not {envelope.version}")
    if envelope.flags & _UNREADABLE:
        raise MalformedMessage("a message neither compressed nor encrypted", 2)


def _read_credential(reader: OctetReader) -> Credential | None:
    length = reader.u32("length of credential")
    region = reader.region(length, "credential")
    reader.finish("message")
    return decode_credential(region) if length else None


def _with_digest(body: AnswerBody, digest: RequestDigest, version: Version) -> AnswerBody:
    if isinstance(body, RawBody):
        return RawBody(encode_digest(digest, version) + body.octets)
    return replace(body, request_digest=digest)
