"""The doors of a started node, by name: how something goes through one, and what is to be seen behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from handle_protocol.bodies.resolution import ResolutionRequest, ResolutionResponse
from handle_protocol.codes import OpCode, ResponseCode
from handle_protocol.flags import OpFlag
from handle_protocol.handle import Handle
from handle_protocol.message import Message
from handle_protocol.value import HandleValue
from tests.conformance.rest_speaking import (
    Web,
    WebQuestion,
    WebReply,
    ask_by_certificate,
    ask_by_challenge,
    ask_by_password,
)
from tests.conformance.seeded import OWNER
from tests.conformance.speaking import Prover, Tunnel, Udp, Way, connected, perform, request_of
from tests.started_node import LOOPBACK, StartedNode

MESSAGE_DOORS = ("udp", "tcp", "tunnel", "tls-tunnel")
REST_DOORS = ("rest", "rest-challenge")
"""Basic and certificates at the first, the scheme Handle at the second."""

DOORS = (*MESSAGE_DOORS, *REST_DOORS)


@contextmanager
def way_through(door: str, node: StartedNode) -> Iterator[Way]:
    """Open a way to the node."""
    if door == "tcp":
        with connected(node.address) as way:
            yield way
    elif door == "udp":
        udp = Udp(node.address)
        with udp.socket:
            yield udp
    else:
        yield Tunnel((LOOPBACK, node.http_port), is_secure=door.startswith("tls"))


def web_of(node: StartedNode) -> Web:
    """Return the way to the REST API of a node, over TLS."""
    return Web((LOOPBACK, node.http_port))


def ask_as(door: str, web: Web, question: WebQuestion, prover: Prover) -> WebReply:
    """Ask as somebody: without a word about who it is first, then with credentials as that door takes them."""
    reply = web.ask(question)
    if reply.code != ResponseCode.AUTHENTICATION_NEEDED:
        return reply
    return credentials_at(door, prover)(web, question, prover, reply)


def credentials_at(door: str, prover: Prover) -> Callable[[Web, WebQuestion, Prover, WebReply], WebReply]:
    """Return how somebody says there who they are; what is odd about them, the scheme Handle alone can say."""
    if door == "rest-challenge" or prover.digest_name or prover.kind not in {"HS_SECKEY", "HS_PUBKEY"}:
        return ask_by_challenge
    return ask_by_password if isinstance(prover.key, bytes) else ask_by_certificate


def stored(handle: Handle, node: StartedNode) -> tuple[object, ...] | None:
    """Return what the owner sees of a handle, without stamps."""
    with connected(node.address) as way:
        everything = request_of(ResolutionRequest(handle), OpCode.RESOLUTION, int(OpFlag.AUTHORITATIVE))
        answer = perform(way, everything, OWNER)
    if answer.response_code == ResponseCode.VALUES_NOT_FOUND:
        return ()
    if answer.response_code == ResponseCode.HANDLE_NOT_FOUND:
        return None
    return shown_in(answer)


def shown_in(answer: Message) -> tuple[object, ...] | None:
    """Return the values that an answer brings, without stamps."""
    return told(answer.body.values) if isinstance(answer.body, ResolutionResponse) else None


def told(values: Iterable[HandleValue]) -> tuple[object, ...]:
    """Return values without their stamps."""
    return tuple(replace(each, modified_at=0) for each in values)
