"""A server over TCP that says, to each connection, what a test has written down for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from time import time

from handle_protocol.bodies.error import ErrorBody
from handle_protocol.bodies.listing import HandleListResponse
from handle_protocol.bodies.resolution import ResolutionRequest, ResolutionResponse
from handle_protocol.codes import ResponseCode
from handle_protocol.flags import OpFlag
from handle_protocol.handle import Handle
from handle_protocol.message import Message, answer_to, decode_message, encode_message
from handle_protocol.record import encode_value_list
from handle_protocol.transmission import StreamCutter
from handle_protocol.value import HandleValue
from resolver.client import Address

READ_OCTETS = 65_536


@dataclass
class Conversation:
    """What is said on one connection.

    Attributes:
        heard: every message so far.
        is_over: set when the script has ended and the connection is closed.
    """

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    heard: list[Message] = field(default_factory=list)
    is_over: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self._cutter = StreamCutter()
        self._waiting: list[bytes] = []

    async def listen(self) -> Message:
        """Return the next message. Raises ConnectionResetError when no more come."""
        while not self._waiting:
            octets = await self.reader.read(READ_OCTETS)
            if not octets:
                raise ConnectionResetError
            self._waiting = list(self._cutter.feed(octets))
        self.heard.append(decode_message(self._waiting.pop(0)))
        return self.heard[-1]

    def say(self, *messages: Message) -> None:
        """Send messages."""
        self.writer.write(b"".join(map(encode_message, messages)))


Script = Callable[[Conversation], Awaitable[None]]


@asynccontextmanager
async def scripted_server(script: Script, port: int = 0) -> AsyncIterator[tuple[Address, Sequence[Conversation]]]:
    """Serve; a connection is closed when its script ends.

    Gives the address, and the conversations as they come. A port of 0 stands for any.
    """
    conversations: list[Conversation] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        conversation = Conversation(reader, writer)
        conversations.append(conversation)
        try:
            await script(conversation)
        except ConnectionResetError:  # The client has gone.
            pass
        finally:
            writer.close()
            conversation.is_over.set()

    async with await asyncio.start_server(serve, "127.0.0.1", port) as server:
        yield server.sockets[0].getsockname(), conversations
        for conversation in conversations:
            conversation.writer.transport.abort()


def found(asked: Message, *values: HandleValue, handle: Handle | None = None) -> Message:
    """Return the answer that shows values, under the name that was asked for or another."""
    assert isinstance(asked.body, ResolutionRequest), asked
    body = ResolutionResponse(handle or asked.body.handle, encode_value_list(values))
    return answer_to(asked, ResponseCode.SUCCESS, body, now=time())


def refused(asked: Message, code: ResponseCode) -> Message:
    """Return the answer that says no."""
    return answer_to(asked, code, ErrorBody(), now=time())


def part_of_list(asked: Message, *names: str, is_last: bool = False) -> Message:
    """Return a part of a list of handles."""
    answer = answer_to(asked, ResponseCode.SUCCESS, HandleListResponse(tuple(map(Handle, names))), now=time())
    flags = answer.header.op_flags | (0 if is_last else OpFlag.CONTINUOUS)
    return replace(answer, header=replace(answer.header, op_flags=flags))
