"""Clients of the REST API that say who they are by a password, from an address of their choice."""

from __future__ import annotations

import asyncio
import http.client
from dataclasses import dataclass

from tests.conformance.rest_speaking import Web, WebQuestion, WebReply, ask_by_password
from tests.conformance.speaking import Prover
from tests.reliability.enterprises import SecretKey
from tests.started_node import LOOPBACK, StartedNode


@dataclass(frozen=True)
class WebFrom(Web):
    """HTTP over TLS, a connection for each request.

    Attributes:
        source: the address that they come from.
    """

    source: str = LOOPBACK

    def _connect(self) -> http.client.HTTPConnection:
        connection = super()._connect()
        connection.source_address = (self.source, 0)
        return connection


async def ask_web(
    node: StartedNode, question: WebQuestion, key: SecretKey | None = None, source: str = LOOPBACK
) -> WebReply:
    """Ask, as somebody or nobody."""
    web = WebFrom((LOOPBACK, node.http_port), source=source)
    if key is None:
        return await asyncio.to_thread(web.ask, question)
    return await asyncio.to_thread(ask_by_password, web, question, Prover(key.identity, key.secret))
