"""The HTTP door: a listening socket, its connections and the boundary where errors end."""

from __future__ import annotations

import asyncio
import random
import re
import socket
import zlib
from collections.abc import Callable
from http import HTTPStatus
from typing import Final, cast

import structlog
from aiohttp import web

from resolver.fast_path.choice import FastPath
from resolver.listeners.http_bodies import BodyRoom
from resolver.listeners.http_connection import SHOWN, BoundedConnection, ConnectionServer, HttpLimits
from resolver.listeners.http_memory import ResponseMemory
from resolver.listeners.http_messages import WebRequest, WebResponse
from resolver.listeners.http_responses import problem_response
from resolver.listeners.http_service import HttpService
from resolver.listeners.http_tunnel import Tunnel, is_tunnelled
from resolver.listeners.rest_api import RestApi
from resolver.listeners.sockets import TCP_BACKLOG
from resolver.listeners.tls_certificate import ServerCertificate
from resolver.metrics import DoorTally
from resolver.resolve import Resolver

COMPRESSED_FROM_OCTETS: Final = 1_024
"""Ours: below that, compression saves no packet."""

_COMPRESSION_LEVEL: Final = 1
"""Fast: a record shrinks to a third at any level."""

_TAKES_GZIP: Final = re.compile(r"\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))", re.IGNORECASE)
_HOST: Final = re.compile(r"[^\x00-\x20/?#@\\\x7f]*")
"""A host and perhaps a port, or nothing (RFC 9112 §3.2): what separates the parts of a URL is refused."""

_GZIP_WINDOW: Final = zlib.MAX_WBITS | 16
_SERVER_NAME: Final = "idnode"
_FIELD_EXTRA_OCTETS: Final = 4
"""A field's colon, blank and line end."""

LOGGED_CHARACTERS_MAX: Final = 256
"""Ours: enough to find the handle in the log, too little to fill the disk."""

_log = structlog.get_logger()


