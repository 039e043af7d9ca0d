"""Every way by which somebody can have something done: what they wish, through which door, and the code they get."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from handle_protocol.codes import ResponseCode
from handle_protocol.message import Message, decode_message, encode_message
from tests.conformance.rest_speaking import web_question
from tests.conformance.speaking import Tunnel
from tests.reliability.claimant import (
    Wish,
    answer_to_challenge,
    ask_as,
    exchange,
    exchange_datagrams,
    log_in,
    stream,
)
from tests.reliability.enterprises import Enterprise
from tests.reliability.octets_client import datagrams
from tests.reliability.session_client import open_session
from tests.reliability.web_client import ask_web
from tests.started_node import LOOPBACK, StartedNode

Door = Callable[[StartedNode, Wish, Enterprise, str], Awaitable[int]]
"""Asks for something in the name of an enterprise from an address; the response code tells what became of it."""

Exchange = Callable[[Message], Awaitable[Message]]


async def over_tcp(node: StartedNode, wish: Wish, asker: Enterprise, source: str) -> int:
    """Prove a secret key over TCP."""
    async with stream(node, source) as mine:
        return (await ask_as(mine, wish, asker.secret)).response_code


async def by_signature(node: StartedNode, wish: Wish, asker: Enterprise, source: str) -> int:
    """Prove a private key over TCP."""
    async with stream(node, source) as mine:
        return (await ask_as(mine, wish, asker.signing)).response_code


async def by_login(node: StartedNode, wish: Wish, asker: Enterprise, source: str) -> int:
    """Log in on a connection, and sign nothing more."""
    async with stream(node, source) as mine:
        assert (await log_in(mine, asker.secret)).response_code == ResponseCode.SUCCESS
        return (await exchange(mine, wish.message())).response_code


async def in_session(node: StartedNode, wish: Wish, asker: Enterprise, source: str) -> int:
    """Set a session up first."""
    async with stream(node, source) as mine:
        session = await open_session(mine)
        return (await session.ask_as(mine, wish, asker.secret)).response_code


async def over_udp(node: StartedNode, wish: Wish, asker: Enterprise, source: str) -> int:
    """Prove a secret key over UDP."""
    with datagrams(node.address, source) as client:
        return await _prove_by(lambda message: exchange_datagrams(client, message), wish, asker)


async def through_a_tunnel(node: StartedNode, wish: Wish, asker: Enterprise, source: str) -> int:
    """Send messages inside of HTTP."""
    assert source == LOOPBACK, "who tunnels has one address"
    return await _prove_by(lambda message: _tunnelled(node, message, is_secure=False), wish, asker)


async def through_a_tls_tunnel(node: StartedNode, wish: Wish, asker: Enterprise, source: str) -> int:
    """Send messages inside of HTTP over TLS."""
    assert source == LOOPBACK, "who tunnels has one address"
    return await _prove_by(lambda message: _tunnelled(node, message, is_secure=True), wish, asker)


async def over_rest(node: StartedNode, wish: Wish, asker: Enterprise, source: str) -> int:
    """Ask over HTTP, with a password."""
    question = web_question(wish.body, wish.op_code, wish.op_flags)
    assert question is not None, "everything that enterprises do can be said in REST"
    reply = await ask_web(node, question, asker.secret, source)
    assert reply.code is not None, reply
    return reply.code


async def _prove_by(send: Exchange, wish: Wish, asker: Enterprise) -> int:
    answer = await send(wish.message())
    if answer.response_code == ResponseCode.AUTHENTICATION_NEEDED:
        answer = await send(answer_to_challenge(answer, asker.secret.answer(answer)))
    return answer.response_code


async def _tunnelled(node: StartedNode, message: Message, *, is_secure: bool) -> Message:
    tunnel = Tunnel((LOOPBACK, node.http_port), is_secure)
    (answer, *_) = await asyncio.to_thread(tunnel.ask_octets, encode_message(message))
    return decode_message(answer)


DOORS: dict[str, Door] = {
    door.__name__: door
    for door in (
        over_tcp,
        over_udp,
        by_signature,
        by_login,
        in_session,
        through_a_tunnel,
        through_a_tls_tunnel,
        over_rest,
    )
}
