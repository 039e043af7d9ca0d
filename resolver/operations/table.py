"""What a node does beyond plain resolution: how each operation is done, in which order, and how its answer leaves."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Final

import structlog

from handle_protocol.bodies.error import ErrorBody
from handle_protocol.codes import OpCode, ResponseCode
from handle_protocol.limits import ENVELOPE_OCTETS, MESSAGE_OCTETS_MAX
from handle_protocol.message import Message, answer_to, encode_message
from resolver.authentication.logins import ConnectionLogin
from resolver.metrics import DoorTally
from resolver.operations.administrative import Administrative
from resolver.operations.asked import Answering, Asked, Operation, subject_of
from resolver.operations.certification import Certifier
from resolver.operations.inquiries import Inquiries
from resolver.operations.logins import Logins
from resolver.operations.peers import Step
from resolver.operations.replies import Answered, Continued
from resolver.operations.sessions import SessionOperations

_CHANGES: Final = frozenset(
    {
        OpCode.CREATE_HANDLE,
        OpCode.DELETE_HANDLE,
        OpCode.ADD_VALUE,
        OpCode.REMOVE_VALUE,
        OpCode.MODIFY_VALUE,
        OpCode.HOME_PREFIX,
        OpCode.UNHOME_PREFIX,
    }
)
_TURNING_POINTS: Final = frozenset(
    {
        OpCode.PASSWORD_LOGIN,
        OpCode.KEY_LOGIN,
        OpCode.SESSION_SETUP,
        OpCode.SESSION_EXCHANGE_KEY,
        OpCode.SESSION_TERMINATE,
    }
)

_RIGHTS: Final = b"0.NA/"
"""Changes of prefix records decide upon what comes after them."""

log = structlog.get_logger()


class Operations:
    """Does every operation that needs more than what everybody may read.

    Attributes:
        sessions: reads and writes what is sent in sessions.
        new_login: makes the login of a new connection.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - each family of operations once
        self,
        administrative: Administrative,
        inquiries: Inquiries,
        logins: Logins,
        sessions: SessionOperations,
        certifier: Certifier,
        new_login: Callable[[], ConnectionLogin],
        unix_clock: Callable[[], float],
    ) -> None:
        self.sessions = sessions
        self.new_login = new_login
        self._administrative = administrative
        self._logins = logins
        self._certifier = certifier
        self._unix_clock = unix_clock
        self._by_code: Mapping[int, Operation] = {
            OpCode.RESOLUTION: inquiries.resolve,
            OpCode.GET_SITE_INFO: inquiries.tell_site,
            OpCode.VERIFY_CHALLENGE: inquiries.verify,
            OpCode.LIST_HANDLES: administrative.perform,
            OpCode.LIST_HOMED_PREFIXES: administrative.perform,
            **dict.fromkeys(_CHANGES, administrative.perform),
            OpCode.SESSION_SETUP: sessions.set_up,
            OpCode.SESSION_EXCHANGE_KEY: sessions.exchange_key,
            OpCode.SESSION_TERMINATE: sessions.terminate,
            OpCode.KEY_LOGIN: logins.begin,
            OpCode.PASSWORD_LOGIN: logins.log_in_with_password,
        }

    def begin(self, asked: Asked, tally: DoorTally) -> Step | None:
        """Begin to do what is asked, after what was asked before it; None = there is no such operation."""
        op_code = asked.request.header.op_code
        if op_code == OpCode.CHALLENGE_ANSWER:
            return self._begin_conclusion(asked, tally)
        operation = self._by_code.get(op_code)
        if operation is None:
            return None
        work = self._do(asked, operation, tally)
        subject = subject_of(asked.request)
        if op_code in _CHANGES and not subject.startswith(_RIGHTS):
            return asked.peer.begin_change(work, subject)
        if op_code in _CHANGES:
            return asked.peer.begin_turn(work)
        return asked.peer.begin_turn(work) if op_code in _TURNING_POINTS else asked.peer.begin_question(work)

    def refuse(self, asked: Asked, code: ResponseCode, text: str = "") -> Message:
        """Return the answer that says no."""
        return answer_to(asked.request, code, ErrorBody(text), now=self._unix_clock())

    def _begin_conclusion(self, asked: Asked, tally: DoorTally) -> Step:
        if asked.session is None and asked.peer.is_logging_in:
            return asked.peer.begin_turn(self._do(asked, self._logins.conclude, tally))
        work = self._do(asked, self._administrative.conclude, tally)
        return asked.peer.begin_change(work, b"") if asked.session is None else asked.peer.begin_turn(work)

    async def _do(self, asked: Asked, operation: Operation, tally: DoorTally) -> Answered:
        return await self._conclude(asked, partial(operation, asked), tally)

    async def _conclude(self, asked: Asked, make: Callable[[], Awaitable[Answering]], tally: DoorTally) -> Answered:
        """Return the octets that say what became of it; whatever nobody thought of ends here, logged once."""
        try:
            messages, more = await make()
            octets = b"".join([await self._encode(message, asked) for message in messages])
        except Exception:
            log.exception("request_failed", operation=asked.request.header.op_code)
            messages, more = (self.refuse(asked, ResponseCode.ERROR),), None
            octets = await self._encode(messages[0], asked)
        for message in messages:
            tally.operations[message.header.op_code, message.response_code] += 1
        return octets if more is None else Continued(octets, lambda: self._conclude(asked, more, tally))

    async def _encode(self, answer: Message, asked: Asked) -> bytes:
        if asked.session is not None:
            octets = self.sessions.encode(answer, asked)
        elif self._certifier.is_wanted(answer):
            octets = await self._certifier.encode_signed(answer)
        else:
            octets = encode_message(answer)
        if len(octets) <= ENVELOPE_OCTETS + MESSAGE_OCTETS_MAX:
            return octets
        return await self._encode(self.refuse(asked, ResponseCode.ERROR, "too long 应答过长"), asked)