class HttpDoor:
    """Serves one listening socket.

    Attributes:
        server: its connections.
        memory: what requests that are repeated are answered from; None where the fast path is off.
    """

    def __init__(  # noqa: PLR0913 - the parts of a door, and its two sources of chance
        self,
        listener: socket.socket,
        resolver: Resolver,
        is_ready: Callable[[], bool],
        limits: HttpLimits,
        tally: DoorTally,
        *,
        certificate: ServerCertificate | None = None,
        tunnel: Tunnel | None = None,
        rest: RestApi | None = None,
        clock: Callable[[], float] | None = None,
        random: Callable[[], float] = random.random,
    ) -> None:
        """Prepare a door; nothing is served before `open`.

        Args:
            listener: a listening socket.
            resolver: who knows the answers.
            is_ready: whether the node serves with all its workers.
            limits: the bounds of the door.
            tally: where it counts.
            certificate: what TLS is spoken with on the same port; without it, only HTTP is spoken.
            tunnel: who answers messages of the Handle protocol inside of HTTP; without it, nobody does.
            rest: who serves everything below /api/; without it, records can be read there, and nothing else.
            clock: seconds since 1970; None = the resolver's.
            random: a number from 0 to 1, for choosing among locations.
        """
        self._socket = listener
        self._service = HttpService(resolver, is_ready, clock or resolver.unix_clock, random, rest)
        self._limits = limits
        self._certificate = certificate
        self._tunnel = tunnel
        self.memory = None if resolver.cache.fast_path is FastPath.OFF else ResponseMemory(resolver, tally)
        self._room = BodyRoom(limits.bodies)
        self._tally = tally
        self._listening: asyncio.Server | None = None
        self._watch: asyncio.Task[None] | None = None
        self.server: ConnectionServer | None = None

    @property
    def port(self) -> int:
        """The port it listens on."""
        port: int = self._socket.getsockname()[1]
        return port

    async def open(self) -> None:
        """Begin to serve."""
        loop = asyncio.get_running_loop()
        self.server = ConnectionServer(self._answer, self._limits, self._tally, self._certificate, self.memory)
        self._listening = await loop.create_server(self.server, sock=self._socket, backlog=TCP_BACKLOG)
        self._watch = loop.create_task(self.server.admission.watch())

    async def close(self, seconds: float) -> None:
        """Accept no more; give requests under way `seconds` to be answered, then cut what is left."""
        if self._listening is None or self.server is None or self._watch is None:
            return
        self._listening.close()
        self.server.pre_shutdown()
        await self.server.shutdown(seconds)
        await self.server.admission.empty(0)
        self._watch.cancel()

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request: nothing but a response leaves here."""
        try:
            response = await self._respond(request)
        except Exception:  # noqa: BLE001 - the boundary: what nobody expected ends here, logged once
            _log.exception(
                "http_request_failed", method=request.method, target=request.raw_path[:LOGGED_CHARACTERS_MAX]
            )
            response = _BROKEN
        if response.outcome:
            self._tally.outcomes[response.outcome] += 1
        connection = cast(BoundedConnection, request.protocol)
        connection.end_answer(is_lingering=not request.content.is_eof())
        return _to_wire(request, response)

    async def _respond(self, request: web.BaseRequest) -> WebResponse:
        target = _split_target(request.raw_path)
        if target is None:
            return _NO_TARGET
        fault = self._fault_of_head(request)
        if fault is not None:
            return fault
        if not request.body_exists:
            return await self._serve(request, target, b"")
        octets_max = self._limits.bodies.octets_max(request.method, request.raw_path, request.headers)
        octets = octets_max if request.content_length is None else request.content_length
        if octets > octets_max:
            return _BODY_TOO_LONG
        with self._room.reserve(octets) as has_room:
            body = await self._read_body(request) if has_room else _TOO_MANY_BODIES
            return body if isinstance(body, WebResponse) else await self._serve(request, target, body)

    def _fault_of_head(self, request: web.BaseRequest) -> WebResponse | None:
        """Return why a request is refused that a proxy before us might understand in another way than aiohttp."""
        if _head_octets(request) > self._limits.head_octets_max:
            return _HEAD_TOO_LONG
        if request.headers.get("Transfer-Encoding", "chunked").strip().lower() != "chunked":
            return _UNKNOWN_CODING
        return None if _HOST.fullmatch(request.headers.get("Host", "")) else _NO_HOST

    async def _serve(self, request: web.BaseRequest, target: tuple[str, str], body: bytes) -> WebResponse:
        connection = cast(BoundedConnection, request.protocol)
        whole = WebRequest(
            request.method,
            *target,
            request.headers,
            body,
            request.remote or "",
            connection.is_secure,
            connection.client_certificate,
        )
        if self._tunnel is not None and is_tunnelled(whole.method, whole.headers):
            return await self._tunnel.serve(whole)
        return await self._service.serve(whole)

    async def _read_body(self, request: web.BaseRequest) -> bytes | WebResponse:
        """Return the body, or why it could not be read."""
        try:
            async with asyncio.timeout(self._limits.body_seconds):
                if request.headers.get("Expect", "").lower() == "100-continue":
                    await _invite_body(request)
                return await request.read()
        except web.HTTPRequestEntityTooLarge:
            return _BODY_TOO_LONG
        except TimeoutError:
            return _BODY_TOO_SLOW
        except (ConnectionError, web.RequestPayloadError):
            return _BODY_BROKEN


def _split_target(target: str) -> tuple[str, str] | None:
    """Return path and query string as they were sent, or None when there is no path.

    A proxy may send the whole URL (RFC 9112 §3.2.2).
    """
    if not target.startswith("/"):
        scheme, _, rest = target.partition("://")
        if scheme.lower() not in {"http", "https"}:
            return None
        slash = rest.find("/")
        target = "/" if slash < 0 else rest[slash:]
    path, _, query_string = target.partition("?")
    return path.partition("#")[0], query_string


def _head_octets(request: web.BaseRequest) -> int:
    fields = sum(len(name) + len(value) + _FIELD_EXTRA_OCTETS for name, value in request.raw_headers)
    return len(request.raw_path) + fields


async def _invite_body(request: web.BaseRequest) -> None:
    """Tell a client that waits for it to send the body (RFC 9110 §10.1.1)."""
    await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    request.writer.output_size = 0


def _to_wire(request: web.BaseRequest, response: WebResponse) -> web.Response:
    headers = {"Server": _SERVER_NAME, **response.headers}
    body = response.body
    if len(body) >= COMPRESSED_FROM_OCTETS and _TAKES_GZIP.search(request.headers.get("Accept-Encoding", "")):
        body = _compress(body)
        headers["Content-Encoding"] = "gzip"
    sent = web.Response(status=response.status, body=body, headers=headers)
    if response.outcome in _CLOSING:
        sent.force_close()
    if response.shows is not None:
        sent[SHOWN] = response.shows
    return sent


def _compress(body: bytes) -> bytes:
    compressor = zlib.compressobj(_COMPRESSION_LEVEL, wbits=_GZIP_WINDOW)
    return compressor.compress(body) + compressor.flush()


_NO_TARGET: Final = problem_response(HTTPStatus.BAD_REQUEST, "请求路径应以 / 开头", "Start the path with a slash")
_HEAD_TOO_LONG: Final = problem_response(
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "请缩短网址或请求头", "Send a shorter URL or fewer header fields"
)
_UNKNOWN_CODING: Final = problem_response(
    HTTPStatus.NOT_IMPLEMENTED, "传输编码只支持 chunked", "Use no transfer coding but chunked"
)
"""RFC 9112 §6.1. An empty coding is one, too: aiohttp reads no body then, others may."""

_NO_HOST: Final = problem_response(
    HTTPStatus.BAD_REQUEST, "Host 不合法", "Name a host and a port in Host, nothing else"
)
_BODY_TOO_LONG: Final = problem_response(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "请缩短请求正文", "Send a shorter body")
_TOO_MANY_BODIES: Final = problem_response(
    HTTPStatus.SERVICE_UNAVAILABLE, "上传请求过多，请稍后再试", "Send the request again in a moment"
)
_BODY_TOO_SLOW: Final = problem_response(HTTPStatus.REQUEST_TIMEOUT, "请重新发送请求", "Send the request again")
_BODY_BROKEN: Final = problem_response(HTTPStatus.BAD_REQUEST, "请求正文不完整", "Send the whole body")
_BROKEN: Final = problem_response(
    HTTPStatus.INTERNAL_SERVER_ERROR,
    "系统内部错误，请稍后再试；如反复出现请联系节点运营方",
    "Try later; tell the operator if it stays",
)
_CLOSING: Final = frozenset(
    each.outcome
    for each in (
        _NO_TARGET,
        _HEAD_TOO_LONG,
        _UNKNOWN_CODING,
        _NO_HOST,
        _BODY_TOO_LONG,
        _TOO_MANY_BODIES,
        _BODY_TOO_SLOW,
        _BODY_BROKEN,
        _BROKEN,
    )
)
"""After these the connection ends: what follows on it may belong to what was not read."""
