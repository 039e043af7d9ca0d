"""The TCP door: connections that stay open, several questions on each, answers in the order of the questions."""

from __future__ import annotations

import asyncio
import socket
import time
from collections import deque
from collections.abc import Awaitable
from dataclasses import dataclass
from functools import partial
from typing import Final, cast

from handle_protocol.errors import MalformedMessage
from handle_protocol.transmission import StreamCutter
from resolver.listeners.admission import Admission
from resolver.listeners.sockets import TCP_BACKLOG
from resolver.operations.native import NativeService
from resolver.operations.peers import Peer
from resolver.operations.replies import Answered, Continued

HELD_OCTETS_MAX: Final = 256 * 1024
"""Requests of one connection that are under way, and answers that wait for those before them or for the peer: one of
the longest, or sixty-four usual ones."""


@dataclass(frozen=True, slots=True)
class TcpLimits:
    """Bounds of the TCP door.

    Attributes:
        connections_max, per_address_max: open connections in all and of one address; surplus is closed at once.
        idle_seconds: how long a connection may stay silent between messages.
        message_seconds: how long one message may take to arrive, however its octets drip.
        write_seconds: how long a peer may leave its answers unread.
        pipeline_max: questions of one connection under way; more are not read.
    """

    connections_max: int = 4_000
    per_address_max: int = 200
    idle_seconds: float = 30.0
    message_seconds: float = 10.0
    write_seconds: float = 10.0
    pipeline_max: int = 64


class TcpDoor:
    """Serves one listening socket.

    Attributes:
        admission: its open connections.
    """

    def __init__(self, listener: socket.socket, service: NativeService, limits: TcpLimits) -> None:
        self._socket = listener
        self.service = service
        self.limits = limits
        self.admission = Admission(limits.connections_max, limits.per_address_max, service.tally)
        self._server: asyncio.Server | None = None
        self._watch: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        """The port it serves."""
        port: int = self._socket.getsockname()[1]
        return port

    async def open(self) -> None:
        """Begin to serve."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: TcpConnection(self), sock=self._socket, backlog=TCP_BACKLOG)
        self._watch = loop.create_task(self.admission.watch())

    async def close(self, seconds: float) -> None:
        """Accept no more; give questions under way `seconds` to be answered, then cut what is left."""
        if self._server is None or self._watch is None:
            return
        self._server.close()
        for connection in tuple(self.admission.open):
            cast("TcpConnection", connection).finish()
        await self.admission.empty(seconds)
        self._watch.cancel()


class TcpConnection(asyncio.Protocol):
    """One connection.

    Attributes:
        deadline: when it is cut unless something happens, in seconds of the monotonic clock.
    """

    def __init__(self, door: TcpDoor) -> None:
        self._door = door
        self._cutter = StreamCutter()
        self._questions: deque[bytes] = deque()
        self._answers: deque[bytes | asyncio.Future[Answered]] = deque()
        self._held_octets = 0
        self._is_finishing = False
        self._is_paused = False
        self._peer = Peer()
        self._is_admitted = False
        self.deadline = time.monotonic() + door.limits.idle_seconds

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection in, or cut it at once."""
        self._transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        self._peer = self._door.service.new_peer(peer[0] if peer else "")
        self._is_admitted = self._door.admission.admit(self, self._peer.address)
        if not self._is_admitted:
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - any reason is the same to us
        """Forget the connection."""
        if self._is_admitted:
            self._door.admission.dismiss(self, self._peer.address)

    def data_received(self, data: bytes) -> None:
        """Answer every message that is complete: the first ones by the short way, if nothing is before them."""
        was_between = not self._cutter.is_within
        if was_between and self._is_free:
            answers, answered_octets = self._door.service.plain.answer_stream(data)
            if answers:
                self._expect_within(self._door.limits.idle_seconds)
                self._transport.write(answers)
                data = data[answered_octets:]
                if not data:
                    return
        try:
            messages = self._cutter.feed(data)
        except MalformedMessage:
            self._door.service.tally.discarded["malformed"] += 1
            self.abort()
            return
        if self._cutter.is_within and (was_between or messages):
            self._expect_within(self._door.limits.message_seconds)
        self._questions.extend(messages)
        self._advance()

    def eof_received(self) -> bool:
        """Answer what was asked before the peer closed its half, then close ours."""
        self.finish()
        return True

    def pause_writing(self) -> None:
        """The peer does not read: give it a deadline, and read no more of its questions."""
        self._is_paused = True
        self._transport.pause_reading()
        self._expect_within(self._door.limits.write_seconds)

    def resume_writing(self) -> None:
        """The peer reads again."""
        self._is_paused = False
        self._advance()

    def finish(self) -> None:
        """Close as soon as everything that was asked is answered."""
        self._is_finishing = True
        self._advance()

    def abort(self) -> None:
        """Cut the connection: only this frees it when the peer does not read."""
        self._transport.abort()

    @property
    def _is_free(self) -> bool:
        """Whether an answer may be written at once."""
        return not self._questions and not self._answers and not self._is_paused and self._peer.is_idle

    def _advance(self) -> None:
        """Take up questions and write answers, as far as both can go now."""
        while not self._transport.is_closing():
            while self._questions and self._has_room:
                self._take_up(self._questions.popleft())
            if not self._write_what_is_ready() or not self._questions:
                break
        if self._is_finishing and not self._answers and not self._questions:
            self._transport.close()
        if not self._transport.is_closing():
            self._balance()

    @property
    def _has_room(self) -> bool:
        """Whether one more answer may wait here: few are under way, and the peer takes those that are ready."""
        return (
            not self._is_paused
            and len(self._answers) < self._door.limits.pipeline_max
            and self._held_octets < HELD_OCTETS_MAX
        )

    def _take_up(self, message: bytes) -> None:
        service = self._door.service
        reply = (self._peer.is_idle and service.plain.answer(message)) or service.serve(message, self._peer)
        if isinstance(reply, bytes):
            self._answers.append(reply)
            self._held_octets += len(reply)
        elif reply is not None:
            self._answers.append(self._begin(reply, len(message)))

    def _begin(self, reply: Awaitable[Answered], request_octets: int = 0) -> asyncio.Future[Answered]:
        self._held_octets += request_octets
        step = asyncio.ensure_future(reply)
        step.add_done_callback(partial(self._conclude, request_octets))
        return step

    def _conclude(self, request_octets: int, _: object) -> None:
        self._held_octets -= request_octets
        self._advance()

    def _write_what_is_ready(self) -> bool:
        """Write the answers that stand first, and tell whether there were any."""
        ready: list[bytes] = []
        while self._answers and not self._is_paused:
            first = self._answers[0]
            if isinstance(first, bytes):
                answer: Answered = first
                self._held_octets -= len(first)
            elif first.done():
                answer = first.result()
            else:
                break
            if isinstance(answer, Continued):
                ready.append(answer.octets)
                self._answers[0] = self._begin(answer.make_rest())
                break
            ready.append(answer)
            self._answers.popleft()
        if ready:
            if not self._cutter.is_within:
                self._expect_within(self._door.limits.idle_seconds)
            self._transport.write(b"".join(ready))
        return bool(ready)

    def _balance(self) -> None:
        """Read on, or not, by how much is under way."""
        if self._questions or not self._has_room:
            self._transport.pause_reading()
        elif not self._transport.is_reading():
            self._transport.resume_reading()

    def _expect_within(self, seconds: float) -> None:
        self.deadline = time.monotonic() + seconds
