"""The client's side of a session: agreed by Diffie-Hellman, every message with a code and a counter of its own."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import count

from handle_protocol.bodies.session import ExchangeMode, SessionSetupRequest
from handle_protocol.codes import OpCode, ResponseCode
from handle_protocol.envelope import VERSION_OURS
from handle_protocol.message import Message, answer_version
from handle_protocol.security.message_authentication import mac_message
from handle_protocol.security.session_keys import SessionKey, finish_key_agreement, start_key_agreement
from handle_protocol.value import ValueReference
from tests.reliability.claimant import Wish, answer_to_challenge, exchange
from tests.reliability.enterprises import Key
from tests.reliability.octets_client import Stream

NOBODY = ValueReference(0, "")


@dataclass(frozen=True)
class ClientSession:
    """An open session."""

    id: int
    key: SessionKey
    counters: count[int] = field(default_factory=lambda: count(1))

    def sealed(self, message: Message, counter: int | None = None) -> Message:
        """Return a message as it travels in this session."""
        used = next(self.counters) if counter is None else counter
        return mac_message(self.unsealed(message), self.key, used)

    def unsealed(self, message: Message) -> Message:
        """Return a message that says to be of this session; in old versions none may be."""
        return replace(message, version=VERSION_OURS, session_id=self.id)

    def message(self, wish: Wish) -> Message:
        """Return a request in this session, another one each time."""
        return self.sealed(wish.message())

    async def ask_as(self, stream: Stream, wish: Wish, key: Key) -> Message:
        """Ask for something in the session, and prove who asks where that is wanted."""
        asked = self.message(wish)
        answer = await exchange(stream, asked)
        if answer.response_code != ResponseCode.AUTHENTICATION_NEEDED:
            return answer
        proof = replace(answer_to_challenge(answer, key.answer(answer)), request_id=asked.request_id)
        return await exchange(stream, self.sealed(proof))


async def open_session(stream: Stream, seconds: int = 600) -> ClientSession:
    """Set a session up for nobody in particular."""
    ours = start_key_agreement()
    body = SessionSetupRequest(ExchangeMode.DIFFIE_HELLMAN, seconds, NOBODY, ours.public_data(), None, True)
    answer = await exchange(stream, Wish(OpCode.SESSION_SETUP, body).message())
    assert answer.response_code == ResponseCode.SUCCESS, answer
    return ClientSession(answer.session_id, finish_key_agreement(ours, answer.body.data, answer_version(answer)))
