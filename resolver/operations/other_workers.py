"""What workers of one node ask each other: challenges and sessions belong to the worker that made them.

kind  question                            answer
   1  a message that came in a session    the message that answers it
   2  of web sessions, see the REST API
   3  4 session id                        nothing, or 16 nonce, 1 algorithm, 4+n digest, 4+n challenged request
   4  4+n key, 4+n network of a guess     nothing
   5  4+n key, again and again            nothing: these records are forgotten
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final

from handle_protocol import octets
from handle_protocol.bodies.digest import DigestAlgorithm, RequestDigest
from handle_protocol.octets import OctetReader
from resolver.authentication.authentication import Authentication
from resolver.authentication.challenges import Pending
from resolver.authentication.guessing import Guess
from resolver.authentication.session_ids import NONCE_OCTETS, SessionIds
from resolver.operations.replies import Answered, Continued, Reply
from resolver.relay import CONTENT_OCTETS_MAX, Relay

SESSION_MESSAGE: Final = 1
CHALLENGE: Final = 3
WRONG_PROOF: Final = 4
CHANGED_KEYS: Final = 5

WHOLE_ANSWER_PARTS_MAX: Final = 4
"""Parts of a list that are handed over together, some 1 000 handles each: no more fit into one answer."""

TELLING_MAX: Final = 64
"""News that are under way to other workers; what comes beyond that they do not hear of."""

FORGOTTEN_SECONDS: Final = 0.05
"""How long a change waits until every other worker has forgotten what it changed: some hundred times what it takes."""

PASSED_OVER_SECONDS: Final = 1.0
"""How long nothing waits for a worker that did not answer in that time; the change feed reaches it as well."""

Answer = Callable[[str, bytes], Awaitable[bytes]]
"""Answers one kind of question: the address of the peer, and what the kind wants."""


class OtherWorkers:
    """One worker's way to the others.

    Args:
        ids: which worker this is, and whose a session id is.
        relay: carries questions.
        session_relay: carries messages of sessions, which may take long and come from anybody; apart, so that however
            many there are, challenges are still found.
    """

    def __init__(self, ids: SessionIds, relay: Relay, session_relay: Relay) -> None:
        self._ids = ids
        self._relay = relay
        self._session_relay = session_relay
        self._answers: dict[int, Answer] = {}
        self._telling: set[asyncio.Task[None]] = set()
        self._passed_over: dict[int, float] = {}

    def owner(self, session_id: int) -> int | None:
        """Return which other worker keeps what has this id; None = this one, if any."""
        owner = self._ids.owner(session_id)
        return None if owner == self._ids.place else owner

    async def ask(self, place: int, kind: int, address: str, question: bytes) -> bytes:
        """Return what another worker answers to a question of any kind. Raises as Relay.ask."""
        return await self._relay.ask(place, kind, address, question)

    async def serve_in_session(self, owner: int, address: str, message: bytes) -> bytes:
        """Return what the owner of a session answers. Raises as Relay.ask."""
        return await self._session_relay.ask(owner, SESSION_MESSAGE, address, message)

    async def take_challenge(self, owner: int, session_id: int, address: str) -> Pending | None:
        """Return a challenge of another worker; by that it is used up. None where it is none, or went with its worker.

        Raises as Relay.ask.
        """
        try:
            answer = await self._relay.ask(owner, CHALLENGE, address, octets.u32(session_id))
        except ProcessLookupError:
            return None
        return _decode_pending(session_id, address, answer) if answer else None

    def tell(self, guess: Guess) -> None:
        """Let the others know of a wrong proof."""
        if len(self._telling) < TELLING_MAX:
            task = asyncio.get_running_loop().create_task(self._tell_all(guess))
            self._telling.add(task)
            task.add_done_callback(self._telling.discard)

    async def forget(self, keys: Sequence[bytes]) -> None:
        """Let the other workers forget these records; they have, but for those that do not answer at once."""
        news = b"".join(map(octets.counted, keys))
        now = asyncio.get_running_loop().time()
        places = [place for place in self._relay.others() if self._passed_over.get(place, now) <= now]
        if not places or len(news) > CONTENT_OCTETS_MAX:
            return
        asked = {asyncio.ensure_future(self._relay.ask(place, CHANGED_KEYS, "", news)): place for place in places}
        _, silent = await asyncio.wait(asked, timeout=FORGOTTEN_SECONDS)
        for each in silent:
            self._passed_over[asked[each]] = now + PASSED_OVER_SECONDS
            each.cancel()
        await asyncio.gather(*asked, return_exceptions=True)

    def take_up(self, kind: int, answer: Answer) -> None:
        """Let a kind of question be answered from now on."""
        self._answers[kind] = answer

    def answer_for(self, authentication: Authentication) -> None:
        """Answer what others ask of this worker's challenges, and hear of wrong proofs."""

        async def take(address: str, question: bytes) -> bytes:
            """Give away a challenge."""
            session_id = OctetReader(question).u32("session id")
            pending = authentication.challenges.take(session_id, address, authentication.clock())
            return b"" if pending is None else _encode_pending(pending)

        async def hear(_: str, news: bytes) -> bytes:
            """Count a wrong proof."""
            reader = OctetReader(news)
            authentication.guessing.hear(Guess(reader.text("key"), reader.text("network")), authentication.clock())
            return b""

        self.take_up(CHALLENGE, take)
        self.take_up(WRONG_PROOF, hear)

    def forget_for(self, forget: Callable[[Iterable[bytes]], None]) -> None:
        """Forget what other workers have changed."""

        async def hear(_: str, news: bytes) -> bytes:
            """Forget records."""
            reader = OctetReader(news)
            forget(iter(lambda: reader.counted("key") if reader.remaining else b"", b""))
            return b""

        self.take_up(CHANGED_KEYS, hear)

    async def open(self) -> None:
        """Begin to answer."""
        await self._relay.serve(self._answer)
        await self._session_relay.serve(self._answer)

    async def close(self) -> None:
        """Answer no more."""
        await self._relay.close()
        await self._session_relay.close()

    async def _answer(self, kind: int, address: str, question: bytes) -> bytes:
        return await self._answers[kind](address, question)

    async def _tell_all(self, guess: Guess) -> None:
        news = octets.text(guess.key) + octets.text(guess.network)
        asked = (self._relay.ask(place, WRONG_PROOF, "", news) for place in self._relay.others())
        await asyncio.gather(*asked, return_exceptions=True)


async def whole_answer(reply: Reply) -> bytes:
    """Return all of an answer at once, for whoever cannot take it in parts; empty when there is none.

    Raises:
        ConnectionError: it has too many parts.
    """
    if reply is None or isinstance(reply, bytes):
        return reply or b""
    parts: list[bytes] = []
    answered: Answered = await reply
    while isinstance(answered, Continued):
        parts.append(answered.octets)
        if len(parts) > WHOLE_ANSWER_PARTS_MAX:
            raise ConnectionError("too long an answer to be handed over")
        answered = await answered.make_rest()
    return b"".join((*parts, answered))


def _encode_pending(pending: Pending) -> bytes:
    digest = octets.u8(pending.digest.algorithm) + octets.counted(pending.digest.octets)
    return pending.nonce + digest + octets.counted(pending.request)


def _decode_pending(session_id: int, address: str, answer: bytes) -> Pending:
    reader = OctetReader(answer)
    nonce = reader.take(NONCE_OCTETS, "nonce")
    digest = RequestDigest(DigestAlgorithm(reader.u8("algorithm")), reader.counted("digest"))
    return Pending(session_id, nonce, digest, reader.counted("request"), address, expires_at=0.0)
