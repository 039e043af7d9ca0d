"""The UDP door: datagrams in, datagrams out.

The socket is read by hand instead of through a transport: it costs less per datagram (measured), and one turn takes a
bounded number so that the other doors stay responsive.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Final

from handle_protocol.errors import MalformedMessage
from handle_protocol.limits import DATAGRAM_OCTETS_MAX, ENVELOPE_OCTETS
from handle_protocol.message import error_instead, is_sealed
from handle_protocol.transmission import Reassembly, is_whole, split
from resolver.fast_path.short_way import SocketAddress
from resolver.listeners.repeats import Repeats, repetition_key
from resolver.operations.native import NativeService
from resolver.operations.peers import Peer
from resolver.operations.replies import Answered, Continued, Reply

DRAIN_LOOK_SECONDS: Final = 0.01
"""How often a closing door looks whether everything is answered."""

_ASK_OVER_TCP: Final = "too long for UDP, ask over TCP 应答过长,请使用 TCP"


@dataclass(frozen=True, slots=True)
class UdpLimits:
    """Bounds of the UDP door.

    Attributes:
        answer_packets_max: a longer answer sends the asker to TCP; bounds amplification.
        fragments_max, fragments_octets_max, fragments_per_peer_max, fragments_seconds: messages in several
            datagrams that are not complete yet, in all and of one peer, and how long they may take.
    """

    answer_packets_max: int = 3
    fragments_max: int = 2_000
    fragments_octets_max: int = 8 * 2**20
    fragments_per_peer_max: int = 16
    fragments_seconds: float = 5.0


class UdpDoor:
    """Serves one datagram socket until it is closed."""

    def __init__(self, listener: socket.socket, service: NativeService, limits: UdpLimits) -> None:
        self._socket = listener
        self._service = service
        self._limits = limits
        self._tally = service.tally
        self._own_address = listener.getsockname()
        self._reassembly = Reassembly(
            limits.fragments_max, limits.fragments_octets_max, limits.fragments_per_peer_max, limits.fragments_seconds
        )
        self._repeats = Repeats()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def port(self) -> int:
        """The port it serves."""
        port: int = self._own_address[1]
        return port

    def open(self) -> None:
        """Begin to serve."""
        asyncio.get_running_loop().add_reader(self._socket, self._drain)

    async def close(self, seconds: float) -> None:
        """Take no more questions; give those under way `seconds` to be answered."""
        asyncio.get_running_loop().remove_reader(self._socket)
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._tasks or self._service.in_flight:  # noqa: ASYNC110 - an event would cost every question
                    await asyncio.sleep(DRAIN_LOOK_SECONDS)
        self._socket.close()

    def _drain(self) -> None:
        fetch_missing = self._service.fetch_missing
        for datagram, peer, is_missing in self._service.plain.serve_datagrams(self._socket):
            if not is_missing or not fetch_missing(datagram, partial(self._answer_again, datagram, peer)):
                self._answer_again(datagram, peer)

    def _answer_again(self, datagram: bytes, peer: SocketAddress) -> None:
        """Answer what could not be answered at once: its record may be there meanwhile, or the answer be long."""
        answer = self._service.plain.answer(datagram)
        if answer:
            self._answer(answer, peer)
        else:
            self._serve(datagram, peer)

    def _serve(self, datagram: bytes, peer: SocketAddress) -> None:
        if len(datagram) < ENVELOPE_OCTETS or len(datagram) > DATAGRAM_OCTETS_MAX:
            self._tally.discarded["no_message"] += 1
            return
        if peer[1] == 0 or peer == self._own_address:
            self._tally.discarded["no_peer"] += 1
            return
        message = self._assemble(datagram, peer)
        if message is None:
            return
        key = repetition_key(message, peer)
        if key is None:
            self._reply(self._service.serve(message, Peer(peer[0])), peer)
        else:
            self._serve_once(message, peer, key)

    def _serve_once(self, message: bytes, peer: SocketAddress, key: bytes) -> None:
        """Serve what must not be done twice; send the answer again if this is a repetition."""
        now = time.monotonic()
        repeated = self._repeats.find(key, now)
        if repeated is None:
            self._repeats.note(key, peer[0], None, now)
            self._reply(self._service.serve(message, Peer(peer[0])), peer, key)
        elif repeated.answer is not None:
            self._answer(repeated.answer, peer)

    def _reply(self, reply: Reply, peer: SocketAddress, key: bytes | None = None) -> None:
        if isinstance(reply, bytes):
            self._answer_first(reply, peer, key)
        elif reply is not None:
            task = asyncio.get_running_loop().create_task(self._answer_later(reply, peer, key))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _assemble(self, datagram: bytes, peer: SocketAddress) -> bytes | None:
        """Return the message that `datagram` is, or completes."""
        if is_whole(datagram):
            return datagram
        try:
            return self._reassembly.accept(datagram, peer, time.monotonic())
        except MalformedMessage:
            self._tally.discarded["no_message"] += 1
            return None

    async def _answer_later(self, reply: Awaitable[Answered], peer: SocketAddress, key: bytes | None) -> None:
        answer = await reply
        self._answer_first(answer.octets if isinstance(answer, Continued) else answer, peer, key)

    def _answer_first(self, answer: bytes, peer: SocketAddress, key: bytes | None) -> None:
        if not is_whole(answer):  # Several messages: however short they are, no client puts them together.
            answer = self._instead_over_tcp(answer)
        if key is not None:
            self._repeats.note(key, peer[0], answer, time.monotonic())
        self._answer(answer, peer)

    def _answer(self, answer: bytes, peer: SocketAddress) -> None:
        if len(answer) <= DATAGRAM_OCTETS_MAX:
            self._send(answer, peer)
            return
        packets = split(answer)
        if len(packets) > self._limits.answer_packets_max:
            self._send(self._instead_over_tcp(answer), peer)
            return
        for packet in packets:
            self._send(packet, peer)

    def _instead_over_tcp(self, answer: bytes) -> bytes:
        """Return one small datagram that tells the asker that the answer is to be had over TCP.

        Code 2 it must be: the reference's client takes every other code for the answer itself, and an answer that is
        cut for lost, and then waits three seconds; after code 2 it asks over TCP at once (measured: 2 ms).
        """
        self._tally.discarded["too_long_for_udp"] += 1
        return split(answer)[0] if is_sealed(answer) else error_instead(answer, _ASK_OVER_TCP)

    def _send(self, packet: bytes, peer: SocketAddress) -> None:
        try:
            self._socket.sendto(packet, peer)
        except OSError:  # The peer asks again, as it would after any loss.
            self._tally.discarded["not_sent"] += 1
