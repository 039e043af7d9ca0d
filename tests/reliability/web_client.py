"""Clients of the REST API that say who they are by a password, from an address of their choice."""

from __future__ import annotations

import asyncio
import base64
import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from handle_protocol.handle import Handle
from tests.conformance.speaking import trusting_anybody
from tests.reliability.enterprises import SecretKey
from tests.started_node import LOOPBACK, StartedNode

SECONDS = 20.0


@dataclass(frozen=True)
class WebWish:
    """What somebody wants done over HTTP.

    Attributes:
        target: path and query, escaped.
        content: what is sent as JSON; None = nothing.
    """

    method: str
    target: str
    content: Any = None


@dataclass(frozen=True)
class WebReply:
    """What came of it."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes

    @property
    def said(self) -> Any:
        """The JSON of the body; empty when there is none."""
        return json.loads(self.body) if self.body else {}


def target_of(handle: Handle, query: str = "") -> str:
    """Return where a handle is found."""
    return f"/api/handles/{quote(handle.spelling)}{query}"


def basic(key: SecretKey) -> str:
    """Return the header by which somebody says who they are."""
    return "Basic " + base64.b64encode(quote(str(key.identity), safe="").encode() + b":" + key.secret).decode()


async def ask_web(node: StartedNode, wish: WebWish, key: SecretKey | None = None, source: str = LOOPBACK) -> WebReply:
    """Ask over a TLS connection of its own."""
    return await asyncio.to_thread(_ask, node, wish, key, source)


def _ask(node: StartedNode, wish: WebWish, key: SecretKey | None, source: str) -> WebReply:
    connection = http.client.HTTPSConnection(
        LOOPBACK, node.http_port, timeout=SECONDS, source_address=(source, 0), context=trusting_anybody()
    )
    headers = {} if key is None else {"Authorization": basic(key)}
    content = None
    if wish.content is not None:
        headers["Content-Type"] = "application/json"
        content = json.dumps(wish.content, ensure_ascii=False).encode()
    try:
        connection.request(wish.method, wish.target, content, headers)
        response = connection.getresponse()
        return WebReply(response.status, dict(response.headers), response.read())
    finally:
        connection.close()
