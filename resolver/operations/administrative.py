"""Operations that may need to know who it is: done, or challenged first and done when that is answered.

request ─▶ Command ─▶ Administration.perform ─▶ outcome ─▶ messages
                              └ IdentityNeeded ─▶ challenge (402) ─▶ answer (200) ─▶ the kept request, with a claim

The request that is performed is the one that was challenged, as it came; the answer to a challenge adds a proof and
nothing else. What answers it has the operation of the request, and for the rest is an answer to the last message:
clients compare ids and digest with what they sent last (recorded: vectors, file 15).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from handle_protocol.bodies.challenge import Challenge, ChallengeAnswer
from handle_protocol.bodies.error import ErrorBody
from handle_protocol.codes import ResponseCode
from handle_protocol.errors import InvalidHandle
from handle_protocol.message import Message, answer_to, decode_message
from resolver.administration.administration import Administration
from resolver.administration.commands import Command, ListHandles
from resolver.administration.judgement import BUSY
from resolver.administration.outcomes import CommandOutcome, IdentityNeeded, Listed, Refused
from resolver.authentication.authentication import Authentication
from resolver.authentication.challenges import Pending
from resolver.authentication.claims import Claim
from resolver.authentication.evidence import read_evidence
from resolver.authentication.verification import PresentedClaim
from resolver.operations.asked import Answering, Asked
from resolver.operations.other_workers import OtherWorkers
from resolver.translation.commands import command_of, messages_of

_LOG_IN_FIRST: Final = Refused(ResponseCode.LOG_IN_FIRST, "log in first 请先登录")
_NOTHING_PENDING: Final = Refused(
    ResponseCode.AUTHENTICATION_TIMEOUT, "no such challenge, or answered too late 质询不存在或已过期"
)


@dataclass(frozen=True, slots=True)
class _Work:
    """A command on behalf of somebody, and whom its outcome is told to.

    Attributes:
        request: the message that is answered.
        op_code: the operation that asked for the command.
    """

    command: Command
    claim: Claim | None
    request: Message
    op_code: int


class Administrative:
    """Performs requests for administration.

    Args:
        administration: does what is asked.
        authentication: keeps challenges, and verifies what answers them.
        others: the workers that keep the challenges which are not kept here; None = there are none.
        unix_clock: seconds of the world.
    """

    def __init__(
        self,
        administration: Administration,
        authentication: Authentication,
        others: OtherWorkers | None,
        unix_clock: Callable[[], float],
    ) -> None:
        self._administration = administration
        self._others = others
        self._authentication = authentication
        self._unix_clock = unix_clock

    async def perform(self, asked: Asked) -> Answering:
        """Perform a request, for whoever has logged in or has a session, or ask who it is."""
        request = asked.request
        try:
            work = _Work(command_of(request), asked.claim, request, request.header.op_code)
        except InvalidHandle as error:
            return self.refuse(request, Refused(ResponseCode.INVALID_HANDLE, str(error)))
        outcome = await self._administration.perform(work.command, work.claim)
        return self._challenge(asked) if isinstance(outcome, IdentityNeeded) else self._tell(work, outcome)

    async def conclude(self, asked: Asked) -> Answering:
        """Perform the request whose challenge is answered; the challenge is used up before anything is verified."""
        try:
            pending = await self._take(asked)
        except (ConnectionError, TimeoutError):
            return self.refuse(asked.request, BUSY)
        if pending is None:
            return self.refuse(asked.request, _NOTHING_PENDING)
        challenged = decode_message(pending.request)
        claim = self._claim(asked, pending)
        work = _Work(command_of(challenged), claim, asked.request, challenged.header.op_code)
        outcome = await self._administration.perform(work.command, claim)
        if asked.session is not None and (asked.request.credential is not None or not isinstance(outcome, Refused)):
            self._authentication.sessions.note_proof(
                asked.session, claim, is_coded=asked.request.credential is not None
            )
        return self._tell(work, outcome)

    def refuse(self, request: Message, refused: Refused) -> Answering:
        """Say no."""
        return Answering((answer_to(request, refused.code, ErrorBody(refused.text), now=self._unix_clock()),))

    def _challenge(self, asked: Asked) -> Answering:
        if asked.comes_from_industrial_sdk:
            return self.refuse(asked.request, _LOG_IN_FIRST)
        within = (0, 0)
        if asked.session is not None:
            within = asked.session.id, asked.request.request_id
            asked.session.challenged_request_id = asked.request.request_id
        now = self._authentication.clock()
        pending = self._authentication.challenges.issue(asked.octets, asked.digest, asked.peer.address, now, within)
        challenge = Challenge(pending.nonce, pending.digest)
        answer = answer_to(asked.request, ResponseCode.AUTHENTICATION_NEEDED, challenge, now=self._unix_clock())
        return Answering((replace(answer, session_id=pending.session_id),))

    async def _take(self, asked: Asked) -> Pending | None:
        """Return the challenge that is answered, from whichever worker keeps it.

        Raises:
            ConnectionError, TimeoutError: that worker cannot be asked.
        """
        session_id, address = asked.request.session_id, asked.peer.address
        if asked.session is not None:
            return self._take_here(asked, asked.request.request_id, asked.session.challenged_request_id)
        owner = None if self._others is None else self._others.owner(session_id)
        if owner is None or self._others is None:
            return self._take_here(asked, 0)
        return await self._others.take_challenge(owner, session_id, address)

    def _take_here(self, asked: Asked, *request_ids: int) -> Pending | None:
        """Return the first challenge that was made for one of these requests.

        In sessions the reference's client answers with another request id than it asked with, and means what was
        challenged last.
        """
        session_id, address, now = asked.request.session_id, asked.peer.address, self._authentication.clock()
        taken = (self._authentication.challenges.take(session_id, address, now, each) for each in request_ids)
        return next((pending for pending in taken if pending is not None), None)

    def _claim(self, asked: Asked, pending: Pending) -> PresentedClaim:
        """Return the claim that an answer to a challenge makes."""
        body, version = asked.request.body, asked.request.version
        assert isinstance(body, ChallengeAnswer), "the codec reads this operation so"
        evidence = read_evidence(body.key_type, body.proof, pending.nonce, pending.digest, version)
        return self._authentication.present(body.identity, evidence, asked.peer.address)

    def _tell(self, work: _Work, outcome: CommandOutcome) -> Answering:
        messages = tuple(messages_of(outcome, work.request, work.op_code, now=self._unix_clock()))
        if isinstance(outcome, Listed) and outcome.last_key:
            return Answering(messages, partial(self._go_on, work, outcome.last_key))
        return Answering(messages)

    async def _go_on(self, work: _Work, last_key: bytes) -> Answering:
        assert isinstance(work.command, ListHandles), "nothing else is answered in parts"
        following = replace(work, command=replace(work.command, after=last_key))
        return self._tell(following, await self._administration.perform(following.command, following.claim))
