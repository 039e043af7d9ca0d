"""What every way to a server has in common: an exchange goes in, the parts of its answer come out."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Final, NamedTuple, Protocol

from handle_protocol.exchange import Exchange
from handle_protocol.message import Message
from resolver.asking.reply import Protocol as ProtocolName

TIMEOUT_SECONDS_DEFAULT: Final = 10.0
"""All UDP tries take three seconds; the rest is for TCP."""


class Part(NamedTuple):
    """One message of an answer, and how it came: udp, tcp or http."""

    message: Message
    protocol: ProtocolName


class Wire(Protocol):
    """A way to one server."""

    def ask(self, exchange: Exchange) -> AsyncGenerator[Part, None]:
        """Yield the messages of the answer, at least one, as they come. Whoever asks sets the deadline.

        Raises:
            OSError: the server cannot be reached, or gives no answer.
            ProtocolError: what came back is no answer.
        """

    async def close(self) -> None:
        """Give up whatever is open."""
