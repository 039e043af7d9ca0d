"""A client's side of one question: what to send, what to take for the answer, when to turn to TCP. No input or output.

The order of tries is the reference's; that nothing is believed but the answer to our very question is ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from handle_protocol.bodies.digest import digest_of
from handle_protocol.bodies.error import ErrorBody
from handle_protocol.bodies.referral import Referral
from handle_protocol.bodies.resolution import ResolutionRequest, ResolutionResponse
from handle_protocol.codes import OpCode, ResponseCode
from handle_protocol.envelope import VERSION_OURS, VERSION_UNKNOWN_PEER, decode_envelope
from handle_protocol.errors import ProtocolError
from handle_protocol.flags import EnvelopeFlag
from handle_protocol.header import UNKNOWN_SITE_SERIAL, Header
from handle_protocol.limits import EXPIRATION_SECONDS, UDP_WAITS_SECONDS
from handle_protocol.message import (
    OP_FLAGS_USUAL,
    Message,
    decode_message,
    encode_header_and_body,
    encode_message,
)
from handle_protocol.octets import OctetReader
from handle_protocol.transmission import Reassembly, split

_SERVER: Final = ("the server",)
"""The one peer of an exchange."""


def resolution_request(
    question: ResolutionRequest, *, request_id: int, now: float, op_flags: int = OP_FLAGS_USUAL
) -> Message:
    """Return the request that puts a question to a server of unknown version.

    Args:
        question: what is asked.
        request_id: 1 to 2³¹-1, hard to guess: it tells the answer from a forged one.
        now: Unix seconds.
        op_flags: bits of OpFlag.
    """
    header = Header(
        OpCode.RESOLUTION,
        ResponseCode.REQUEST,
        op_flags,
        UNKNOWN_SITE_SERIAL,
        recursion_count=0,
        expires_at=int(now) + EXPIRATION_SECONDS,
    )
    return Message(VERSION_UNKNOWN_PEER, VERSION_OURS, 0, 0, request_id, header, question)


@dataclass(frozen=True, slots=True)
class Try:
    """Send these datagrams, then wait this long for the answer."""

    datagrams: tuple[bytes, ...]
    wait_seconds: float


class Exchange:
    """One question and the search for its answer.

    Call `next_try` until it gives None, and `accept_datagram` with whatever comes meanwhile; then send
    `request_octets` over TCP and call `accept_message`.

    Attributes:
        request_octets: the request as it travels over TCP.
        is_partial: whether an answer has begun that says it is cut; once no more of it comes, only TCP has the rest.
    """

    def __init__(self, request: Message) -> None:
        self.request_octets = encode_message(request)
        self.is_partial = False
        self._request = request
        self._waits = iter(UDP_WAITS_SECONDS)
        self._reassembly = Reassembly()

    def next_try(self) -> Try | None:
        """Return what to send over UDP now, or None when it is TCP's turn."""
        wait_seconds = next(self._waits, None)
        if wait_seconds is None or self.is_partial:
            return None
        # Each try gets an answer of its own: its expiration differs, so datagrams of two must not be mixed.
        self._reassembly = Reassembly()
        return Try(tuple(split(self.request_octets)), wait_seconds)

    def accept_datagram(self, datagram: bytes, now: float) -> Message | None:
        """Take a datagram; return the answer if it completes it. Anything else that may come is ignored.

        Args:
            datagram: as received from the server's address.
            now: Unix seconds.
        """
        try:
            envelope = decode_envelope(OctetReader(datagram))
            if envelope.request_id != self._request.request_id:
                return None
            message_octets = self._reassembly.accept(datagram, _SERVER, now)
            if message_octets is not None:
                return self.accept_message(message_octets, now)
        except ProtocolError:
            return None
        self.is_partial |= bool(envelope.flags & EnvelopeFlag.TRUNCATED)
        return None

    def accept_message(self, message_octets: bytes, now: float) -> Message | None:
        """Return the message if it is the answer, None if it answers something else or is out of date.

        Raises:
            ProtocolError: the octets are no message.
        """
        message = decode_message(message_octets)
        is_ours = (
            not message.is_request
            and message.request_id == self._request.request_id
            and message.header.expires_at >= now
            and self._answers_operation(message)
            and _is_for_same_handle(self._request, message)
            and _is_for_same_request(self._request, message)
        )
        return message if is_ours else None

    def _answers_operation(self, message: Message) -> bool:
        """A server that could not read us answers with operation 0."""
        asked = self._request.header.op_code
        could_not_read = message.header.op_code == OpCode.NONE and message.response_code == ResponseCode.PROTOCOL_ERROR
        return message.header.op_code == asked or could_not_read


def _is_for_same_handle(request: Message, answer: Message) -> bool:
    """Servers that fold suffixes may answer in their own spelling."""
    match request.body, answer.body:
        case ResolutionRequest(asked), ResolutionResponse(answered):
            return asked.key(folds_suffix=True) == answered.key(folds_suffix=True)
        case _:
            return True


def _is_for_same_request(request: Message, answer: Message) -> bool:
    """Where an answer returns a digest, it must be that of our request."""
    match answer.body:
        case ResolutionResponse() | Referral() | ErrorBody():
            digest = answer.body.request_digest
            return digest is None or digest == digest_of(encode_header_and_body(request), digest.algorithm)
        case _:
            return True
