"""Clients that ask for administration, are challenged and answer; and the octets of every step, for whoever forges."""

from __future__ import annotations

import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from handle_protocol.bodies.administration import HandleRequest, RemoveRequest, ValuesRequest
from handle_protocol.bodies.challenge import ChallengeAnswer
from handle_protocol.bodies.login import KeyLoginRequest
from handle_protocol.bodies.resolution import ResolutionRequest
from handle_protocol.bodies.table import RequestBody
from handle_protocol.codes import OpCode, ResponseCode
from handle_protocol.exchange import challenge_answer_request, request
from handle_protocol.handle import Handle, Prefix
from handle_protocol.message import OP_FLAGS_USUAL, Message, decode_message, encode_message
from handle_protocol.record import encode_value_list
from handle_protocol.transmission import Reassembly, split
from handle_protocol.value import HandleValue
from tests.reliability.enterprises import Key
from tests.reliability.octets_client import Datagrams, Stream, connect
from tests.started_node import StartedNode


@dataclass(frozen=True)
class Wish:
    """What somebody wants done."""

    op_code: int
    body: RequestBody
    op_flags: int = OP_FLAGS_USUAL

    def message(self) -> Message:
        """Return a request for it, another one each time."""
        return request(self.body, self.op_code, request_id=new_id(), now=time.time(), op_flags=self.op_flags)


def new_id() -> int:
    """Return a request id."""
    return secrets.randbelow(2**31 - 1) + 1


def creation(handle: Handle, *values: HandleValue, op_flags: int = OP_FLAGS_USUAL) -> Wish:
    """Return the wish to make a record."""
    return Wish(OpCode.CREATE_HANDLE, ValuesRequest(handle, encode_value_list(values)), op_flags)


def addition(handle: Handle, *values: HandleValue, op_flags: int = OP_FLAGS_USUAL) -> Wish:
    """Return the wish to add values."""
    return Wish(OpCode.ADD_VALUE, ValuesRequest(handle, encode_value_list(values)), op_flags)


def modification(handle: Handle, *values: HandleValue) -> Wish:
    """Return the wish to replace values."""
    return Wish(OpCode.MODIFY_VALUE, ValuesRequest(handle, encode_value_list(values)))


def removal(handle: Handle, *indexes: int) -> Wish:
    """Return the wish to remove values."""
    return Wish(OpCode.REMOVE_VALUE, RemoveRequest(handle, indexes))


def deletion(handle: Handle) -> Wish:
    """Return the wish to delete a record."""
    return Wish(OpCode.DELETE_HANDLE, HandleRequest(handle))


def listing(prefix: Prefix) -> Wish:
    """Return the wish to know the handles below a prefix."""
    return Wish(OpCode.LIST_HANDLES, HandleRequest(prefix.handle))


def reading(handle: Handle, *indexes: int) -> Wish:
    """Return the wish to read values that not everybody may read."""
    return Wish(OpCode.RESOLUTION, ResolutionRequest(handle, indexes=indexes), op_flags=0)


def answer_to_challenge(challenge: Message, answer: ChallengeAnswer) -> Message:
    """Return the request that answers a challenge, another one each time."""
    return challenge_answer_request(challenge, answer, request_id=new_id(), now=time.time())


async def exchange(stream: Stream, message: Message, seconds: float = 10.0) -> Message:
    """Send a request over a connection, and return the first message that answers it."""
    await stream.send(encode_message(message))
    return await stream.receive(seconds)


async def exchange_datagrams(client: Datagrams, message: Message, seconds: float = 5.0) -> Message:
    """Send a request in datagrams, and return its answer."""
    for datagram in split(encode_message(message)):
        client.send(datagram)
    reassembly = Reassembly()
    while True:
        whole = reassembly.accept(await client.receive(seconds), ("server",), time.monotonic())
        if whole is not None:
            return decode_message(whole)


async def challenge_for(stream: Stream, wish: Wish) -> Message:
    """Ask for something, and return the challenge."""
    challenge = await exchange(stream, wish.message())
    assert challenge.response_code == ResponseCode.AUTHENTICATION_NEEDED, challenge
    return challenge


async def ask_as(stream: Stream, wish: Wish, key: Key) -> Message:
    """Ask for something, and prove who asks where that is wanted; return what became of it."""
    answer = await exchange(stream, wish.message())
    if answer.response_code != ResponseCode.AUTHENTICATION_NEEDED:
        return answer
    return await exchange(stream, answer_to_challenge(answer, key.answer(answer)))


async def log_in(stream: Stream, key: Key) -> Message:
    """Log in on a connection (operation 2001)."""
    challenge = await exchange(stream, Wish(OpCode.KEY_LOGIN, KeyLoginRequest(key.identity)).message())
    assert challenge.response_code == ResponseCode.AUTHENTICATION_NEEDED, challenge
    return await exchange(stream, answer_to_challenge(challenge, key.answer(challenge)))


@asynccontextmanager
async def streams(node: StartedNode, count: int, source: str = "127.0.0.1") -> AsyncIterator[list[Stream]]:
    """Open connections from one address; two dozen reach every worker."""
    opened = [await connect(node.address, source) for _ in range(count)]
    try:
        yield opened
    finally:
        for each in opened:
            each.socket.close()


@asynccontextmanager
async def stream(node: StartedNode, source: str = "127.0.0.1") -> AsyncIterator[Stream]:
    """Open a connection."""
    async with streams(node, 1, source) as (opened,):
        yield opened
