"""Asking over HTTP with messages of the Handle protocol inside (POST, application/x-hdl-message)."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from typing import Final

import aiohttp
from yarl import URL

from handle_protocol.errors import ProtocolError
from handle_protocol.exchange import Exchange
from handle_protocol.limits import ENVELOPE_OCTETS, MESSAGE_OCTETS_MAX
from handle_protocol.transmission import StreamCutter
from resolver.asking.reply import Address
from resolver.asking.web import read_bounded, site_url
from resolver.asking.wires import Part

MESSAGE_TYPE: Final = "application/x-hdl-message"
_HEADERS: Final = {"Content-Type": MESSAGE_TYPE, "Accept": MESSAGE_TYPE}
_ANSWER_OCTETS_MAX: Final = ENVELOPE_OCTETS + MESSAGE_OCTETS_MAX
"""Reference: one body holds one message, the first of a list too."""


class TunnelWire:
    """A way to a server through HTTP. Lists that come in parts do not pass it."""

    def __init__(self, server: Address) -> None:
        self._url = URL(f"{site_url(server)}/")
        self._session: aiohttp.ClientSession | None = None

    async def ask(self, exchange: Exchange) -> AsyncGenerator[Part, None]:
        """See Wire."""
        body = await self._post(exchange.request_octets)
        for octets in StreamCutter().feed(body):
            message = exchange.accept_message(octets, time.time())
            if message is not None:
                yield Part(message, "http")
        if not exchange.is_answered:
            raise ProtocolError("expected one whole answer in the body of an HTTP answer")

    async def close(self) -> None:
        """See Wire."""
        if self._session is not None:
            await self._session.close()

    async def _post(self, octets: bytes) -> bytes:
        if self._session is None:
            self._session = aiohttp.ClientSession()
        try:
            posted = self._session.post(self._url, data=octets, headers=_HEADERS, allow_redirects=False)
            async with posted as response:
                return await read_bounded(response, _ANSWER_OCTETS_MAX)
        except aiohttp.ClientConnectionError as error:
            raise ConnectionError(str(error)) from error
        except aiohttp.ClientError as error:
            raise ProtocolError(f"expected an HTTP answer: {error}") from error
