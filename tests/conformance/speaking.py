"""A plain client for the doors of a node: every message it sends and gets is seen, nothing is done behind the test."""

from __future__ import annotations

import hashlib
import http.client
import itertools
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from handle_protocol import octets
from handle_protocol.bodies.challenge import Challenge, ChallengeAnswer
from handle_protocol.bodies.table import RequestBody
from handle_protocol.codes import OpCode, ResponseCode
from handle_protocol.envelope import VERSION_OURS, Version
from handle_protocol.exchange import challenge_answer_request, request
from handle_protocol.flags import OpFlag
from handle_protocol.limits import DATAGRAM_OCTETS_MAX
from handle_protocol.message import OP_FLAGS_USUAL, Message, answer_version, decode_message, encode_message
from handle_protocol.security.key_proofs import make_key_proof
from handle_protocol.security.private_keys import SigningKey
from handle_protocol.security.secret_proofs import ProofAlgorithm, make_secret_proof
from handle_protocol.transmission import Reassembly, StreamCutter, split
from handle_protocol.value import ValueReference

SECONDS = 20.0
_request_ids = itertools.count(1)


class Way(Protocol):
    """A way to a node."""

    def ask_octets(self, message_octets: bytes) -> list[bytes]:
        """Send a message, and return all messages that answer it."""


class Tcp:
    """One connection."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.socket = socket.create_connection(address, SECONDS)
        self._cutter = StreamCutter()
        self._received: list[bytes] = []

    def send(self, message_octets: bytes) -> None:
        """Send a message and do not wait."""
        self.socket.sendall(message_octets)

    def receive(self) -> bytes:
        """Return the next message. Raises EOFError when the node has closed."""
        while not self._received:
            octets = self.socket.recv(65_536)
            if not octets:
                raise EOFError
            self._received += self._cutter.feed(octets)
        return self._received.pop(0)

    def ask_octets(self, message_octets: bytes) -> list[bytes]:
        """See Way."""
        self.send(message_octets)
        answers = [self.receive()]
        while _says_that_more_follows(answers[-1]):
            answers.append(self.receive())
        return answers


class Udp:
    """One port."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.settimeout(SECONDS)
        self.socket.connect(address)

    def ask_octets(self, message_octets: bytes) -> list[bytes]:
        """See Way; an answer that is cut never becomes whole."""
        for datagram in split(message_octets):
            self.socket.send(datagram)
        reassembly = Reassembly()
        while True:
            whole = reassembly.accept(self.socket.recv(DATAGRAM_OCTETS_MAX), ("node",), 0.0)
            if whole is not None:
                return [whole]


@dataclass(frozen=True)
class Tunnel:
    """HTTP POST, a connection for each message."""

    address: tuple[str, int]
    is_secure: bool = False

    def ask_octets(self, message_octets: bytes) -> list[bytes]:
        """See Way; of an answer in parts there is the first alone."""
        connection = self._connect()
        try:
            headers = {"Content-Type": "application/x-hdl-message", "Accept": "application/x-hdl-message"}
            connection.request("POST", "/88.300.16", message_octets, headers)
            response = connection.getresponse()
            assert response.status == 200, response.read()
            assert int(response.headers["Content-Length"]) > 0  # These clients know no chunks.
            return StreamCutter().feed(response.read())
        finally:
            connection.close()

    def _connect(self) -> http.client.HTTPConnection:
        if not self.is_secure:
            return http.client.HTTPConnection(*self.address, timeout=SECONDS)
        return http.client.HTTPSConnection(*self.address, timeout=SECONDS, context=trusting_anybody())


def trusting_anybody() -> ssl.SSLContext:
    """Return how a client connects to a node that made its certificate itself."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # A default one would read all authorities, each time.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@contextmanager
def connected(address: tuple[str, int]) -> Iterator[Tcp]:
    """Open a connection and close it."""
    way = Tcp(address)
    try:
        yield way
    finally:
        way.socket.close()


@dataclass(frozen=True)
class Prover:
    """Somebody who answers challenges.

    Attributes:
        identity: who it says to be.
        key: octets of a secret key, or a private key.
        kind: of the key, as the answer names it.
        digest_name: what it proves with instead of the usual.
    """

    identity: ValueReference
    key: bytes | SigningKey
    kind: str = "HS_SECKEY"
    digest_name: str = ""

    def answer(self, challenge: Message, spare: bytes = b"") -> ChallengeAnswer:
        """Prove to be who it says; with `spare`, wrongly."""
        body, version = challenge.body, answer_version(challenge)
        assert isinstance(body, Challenge)
        assert body.request_digest is not None
        proof = self.prove(body.nonce, body.request_digest.octets + spare, version)
        return ChallengeAnswer(self.kind, self.identity, proof)

    def prove(self, nonce: bytes, digest: bytes, version: Version = VERSION_OURS) -> bytes:
        """Return the octets that prove a nonce and a digest."""
        if self.digest_name:
            return self._prove_with(self.digest_name, nonce + digest)
        if isinstance(self.key, bytes):
            return make_secret_proof(self.key, nonce, digest, version)
        return make_key_proof(self.key, nonce, digest, version, self.identity.handle)

    def _prove_with(self, digest_name: str, content: bytes) -> bytes:
        """Prove as old clients do: a digest of secret, content and secret, or a signature (vectors, file 05)."""
        if isinstance(self.key, bytes):
            code = hashlib.new(digest_name, self.key + content + self.key).digest()
            return octets.u8(ProofAlgorithm[digest_name]) + code
        return octets.text(digest_name) + octets.counted(self.key.sign_digest(digest_name, content))


def request_of(body: RequestBody, op_code: int, op_flags: int = OP_FLAGS_USUAL, session_id: int = 0) -> Message:
    """Return a request with an id of its own."""
    return request(
        body, op_code, request_id=next(_request_ids), now=time.time(), op_flags=op_flags, session_id=session_id
    )


def ask_all(way: Way, message: Message) -> list[Message]:
    """Return all messages that answer `message`, which all have its id."""
    answers = [decode_message(octets) for octets in way.ask_octets(encode_message(message))]
    assert {answer.request_id for answer in answers} == {message.request_id}
    return answers


def ask(way: Way, message: Message) -> Message:
    """Return the first message that answers `message`."""
    return ask_all(way, message)[0]


def answer_of(challenge: Message, prover: Prover, spare: bytes = b"") -> Message:
    """Return the request that answers a challenge."""
    answer = prover.answer(challenge, spare)
    return challenge_answer_request(challenge, answer, request_id=next(_request_ids), now=time.time())


def perform_all(way: Way, message: Message, prover: Prover | None) -> list[Message]:
    """Return all messages that tell what became of a request, after its challenge if there is one."""
    answers = ask_all(way, message)
    if answers[0].response_code != ResponseCode.AUTHENTICATION_NEEDED or prover is None:
        return answers
    assert answers[0].header.op_code == message.header.op_code
    return ask_all(way, answer_of(answers[0], prover))


def perform(way: Way, message: Message, prover: Prover | None = None) -> Message:
    """Return what became of a request, after its challenge if there is one. It has the operation of the request."""
    answer = perform_all(way, message, prover)[0]
    assert answer.header.op_code in {message.header.op_code, OpCode.NONE}
    return answer


def _says_that_more_follows(message_octets: bytes) -> bool:
    return decode_message(message_octets).has_flag(OpFlag.CONTINUOUS)
