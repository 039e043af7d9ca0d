"""Workers over one register in memory, each with every operation, and a client's side of speaking to them."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import count
from pathlib import Path

from handle_protocol.bodies.challenge import Challenge, ChallengeAnswer
from handle_protocol.bodies.table import RequestBody
from handle_protocol.codes import OpCode
from handle_protocol.exchange import challenge_answer_request, request
from handle_protocol.message import OP_FLAGS_USUAL, Message, answer_version, decode_message, encode_message
from handle_protocol.security.private_keys import SigningKey
from handle_protocol.security.public_keys import VerificationKey
from handle_protocol.security.secret_proofs import make_secret_proof
from handle_protocol.transmission import StreamCutter
from handle_protocol.value import ValueReference
from resolver.authentication.authentication import Authentication, AuthenticationLimits
from resolver.authentication.keys import RegisterKeys
from resolver.authentication.session_ids import SessionIds
from resolver.metrics import DoorTally
from resolver.operations.administrative import Administrative
from resolver.operations.certification import Certifier
from resolver.operations.inquiries import Inquiries
from resolver.operations.logins import Logins
from resolver.operations.native import NativeService
from resolver.operations.other_workers import SESSION_MESSAGE, OtherWorkers, whole_answer
from resolver.operations.peers import Peer
from resolver.operations.replies import Continued, Reply
from resolver.operations.sessions import SessionOperations
from resolver.operations.table import Operations
from resolver.operations.trust import TrustedQueries
from resolver.relay import Relay
from tests.unit.resolver.administration.administered_world import NOW, AdministeredWorld

ADDRESS = "192.0.2.7"
ADMINISTRATOR = ValueReference(301, "0.NA/88.300.15907")
SECRET = "s3cret-密钥".encode()

_request_ids = count(1)


class ServedWorker:
    """One worker."""

    def __init__(  # noqa: PLR0913 - what a test may want otherwise
        self,
        world: AdministeredWorld,
        folder: Path,
        place: int = 0,
        workers: int = 1,
        *,
        key: SigningKey | None = None,
        anchors: dict[ValueReference, VerificationKey] | None = None,
        accepts_legacy: bool = False,
    ) -> None:
        ids = SessionIds(place, workers)
        self.others = OtherWorkers(ids, Relay(folder, place), Relay(folder, place, name="session"))
        keys = RegisterKeys(world.resolver)
        self.authentication = Authentication(keys, ids, AuthenticationLimits(), tell=self.others.tell)
        self.threads = ThreadPoolExecutor(2)
        clock = world.resolver.unix_clock
        administrative = Administrative(world.administration, self.authentication, self.others, clock)
        trusted = TrustedQueries(world.resolver, anchors or {}, keys, None, self.threads, accepts_legacy=accepts_legacy)
        self.operations = Operations(
            administrative,
            Inquiries(world.resolver, administrative, self.authentication, trusted, clock),
            Logins(self.authentication, clock, accepts_legacy=accepts_legacy),
            SessionOperations(self.authentication, self.threads, clock, accepts_legacy=accepts_legacy),
            Certifier(key, self.threads),
            self.authentication.new_login,
            clock,
        )
        self.service = NativeService(world.resolver, DoorTally("test"), operations=self.operations, others=self.others)

    async def open(self) -> None:
        self.others.answer_for(self.authentication)

        async def serve(address: str, message: bytes) -> bytes:
            return await whole_answer(self.service.serve(message, Peer(address)))

        self.others.take_up(SESSION_MESSAGE, serve)
        await self.others.open()

    async def close(self) -> None:
        await self.others.close()
        self.authentication.close()
        self.threads.shutdown()

    def begin(self, message: Message | bytes, peer: Peer) -> Awaitable[list[Message]]:
        """Hand a request over and return its answers when they come."""
        octets = message if isinstance(message, bytes) else encode_message(message)
        return asyncio.ensure_future(answers_of(self.service.serve(octets, peer)))

    async def ask(self, message: Message | bytes, peer: Peer | None = None) -> Message:
        """Return the one answer to a request."""
        (answer,) = await self.begin(message, peer or Peer(ADDRESS))
        return answer


async def answers_of(reply: Reply) -> list[Message]:
    """Return all messages of an answer."""
    answered = await reply if inspect.isawaitable(reply) else reply
    octets = b""
    while isinstance(answered, Continued):
        octets += answered.octets
        answered = await answered.make_rest()
    return [decode_message(each) for each in StreamCutter().feed(octets + (answered or b""))]


def asking(body: RequestBody, op_code: OpCode, *, op_flags: int = OP_FLAGS_USUAL, session_id: int = 0) -> Message:
    """Return a request in our newest version."""
    made = request(body, op_code, request_id=next(_request_ids), now=NOW, op_flags=op_flags, session_id=session_id)
    return replace(made, version=made.suggested)


def proving(
    challenge: Message,
    *,
    secret: bytes = SECRET,
    identity: ValueReference = ADMINISTRATOR,
    request_id: int | None = None,
) -> Message:
    """Return the answer to a challenge."""
    body = challenge.body
    assert isinstance(body, Challenge), challenge
    assert body.request_digest is not None, challenge
    proof = make_secret_proof(secret, body.nonce, body.request_digest.octets, answer_version(challenge))
    answer = ChallengeAnswer("HS_SECKEY", identity, proof)
    return challenge_answer_request(challenge, answer, request_id=request_id or next(_request_ids), now=NOW)
