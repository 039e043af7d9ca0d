"""Connections of the HTTP door: aiohttp's protocol with deadlines and bounds that it has not itself.

aiohttp knows how long a connection may be idle, but not how long a request's head may take, nor what a peer that
does not read may hold. So each connection has one deadline at any time, which a watch looks at:

    silent between requests        idle_seconds from the last answer
    a TLS handshake has begun      head_seconds from its first octet
    a head has begun               head_seconds from its first octet, however its octets drip
    a request is being answered    none; reading its body and resolving have deadlines of their own
    the peer does not read         write_seconds from when the kernel takes no more

A connection past its deadline is aborted: closing would wait for a peer that does not read.

HTTP and TLS share the port: the first octet tells them apart. aiohttp hears of a connection only then.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final, cast

from aiohttp import StreamReader, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http import RawRequestMessage
from aiohttp.http_exceptions import LineTooLong
from OpenSSL import SSL

from handle_protocol.record import HandleRecord
from resolver.listeners.admission import Admission
from resolver.listeners.client_certificate import ClientCertificate, read_client_certificate
from resolver.listeners.http_bodies import BodyLimits
from resolver.listeners.http_memory import ResponseMemory
from resolver.listeners.http_responses import problem_response
from resolver.listeners.tls import TLS_FIRST_OCTET, TlsTransport
from resolver.listeners.tls_certificate import ServerCertificate
from resolver.metrics import DoorTally

SHOWN: Final = web.ResponseKey("shown", HandleRecord)
"""Where a response of aiohttp keeps the record that it shows."""

NEVER: Final = float("inf")
"""The deadline of a connection that waits for us."""

LINGER_SECONDS: Final = 1.0
"""How long the rest of a body is taken after its answer, so that the peer reads the answer before a reset; a body
that was too slow has had its time already."""


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """Bounds of the HTTP door.

    Attributes:
        connections_max, per_address_max: open connections in all and of one address; surplus is closed at once.
        url_octets_max, field_octets_max, fields_max: of a request line, of one header field, number of fields.
        head_octets_max: of a whole head.
        bodies: how long bodies may be.
        idle_seconds: how long a connection may stay silent between requests.
        head_seconds, body_seconds: how long a head and a body may take to arrive, however their octets drip.
        write_seconds: how long a peer may leave its answers unread.
    """

    connections_max: int = 4_000
    per_address_max: int = 200
    url_octets_max: int = 8_192
    field_octets_max: int = 8_192
    fields_max: int = 100
    head_octets_max: int = 16_384
    bodies: BodyLimits = field(default_factory=BodyLimits)
    idle_seconds: float = 30.0
    head_seconds: float = 10.0
    body_seconds: float = 10.0
    write_seconds: float = 10.0


class ConnectionServer(web.Server):
    """Makes connections.

    Attributes:
        admission: the open ones.
        certificate: what TLS is spoken with; without one, only HTTP is spoken.
        memory: what requests that are repeated are answered from; without it, aiohttp reads every request.
    """

    def __init__(
        self,
        answer: Any,  # noqa: ANN401 - aiohttp's own type is private
        limits: HttpLimits,
        tally: DoorTally,
        certificate: ServerCertificate | None = None,
        memory: ResponseMemory | None = None,
    ) -> None:
        super().__init__(
            answer,
            request_factory=self._make_bounded_request,
            access_log=None,
            keepalive_timeout=limits.idle_seconds,
            lingering_time=LINGER_SECONDS,
            max_line_size=limits.url_octets_max,
            max_field_size=limits.field_octets_max,
            max_headers=limits.fields_max,
            auto_decompress=False,
        )
        self.limits = limits
        self.certificate = certificate
        self.memory = memory
        self.admission = Admission(limits.connections_max, limits.per_address_max, tally)

    def __call__(self) -> BoundedConnection:
        """Make the protocol of a new connection."""
        return BoundedConnection(self, self._loop, self._kwargs)

    def _make_bounded_request(
        self,
        message: RawRequestMessage,
        payload: StreamReader,
        protocol: web.RequestHandler,
        writer: AbstractStreamWriter,
        task: asyncio.Task[None],
    ) -> web.BaseRequest:
        """Note that a head is complete; aiohttp calls this just before it has the request answered."""
        cast(BoundedConnection, protocol).begin_answer()
        octets_max = self.limits.bodies.octets_max(message.method, message.path, message.headers)
        return web.BaseRequest(message, payload, protocol, writer, task, self._loop, client_max_size=octets_max)


class BoundedConnection(web.RequestHandler):
    """One connection.

    Attributes:
        deadline: when it is cut unless something happens, in seconds of the monotonic clock.
        is_secure: whether it speaks TLS.
        client_certificate: what the client showed in the handshake.
    """

    __slots__ = (
        "_address",
        "_bounds",
        "_has_begun",
        "_head",
        "_is_answering",
        "_is_lingering",
        "_is_within_head",
        "_octets_unread",
        "_wire",
        "client_certificate",
        "deadline",
        "is_secure",
    )

    def __init__(self, server: ConnectionServer, loop: asyncio.AbstractEventLoop, settings: dict[str, Any]) -> None:
        super().__init__(server, loop=loop, **settings)
        self._bounds = server
        self._address: str | None = None
        self._wire: asyncio.Transport | None = None
        self._has_begun = False
        self._head: bytes | None = None
        self._is_answering = False
        self._is_lingering = False
        self._is_within_head = False
        self._octets_unread = 0
        self.is_secure = False
        self.client_certificate: ClientCertificate | None = None
        self.deadline = time.monotonic() + server.limits.idle_seconds

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection in, or cut it at once."""
        self._wire = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        address = str(peer[0]) if peer else ""
        if not self._bounds.admission.admit(self, address):
            self._wire.abort()
            return
        self._address = address
        self._wire.set_write_buffer_limits(high=0)  # Whatever the kernel does not take starts the write deadline.

    def connection_lost(self, exc: BaseException | None) -> None:
        """Forget the connection."""
        if self._address is not None:
            self._bounds.admission.dismiss(self, self._address)
            self._address = None
            if self._has_begun:
                super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, and let the deadline of a head run from its first octet."""
        if not self._has_begun:
            context = self._tls_context(data)
            if context is not None:
                self._begin_handshake(context, data)
                return
            self._begin(cast(asyncio.Transport, self._wire))
        if self._is_waiting and self._answer_from_memory(data):
            return
        if data and not self._is_answering and not self._is_lingering:
            self._octets_unread += len(data)
            if not self._is_within_head:
                self._is_within_head = True
                self._expect_within(self._bounds.limits.head_seconds)
            elif self._octets_unread > self._octets_unread_max and not self._messages:
                self._bounds.admission.tally.discarded["too_long"] += 1
                self.abort()
                return
        super().data_received(data)

    @property
    def _is_waiting(self) -> bool:
        """Whether aiohttp has nothing to do for this connection, and nothing of a request has come."""
        waiter = self._waiter
        return waiter is not None and not waiter.done() and not self._messages and not self._is_within_head

    def _answer_from_memory(self, data: bytes) -> bool:
        """Answer a request that was answered before, and tell whether this was one."""
        memory = self._bounds.memory
        if memory is None or self.is_secure or self._is_lingering or self._paused:
            return False
        response = memory.find(data)
        if response is None:
            self._head = data
            return False
        cast(asyncio.Transport, self._wire).write(response)
        self._expect_within(self._bounds.limits.idle_seconds)
        self._next_keepalive_close_time = self._loop.time() + self._bounds.limits.idle_seconds
        return True

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Send a response, and remember it if it may be given again."""
        head, self._head = self._head, None
        finished = await super().finish_response(request, resp, start_time)
        if head is not None and self._bounds.memory is not None and SHOWN in resp and request.keep_alive:
            self._bounds.memory.note(head, request.headers, resp[SHOWN], cast(web.Response, resp))
        return finished

    def _tls_context(self, data: bytes) -> SSL.Context | None:
        """Return how to speak TLS, or None when the first octets of the connection belong to something else."""
        if data[0] != TLS_FIRST_OCTET or self._bounds.certificate is None:
            return None
        return self._bounds.certificate.context()

    def _begin_handshake(self, context: SSL.Context, data: bytes) -> None:
        self._expect_within(self._bounds.limits.head_seconds)
        wire = cast(asyncio.Transport, self._wire)
        tls = TlsTransport(wire, self, context, on_secured=self._begin_securely, on_failed=self._count_failure)
        tls.data_received(data)

    def _begin_securely(self, transport: TlsTransport) -> None:
        self.is_secure = True
        shown = transport.client_certificate
        self.client_certificate = None if shown is None else read_client_certificate(shown)
        self._expect_within(self._bounds.limits.idle_seconds)
        self._begin(transport)

    def _begin(self, transport: asyncio.Transport) -> None:
        self._has_begun = True
        super().connection_made(transport)

    def _count_failure(self) -> None:
        self._bounds.admission.tally.discarded["no_tls"] += 1

    def begin_answer(self) -> None:
        """Note that a head is complete."""
        self._is_answering, self._is_within_head, self._octets_unread = True, False, 0
        self.deadline = NEVER

    def end_answer(self, *, is_lingering: bool = False) -> None:
        """Note that an answer is ready to be written.

        Args:
            is_lingering: whether more of the request's body may come, which is thrown away for LINGER_SECONDS.
        """
        self._is_answering, self._is_lingering = False, is_lingering
        self._expect_within(self._bounds.limits.idle_seconds)

    def pause_writing(self) -> None:
        """Wait for a peer that does not read, but not for ever."""
        super().pause_writing()
        self._expect_within(self._bounds.limits.write_seconds)

    def resume_writing(self) -> None:
        """The peer reads again."""
        super().resume_writing()
        if self._is_answering:
            self.deadline = NEVER
        else:
            self._expect_within(self._bounds.limits.idle_seconds)

    def abort(self) -> None:
        """Cut the connection: only this frees it when the peer does not read."""
        if self._wire is not None:
            self._wire.abort()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what is no HTTP and close; aiohttp's own words would show octets of the request, and log each."""
        del request, status, message
        self._bounds.admission.tally.discarded["no_http"] += 1
        self.end_answer()
        problem = _TOO_LONG if isinstance(exc, LineTooLong) else _NO_HTTP
        response = web.Response(status=problem.status, body=problem.body, headers=problem.headers)
        response.force_close()
        return response

    @property
    def _octets_unread_max(self) -> int:
        """What may come without a head being complete: a head, and the rest of a body that nobody reads."""
        return self._bounds.limits.head_octets_max + self._bounds.limits.bodies.parameters_octets_max

    def _expect_within(self, seconds: float) -> None:
        self.deadline = time.monotonic() + seconds


_NO_HTTP: Final = problem_response(HTTPStatus.BAD_REQUEST, "请求不是合法的 HTTP", "Send well-formed HTTP/1.1")
_TOO_LONG: Final = problem_response(
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "请缩短网址或请求头", "Send a shorter URL or shorter header fields"
)
