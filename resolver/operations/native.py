"""From the octets of a request to the octets of its answer, for every door that speaks the Handle protocol."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Final

import structlog

from handle_protocol.bodies.error import ErrorBody
from handle_protocol.codes import OpCode, ResponseCode
from handle_protocol.envelope import Envelope, decode_envelope
from handle_protocol.errors import InvalidHandle, ProtocolError
from handle_protocol.flags import OpFlag
from handle_protocol.limits import ENVELOPE_OCTETS, MESSAGE_OCTETS_MAX, RECURSION_COUNT_MAX
from handle_protocol.message import (
    Message,
    answer_to,
    decode_message,
    encode_message,
    error_for_invalid_handle,
    error_for_unreadable,
    holds_request,
    is_sealed,
)
from handle_protocol.octets import OctetReader
from resolver.answer import Answer, Busy, Found, PermissionNeeded
from resolver.fast_path.plain import PlainAnswers
from resolver.flights import Landing
from resolver.metrics import DoorTally
from resolver.operations.asked import Asked
from resolver.operations.other_workers import OtherWorkers
from resolver.operations.peers import Peer
from resolver.operations.replies import Answered, Reply
from resolver.operations.sessions import has_session_code
from resolver.operations.table import Operations
from resolver.resolve import Resolver
from resolver.translation.messages import message_of, query_of

log = structlog.get_logger()

QUERIES_IN_FLIGHT_MAX: Final = 10_000
"""Questions that may wait for the register at once in one worker; to more we say that we are busy."""

LONG_REQUEST_OCTETS: Final = 4_096
"""A request up to here is a usual one: ten thousand of them take 40 MB, and mostly a twentieth of it."""

LONG_OCTETS_IN_FLIGHT_MAX: Final = 16 * 2**20
"""Longer requests of one door and worker that are under way together: sixty-four of the longest. They take three times
as much while they are read and decided upon, and so many connections could each have one under way that it would take
all memory; to more we say that we are busy. Usual ones are taken all the same."""

_SPECIAL: Final = int(OpFlag.CERTIFY | OpFlag.TRUSTED_QUERY)

SOMEBODY: Final = Peer()
"""One of whom nothing is known; nothing ever lasts for it."""


class NativeService:
    """Serves requests of the Handle protocol.

    Attributes:
        plain: the short way for plain questions; ask it first.
        tally: what the door with this service counts.
        in_flight: requests that wait for the register.
    """

    def __init__(
        self,
        resolver: Resolver,
        tally: DoorTally,
        queries_in_flight_max: int = QUERIES_IN_FLIGHT_MAX,
        *,
        operations: Operations | None = None,
        others: OtherWorkers | None = None,
    ) -> None:
        """Serve questions from `resolver`, and everything else by `operations`, if there are any.

        Args:
            resolver: answers questions.
            tally: counts.
            queries_in_flight_max: to more requests than these we say that we are busy.
            operations: what there is beyond plain resolution.
            others: the other workers of this node; None = there are none.
        """
        self.plain = PlainAnswers(resolver)
        self.tally = tally
        self._resolver = resolver
        self.in_flight = 0
        self._long_octets = 0
        self._in_flight_max = queries_in_flight_max
        self._operations = operations
        self._others = others

    def new_peer(self, address: str) -> Peer:
        """Return one who has just connected."""
        return Peer(address, None if self._operations is None else self._operations.new_login())

    def serve(self, octets: bytes, peer: Peer = SOMEBODY) -> Reply:
        """Return the reply to one request of `peer`, envelope included.

        What cannot be read gets the protocol's own error, what is itself a response gets nothing.
        """
        if self._operations is not None and is_sealed(octets):
            return self._serve_sealed(octets, peer, self._operations)
        if not holds_request(octets):  # Before anything is spent on it: the longest answers are 250 kB.
            self.tally.discarded["response"] += 1
            return None
        try:
            return self._serve_request(Asked(decode_message(octets), octets, peer))
        except ProtocolError as error:
            return self._answer_unreadable(octets, error)

    def _serve_request(self, asked: Asked) -> Reply:
        request = asked.request
        if request.header.recursion_count > RECURSION_COUNT_MAX:
            return self._refuse(request, ResponseCode.RECURSION_COUNT_TOO_HIGH)
        try:
            if _is_plain(asked):
                return self._resolve(asked)
            if self._operations is None:
                return self._refuse(request, ResponseCode.OPERATION_NOT_SUPPORTED)
            if not self._operations.sessions.is_meant(asked):
                return self._begin(asked, self._operations)
            return self._hand_over(asked) or self._find_session(asked, self._operations)
        except Exception:
            log.exception("request_failed", operation=request.header.op_code)
            return self._refuse(request, ResponseCode.ERROR)

    def _serve_sealed(self, octets: bytes, peer: Peer, operations: Operations) -> Reply:
        """Serve an encrypted request; nothing but its session id can be read yet."""
        envelope = decode_envelope(OctetReader(octets))
        owner = self._owner(envelope.session_id)
        if owner is not None:
            return self._ask_owner(owner, octets, peer)
        session = operations.sessions.find(envelope.session_id, peer.address)
        try:
            opened = b"" if session is None else operations.sessions.open(octets, session)
            if session is None or not holds_request(opened):
                return self._refuse_unreadable(envelope)
            asked = Asked(decode_message(opened), opened, peer, session, is_sealed=True)
        except ProtocolError:
            return self._refuse_unreadable(envelope)
        code = operations.sessions.check(asked.request, session)
        if code is ResponseCode.INVALID_SESSION_KEY:  # Told apart from what cannot be opened, it would help to decrypt.
            return self._refuse_unreadable(envelope)
        return self._begin(asked, operations) if code is None else self._refuse(asked.request, code)

    def _find_session(self, asked: Asked, operations: Operations) -> Reply:
        session = operations.sessions.find(asked.request.session_id, asked.peer.address)
        if session is None:
            return self._refuse(asked.request, ResponseCode.SESSION_TIMEOUT)
        code = operations.sessions.check(asked.request, session)
        if code is not None:
            return self._refuse(asked.request, code)
        return self._begin(replace(asked, session=session), operations)

    def _begin(self, asked: Asked, operations: Operations) -> Reply:
        """Begin an operation, if not too much is under way."""
        if not self._has_room_for(asked):
            return self._refuse(asked.request, ResponseCode.SERVER_TOO_BUSY)
        step = operations.begin(asked, self.tally)
        if step is None:
            return self._refuse(asked.request, ResponseCode.OPERATION_NOT_SUPPORTED)
        self._take_in(asked)
        step.add_done_callback(lambda _: self._let_go(asked))
        return step

    def _has_room_for(self, asked: Asked) -> bool:
        long_octets = _long_octets(asked)
        has_room = not long_octets or self._long_octets + long_octets <= LONG_OCTETS_IN_FLIGHT_MAX
        return has_room and self.in_flight < self._in_flight_max

    def _take_in(self, asked: Asked) -> None:
        self.in_flight += 1
        self._long_octets += _long_octets(asked)

    def _let_go(self, asked: Asked) -> None:
        self.in_flight -= 1
        self._long_octets -= _long_octets(asked)

    def _hand_over(self, asked: Asked) -> Reply:
        """Hand what came in a session of another worker to it; None = this worker serves it."""
        owner = self._owner(asked.request.session_id)
        return None if owner is None else self._ask_owner(owner, asked.octets, asked.peer)

    def _owner(self, session_id: int) -> int | None:
        return None if self._others is None else self._others.owner(session_id)

    async def _ask_owner(self, owner: int, octets: bytes, peer: Peer) -> bytes:
        assert self._others is not None, "it told who the owner is"
        try:
            return await self._others.serve_in_session(owner, peer.address, octets)
        except (ProcessLookupError, ConnectionError, TimeoutError, ValueError):
            return self._refuse_unreadable(decode_envelope(OctetReader(octets)))

    def _refuse_unreadable(self, envelope: Envelope) -> bytes:
        """Say that a session is not there, to whoever sent what cannot be read without it."""
        self.tally.discarded["no_session"] += 1
        error = error_for_unreadable(envelope, now=self._resolver.unix_clock())
        header = replace(error.header, response_code=int(ResponseCode.SESSION_TIMEOUT))
        return encode_message(replace(error, header=header, session_id=envelope.session_id))

    def fetch_missing(self, request: bytes, then: Callable[[], None]) -> bool:
        """Fetch the record that `plain` lacks for `request`, and tell whether that was begun; `then` comes after.

        No task, no message and no query are made for it: that is three quarters of the time of the long way.
        """
        landing = self.plain.fetch_missing(request) if self.in_flight < self._in_flight_max else None
        if landing is None:
            return False
        self.in_flight += 1
        landing.add_done_callback(partial(self._land, then))
        return True

    def flush(self) -> None:
        """Hand what was counted over to Prometheus."""
        self.tally.outcomes[Found.outcome] += self.plain.take_hits()
        self.tally.discarded["not_sent"] += self.plain.take_not_sent()
        self.tally.flush()

    def _resolve(self, asked: Asked) -> Reply:
        query = query_of(asked.request)
        answer = self._resolver.answer_from_memory(query)
        if isinstance(answer, PermissionNeeded) and self._operations is not None:
            return self._begin(asked, self._operations)
        if answer is None and self._has_room_for(asked):
            return self._resolve_later(asked)
        return self._encode(answer or Busy(query.handle), asked.request)

    def _land(self, then: Callable[[], None], landing: Landing) -> None:
        self.in_flight -= 1
        if not landing.cancelled():
            then()

    async def _resolve_later(self, asked: Asked) -> Answered:
        self._take_in(asked)
        try:
            answer = await self._resolver.answer_from_register(query_of(asked.request))
            step = None
            if isinstance(answer, PermissionNeeded) and self._operations is not None:
                step = self._operations.begin(asked, self.tally)
            return self._encode(answer, asked.request) if step is None else await step
        except Exception:
            log.exception("request_failed", operation=asked.request.header.op_code)
            return self._refuse(asked.request, ResponseCode.ERROR)
        finally:
            self._let_go(asked)

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


def _long_octets(asked: Asked) -> int:
    """Return how much a request counts among the long ones."""
    length = len(asked.octets)
    return length if length > LONG_REQUEST_OCTETS else 0


def _is_plain(asked: Asked) -> bool:
    """Tell whether it is a question of nobody in particular, that nothing asked before must be done for."""
    request = asked.request
    return (
        request.header.op_code == OpCode.RESOLUTION
        and asked.peer.is_idle
        and not request.header.op_flags & _SPECIAL
        and not has_session_code(request)
    )
