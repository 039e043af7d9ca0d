"""From the octets of a request to the octets of its answer, for every door that speaks the Handle protocol."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

import structlog

from handle_protocol.bodies.error import ErrorBody
from handle_protocol.codes import OpCode, ResponseCode
from handle_protocol.envelope import decode_envelope
from handle_protocol.errors import InvalidHandle, ProtocolError
from handle_protocol.limits import ENVELOPE_OCTETS, MESSAGE_OCTETS_MAX, RECURSION_COUNT_MAX
from handle_protocol.message import (
    Message,
    answer_to,
    decode_message,
    encode_message,
    error_for_invalid_handle,
    error_for_unreadable,
    holds_request,
)
from handle_protocol.octets import OctetReader
from resolver.answer import Answer, Busy, Found
from resolver.fast_path.plain import PlainAnswers
from resolver.flights import Landing
from resolver.metrics import DoorTally
from resolver.operations.peers import Peer
from resolver.operations.replies import Reply
from resolver.resolve import Resolver
from resolver.translation.messages import message_of, query_of

log = structlog.get_logger()

QUERIES_IN_FLIGHT_MAX: Final = 10_000
"""Questions that may wait for the register at once in one worker; to more we say that we are busy."""

SOMEBODY: Final = Peer()
"""One of whom nothing is known; nothing ever lasts for it."""


class NativeService:
    """Serves requests of the Handle protocol.

    Attributes:
        plain: the short way for plain questions; ask it first.
        tally: what the door with this service counts.
        in_flight: questions that wait for the register.
    """

    def __init__(
        self,
        resolver: Resolver,
        tally: DoorTally,
        queries_in_flight_max: int = QUERIES_IN_FLIGHT_MAX,
    ) -> None:
        self.plain = PlainAnswers(resolver)
        self.tally = tally
        self._resolver = resolver
        self.in_flight = 0
        self._in_flight_max = queries_in_flight_max
        self._operations: dict[int, Callable[[Message], Reply]] = {OpCode.RESOLUTION: self._resolve}

    def serve(self, octets: bytes, peer: Peer = SOMEBODY) -> Reply:  # noqa: ARG002 - operations that ask who it is follow
        """Return the reply to one request of `peer`, envelope included.

        What cannot be read gets the protocol's own error, what is itself a response gets nothing.
        """
        if not holds_request(octets):  # Before anything is spent on it: the longest answers are 250 kB.
            self.tally.discarded["response"] += 1
            return None
        try:
            request = decode_message(octets)
        except ProtocolError as error:
            return self._answer_unreadable(octets, error)
        if request.header.recursion_count > RECURSION_COUNT_MAX:
            return self._refuse(request, ResponseCode.RECURSION_COUNT_TOO_HIGH)
        operation = self._operations.get(request.header.op_code)
        if operation is None:
            return self._refuse(request, ResponseCode.OPERATION_NOT_SUPPORTED)
        try:
            return operation(request)
        except Exception:
            log.exception("request_failed", operation=request.header.op_code)
            return self._refuse(request, ResponseCode.ERROR)

    def fetch_missing(self, then: Callable[[], None]) -> bool:
        """Fetch what `plain` lacked for the last request, and tell whether that was begun; `then` is called after it.

        No task, no message and no query are made for it: that is three quarters of the time of the long way.
        """
        landing = self.plain.fetch_missing() if self.in_flight < self._in_flight_max else None
        if landing is None:
            return False
        self.in_flight += 1
        landing.add_done_callback(partial(self._land, then))
        return True

    def flush(self) -> None:
        """Hand what was counted over to Prometheus."""
        self.tally.outcomes[Found.outcome] += self.plain.hits
        self.plain.hits = 0
        self.tally.flush()

    def _resolve(self, request: Message) -> Reply:
        query = query_of(request)
        answer = self._resolver.answer_from_memory(query)
        if answer is None and self.in_flight < self._in_flight_max:
            return self._resolve_later(request)
        return self._encode(answer or Busy(query.handle), request)

    def _land(self, then: Callable[[], None], landing: Landing) -> None:
        self.in_flight -= 1
        if not landing.cancelled():
            then()

    async def _resolve_later(self, request: Message) -> bytes:
        self.in_flight += 1
        try:
            answer = await self._resolver.answer_from_register(query_of(request))
            return self._encode(answer, request)
        except Exception:
            log.exception("request_failed", operation=request.header.op_code)
            return self._refuse(request, ResponseCode.ERROR)
        finally:
            self.in_flight -= 1

    def _answer_unreadable(self, octets: bytes, error: ProtocolError) -> bytes:
        self.tally.discarded["malformed"] += 1
        now = self._resolver.unix_clock()
        envelope = decode_envelope(OctetReader(octets))
        if isinstance(error, InvalidHandle):
            return encode_message(error_for_invalid_handle(envelope, octets[ENVELOPE_OCTETS:], now=now))
        return encode_message(error_for_unreadable(envelope, now=now))

    def _encode(self, answer: Answer, request: Message) -> bytes:
        encoded = encode_message(message_of(answer, request, now=self._resolver.unix_clock()))
        if len(encoded) > ENVELOPE_OCTETS + MESSAGE_OCTETS_MAX:
            return self._refuse(request, ResponseCode.ERROR)
        self.tally.outcomes[answer.outcome] += 1
        return encoded

    def _refuse(self, request: Message, code: ResponseCode) -> bytes:
        self.tally.discarded[code.name.lower()] += 1
        return encode_message(answer_to(request, code, ErrorBody(), now=self._resolver.unix_clock()))
