"""The Handle protocol inside of HTTP: one message in, one message out, for clients behind walls that pass HTTP alone.

Clients send POST to any path, with the message and its envelope as the body (RFC 3652 §2 leaves the transport open;
this is what the reference's clients do). The answer's length stands in its head: they know no chunks.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from handle_protocol.errors import MalformedMessage
from handle_protocol.transmission import StreamCutter
from resolver.listeners.http_messages import WebRequest, WebResponse
from resolver.listeners.http_responses import problem_response
from resolver.operations.native import NativeService
from resolver.operations.peers import Peer
from resolver.operations.replies import Continued

MESSAGE_TYPE: Final = "application/x-hdl-message"

_HEADERS: Final = {"Content-Type": MESSAGE_TYPE, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def is_tunnelled(method: str, headers: Mapping[str, str]) -> bool:
    """Tell whether the body of a request is a message of the Handle protocol."""
    if method != "POST":
        return False
    media_type = headers.get("Content-Type", "").partition(";")[0]
    return media_type.strip().lower() == MESSAGE_TYPE


class Tunnel:
    """Serves tunnelled messages."""

    def __init__(self, service: NativeService) -> None:
        self._service = service

    async def serve(self, request: WebRequest) -> WebResponse:
        """Answer the one message in the body of `request`.

        Nobody stays logged in here: whoever shares the connection through a proxy would be logged in, too.
        """
        message = _message_in(request.body)
        if message is None:
            self._service.tally.discarded["malformed"] += 1
            return _NO_MESSAGE
        reply = self._service.plain.answer(message) or self._service.serve(message, Peer(request.address))
        answer = await reply if inspect.isawaitable(reply) else reply
        if isinstance(answer, Continued):  # As the reference does: the rest is to be had over TCP.
            answer = answer.octets
        return _NO_REQUEST if answer is None else WebResponse(HTTPStatus.OK, answer, _HEADERS)


def _message_in(body: bytes) -> bytes | None:
    """Return the message that fills a body, or None."""
    cutter = StreamCutter()
    try:
        messages = cutter.feed(body)
    except MalformedMessage:
        return None
    return messages[0] if len(messages) == 1 and not cutter.is_within else None


_NO_MESSAGE: Final = problem_response(
    HTTPStatus.BAD_REQUEST, "请求正文应为一条完整的 Handle 消息", "Send one whole Handle message with its envelope"
)
_NO_REQUEST: Final = problem_response(HTTPStatus.BAD_REQUEST, "请求正文应为请求消息", "Send a request, not a response")
