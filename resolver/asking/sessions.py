"""A client's session: what is sent in it carries a code and a counter, and so must what comes back (vector file 07)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from handle_protocol.codes import OpCode, ResponseCode
from handle_protocol.envelope import Version
from handle_protocol.errors import MalformedMessage
from handle_protocol.exchange import Exchange
from handle_protocol.message import Message, decode_message, encode_message, encode_sealed, is_sealed, open_sealed
from handle_protocol.security.message_authentication import mac_message, verify_mac
from handle_protocol.security.session_keys import SessionKey

SESSION_LOST: Final = frozenset(
    {
        ResponseCode.SESSION_TIMEOUT,
        ResponseCode.SESSION_FAILED,
        ResponseCode.INVALID_SESSION_KEY,
        ResponseCode.SESSION_MESSAGE_REJECTED,
    }
)
"""What a server says that has no such session (any more), without a code of course. Nothing was done.

Whoever forges it gains a new session between the same two, or what they get by closing the connection.
"""


@dataclass(slots=True)
class ClientSession:
    """A session that a server keeps for us.

    Attributes:
        session_id: the server's.
        version: that both sides speak.
        encrypts: whether messages are hidden too, not only protected.
        counter: of the last request.
    """

    session_id: int
    key: SessionKey
    version: Version
    encrypts: bool
    counter: int = 0

    def exchange(self, request: Message, challenged: Message | None = None) -> Exchange:
        """Begin to ask in the session; each call uses one counter up."""
        self.counter += 1
        return SessionExchange(self, self.counter, request, challenged)

    def encode(self, request: Message, counter: int) -> bytes:
        """Return the octets of a request with its code."""
        coded = mac_message(request, self.key, counter)
        if not self.encrypts:
            return encode_message(coded)
        return encode_sealed(coded, lambda content: self.key.encrypt(coded.version, content))

    def open(self, octets: bytes) -> bytes:
        """Return an answer as it would be without encryption.

        Raises:
            MalformedMessage: it is not encrypted with the session's key.
        """
        return open_sealed(octets, lambda content: self.key.decrypt(self.version, content))


class SessionExchange(Exchange):
    """An exchange inside a session. Nothing is believed but what carries the session's code and this counter."""

    def __init__(self, session: ClientSession, counter: int, request: Message, challenged: Message | None) -> None:
        """Begin to ask; see Exchange."""
        super().__init__(request, challenged)
        self.request_octets = session.encode(request, counter)
        self._session = session
        self._counter = counter

    def accept_message(self, message_octets: bytes, now: float) -> Message | None:
        """See Exchange.

        Raises:
            MalformedMessage: it does not carry the session's code.
        """
        opened = self._session.open(message_octets) if is_sealed(message_octets) else message_octets
        message = decode_message(opened)
        if message.response_code not in SESSION_LOST:
            self._check(message)
        return super().accept_message(opened, now)

    def _answers_operation(self, message: Message) -> bool:
        """Who lost the session cannot read what is encrypted in it, not even which operation that was."""
        could_not_read = message.header.op_code == OpCode.NONE and message.response_code in SESSION_LOST
        return could_not_read or super()._answers_operation(message)

    def _check(self, message: Message) -> None:
        credential = message.credential
        is_vouched_for = verify_mac(message, self._session.key)
        if not is_vouched_for or credential is None or credential.signer_index != self._counter:
            raise MalformedMessage("an answer with the session's code", 0)


def in_session(request: Message, session: ClientSession) -> Message:
    """Return a request as it is sent in `session`."""
    return replace(request, version=session.version, session_id=session.session_id)
