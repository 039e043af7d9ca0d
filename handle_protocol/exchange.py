"""A client's side of one question: what to send, what to take for the answer, when to turn to TCP. No input or output.

The order of tries is the reference's; that nothing is believed but the answer to our very question is ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from handle_protocol.bodies.challenge import ChallengeAnswer
from handle_protocol.bodies.digest import RequestDigest, digest_of
from handle_protocol.bodies.resolution import ResolutionRequest, ResolutionResponse
from handle_protocol.bodies.table import RequestBody
from handle_protocol.codes import OpCode, ResponseCode
from handle_protocol.envelope import VERSION_OURS, VERSION_UNKNOWN_PEER, decode_envelope
from handle_protocol.errors import ProtocolError
from handle_protocol.flags import EnvelopeFlag, OpFlag
from handle_protocol.header import UNKNOWN_SITE_SERIAL, Header
from handle_protocol.limits import EXPIRATION_SECONDS, UDP_WAITS_SECONDS
from handle_protocol.message import (
    OP_FLAGS_USUAL,
    Message,
    answer_version,
    decode_message,
    encode_header_and_body,
    encode_message,
)
from handle_protocol.octets import OctetReader
from handle_protocol.transmission import Reassembly, split

_SERVER: Final = ("the server",)
"""The one peer of an exchange."""


def request(
    body: RequestBody,
    op_code: int,
    *,
    request_id: int,
    now: float,
    op_flags: int = OP_FLAGS_USUAL,
    session_id: int = 0,
) -> Message:
    """Return the request that asks a server for an operation.

    The server's version is unknown, so ours is only suggested; the answer, and what is asked after a challenge, is in
    the newest that both speak. Whoever has a session knows that: it asks in ours, since older sessions are refused.

    Args:
        body: what fits the operation.
        op_code: an OpCode.
        request_id: 1 to 2³¹-1, hard to guess: it tells the answer from a forged one.
        now: Unix seconds.
        op_flags: bits of OpFlag.
        session_id: of the session in which it is asked, 0 = none.
    """
    header = Header(
        op_code,
        ResponseCode.REQUEST,
        op_flags,
        UNKNOWN_SITE_SERIAL,
        recursion_count=0,
        expires_at=int(now) + EXPIRATION_SECONDS,
    )
    version = VERSION_OURS if session_id else VERSION_UNKNOWN_PEER
    return Message(version, VERSION_OURS, 0, session_id, request_id, header, body)


def resolution_request(
    question: ResolutionRequest, *, request_id: int, now: float, op_flags: int = OP_FLAGS_USUAL
) -> Message:
    """Return the request that puts a question; the arguments are those of `request`."""
    return request(question, OpCode.RESOLUTION, request_id=request_id, now=now, op_flags=op_flags)


def challenge_answer_request(challenge: Message, answer: ChallengeAnswer, *, request_id: int, now: float) -> Message:
    """Return the request that answers a challenge, in the newest version that both sides speak.

    It has the session id of the challenge, by which the server finds what was challenged, and its flags (vectors,
    file 15). `request_id` and `now` are as for `request`; inside a session the request id is that of the challenge.
    """
    header = Header(
        OpCode.CHALLENGE_ANSWER,
        ResponseCode.REQUEST,
        challenge.header.op_flags & ~OpFlag.AUTHORITATIVE,
        UNKNOWN_SITE_SERIAL,
        recursion_count=0,
        expires_at=int(now) + EXPIRATION_SECONDS,
    )
    return Message(answer_version(challenge), VERSION_OURS, 0, challenge.session_id, request_id, header, answer)


@dataclass(frozen=True, slots=True)
class Try:
    """Send these datagrams, then wait this long for the answer."""

    datagrams: tuple[bytes, ...]
    wait_seconds: float


class Exchange:
    """One question and the search for its answer.

    Call `next_try` until it gives None, and `accept_datagram` with whatever comes meanwhile; then send
    `request_octets` over TCP and call `accept_message`. Lists come in several messages: go on until `is_answered`.

    Attributes:
        request_octets: the request as it travels over TCP.
        is_partial: whether an answer has begun that says it is cut, or that came with code ERROR, as a node says that
            it is too long for UDP; once no more of it comes, only TCP has the rest.
        is_answered: whether the last message of the answer was accepted.
    """

    def __init__(self, request: Message, challenged: Message | None = None) -> None:
        """Begin to ask.

        Args:
            request: what is sent.
            challenged: what was sent before and answered with a challenge, if `request` answers that: the final
                answer has its operation code, and 9.2.0 returns its digest.
        """
        self.request_octets = encode_message(request)
        self.is_partial = False
        self.is_answered = False
        self._request = request
        self._answerable = (request,) if challenged is None else (request, challenged)
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
            answer = None if message_octets is None else self.accept_message(message_octets, now)
        except ProtocolError:
            return None
        is_refused = answer is not None and answer.response_code == ResponseCode.ERROR
        self.is_answered &= not is_refused
        self.is_partial |= is_refused or bool(envelope.flags & EnvelopeFlag.TRUNCATED)
        return None if is_refused else answer

    def accept_message(self, message_octets: bytes, now: float) -> Message | None:
        """Return the message if it is the answer or a part of it, None if it answers something else or is out of date.

        Args:
            message_octets: envelope and message, opened if it was encrypted.
            now: Unix seconds.

        Raises:
            ProtocolError: the octets are no message.
        """
        message = decode_message(message_octets)
        is_ours = (
            not message.is_request
            and message.request_id == self._request.request_id
            and message.header.expires_at >= now
            and self._answers_operation(message)
            and all(_is_for_same_handle(asked, message) for asked in self._answerable)
            and self._answers_request(message)
        )
        if not is_ours:
            return None
        self.is_answered = not message.has_flag(OpFlag.CONTINUOUS)
        return message

    def _answers_operation(self, message: Message) -> bool:
        """A server that could not read us answers with operation 0."""
        answered = message.header.op_code
        could_not_read = answered == OpCode.NONE and message.response_code == ResponseCode.PROTOCOL_ERROR
        return could_not_read or any(answered == asked.header.op_code for asked in self._answerable)

    def _answers_request(self, message: Message) -> bool:
        """Where an answer returns a digest, it must be that of a request of ours."""
        digest = _returned_digest(message)
        return digest is None or any(
            digest == digest_of(encode_header_and_body(asked), digest.algorithm) for asked in self._answerable
        )


def _is_for_same_handle(asked: Message, answer: Message) -> bool:
    """Servers that fold suffixes may answer in their own spelling."""
    match asked.body, answer.body:
        case ResolutionRequest(handle), ResolutionResponse(answered):
            return handle.key(folds_suffix=True) == answered.key(folds_suffix=True)
        case _:
            return True


def _returned_digest(answer: Message) -> RequestDigest | None:
    digest: RequestDigest | None = getattr(answer.body, "request_digest", None)
    return digest
