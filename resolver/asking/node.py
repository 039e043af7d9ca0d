"""A server as its clients see it: every operation of the Handle protocol, and the answers to its challenges."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Final

from handle_protocol.bodies.administration import HandleRequest, RemoveRequest, ValuesRequest
from handle_protocol.bodies.challenge import Challenge, VerifyChallengeRequest
from handle_protocol.bodies.login import KeyLoginRequest
from handle_protocol.bodies.resolution import ResolutionRequest
from handle_protocol.bodies.session import ExchangeMode, SessionSetupRequest, SessionSetupResponse
from handle_protocol.bodies.table import RequestBody
from handle_protocol.codes import OpCode
from handle_protocol.exchange import Exchange, challenge_answer_request, request
from handle_protocol.flags import OpFlag
from handle_protocol.handle import Handle, Prefix
from handle_protocol.message import OP_FLAGS_USUAL, Message, answer_version
from handle_protocol.record import HandleRecord, encode_value_list
from handle_protocol.security.session_keys import finish_key_agreement, start_key_agreement
from handle_protocol.value import HandleValue, ValueReference
from resolver.asking.identity import Identity
from resolver.asking.reply import Reply, reply_of
from resolver.asking.sessions import SESSION_LOST, ClientSession, in_session
from resolver.asking.wires import TIMEOUT_SECONDS_DEFAULT, Part, Wire
from resolver.query import Query

SESSION_SECONDS_WANTED: Final = 3_600
"""How long a session shall live when nothing is asked in it."""

_OF_NO_HANDLE: Final = Handle("/")
"""Reference: what stands in requests that are about no handle."""

_NOBODY: Final = ValueReference(0, "")

_REQUEST_IDS: Final = 2**31 - 1

_ALL_VALUES: Final = int(OP_FLAGS_USUAL & ~OpFlag.PUBLIC_ONLY)


class Node:
    """One server. Refusals are replies; outages are OSError (TimeoutError too), nonsense is ProtocolError.

    Several operations may be under way at once. Each answers a challenge once, with the identity, if there is one. A
    session that the server has lost is replaced once for each operation; nothing is ever asked without one instead.
    """

    def __init__(
        self,
        wire: Wire,
        connected: Wire,
        identity: Identity | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS_DEFAULT,
    ) -> None:
        """Ask over `wire`.

        Args:
            wire: for what fits one message.
            connected: for lists, logins and sessions: where answers may have several parts.
            identity: who asks.
            timeout_seconds: for each message of an answer.
        """
        self._wire = wire
        self._connected = connected
        self._identity = identity
        self._timeout_seconds = timeout_seconds
        self._session: ClientSession | None = None
        self._replacing = asyncio.Lock()

    async def resolve(self, query: Query) -> Reply:
        """Ask for values. Those that are not public are a challenge away, where the query wants them."""
        body = ResolutionRequest(query.handle, query.indexes, query.types)
        return await self._ask(body, OpCode.RESOLUTION, query.handle, op_flags_of(query))

    async def site(self) -> Reply:
        """Ask where the service is; see Reply.site."""
        return await self._ask(HandleRequest(_OF_NO_HANDLE), OpCode.GET_SITE_INFO, _OF_NO_HANDLE)

    async def create(self, record: HandleRecord, *, overwrite: bool = False, mint: bool = False) -> Reply:
        """Make a record; the reply's record has the handle that was made.

        Args:
            record: with its values.
            overwrite: replace a record that is there already.
            mint: its handle is the beginning of a name that the server completes.
        """
        flags = _ALL_VALUES | (OpFlag.OVERWRITE if overwrite else 0) | (OpFlag.MINT_SUFFIX if mint else 0)
        body = ValuesRequest(record.handle, record.value_list)
        return await self._ask(body, OpCode.CREATE_HANDLE, record.handle, flags)

    async def delete(self, handle: Handle) -> Reply:
        """Delete a record."""
        return await self._ask(HandleRequest(handle), OpCode.DELETE_HANDLE, handle)

    async def add(self, handle: Handle, values: Sequence[HandleValue], *, overwrite: bool = False) -> Reply:
        """Add values to a record; `overwrite` replaces those that have the same index."""
        body = ValuesRequest(handle, encode_value_list(tuple(values)))
        return await self._ask(body, OpCode.ADD_VALUE, handle, _ALL_VALUES | (OpFlag.OVERWRITE if overwrite else 0))

    async def modify(self, handle: Handle, values: Sequence[HandleValue]) -> Reply:
        """Replace values of a record, by their indexes."""
        return await self._ask(ValuesRequest(handle, encode_value_list(tuple(values))), OpCode.MODIFY_VALUE, handle)

    async def remove(self, handle: Handle, indexes: Sequence[int]) -> Reply:
        """Remove values from a record."""
        return await self._ask(RemoveRequest(handle, tuple(indexes)), OpCode.REMOVE_VALUE, handle)

    def list_handles(self, prefix: Prefix) -> AsyncGenerator[Reply, None]:
        """Yield the handles directly below a prefix, part by part; a refusal is the only part, or the last."""
        return self._ask_for_parts(HandleRequest(prefix.handle), OpCode.LIST_HANDLES, prefix.handle)

    def list_prefixes(self) -> AsyncGenerator[Reply, None]:
        """Yield the prefix handles of the prefixes that the server answers for, part by part."""
        return self._ask_for_parts(HandleRequest(_OF_NO_HANDLE), OpCode.LIST_HOMED_PREFIXES, _OF_NO_HANDLE)

    async def home(self, prefix: Prefix) -> Reply:
        """Have the server answer for a prefix."""
        return await self._ask(HandleRequest(prefix.handle), OpCode.HOME_PREFIX, prefix.handle)

    async def unhome(self, prefix: Prefix) -> Reply:
        """Have the server answer for a prefix no longer."""
        return await self._ask(HandleRequest(prefix.handle), OpCode.UNHOME_PREFIX, prefix.handle)

    async def verify_challenge(self, asked: VerifyChallengeRequest) -> Reply:
        """Ask whether a proof of somebody is right: `body.is_valid` of the reply."""
        return await self._ask(asked, OpCode.VERIFY_CHALLENGE, Handle(asked.identity.handle))

    async def log_in(self) -> Reply:
        """Log in on the connection (operation 2001); it is forgotten together with the connection."""
        identity = _NOBODY if self._identity is None else self._identity.reference
        flags = _ALL_VALUES | OpFlag.RETURN_REQUEST_DIGEST
        self._wire = self._connected
        return await self._ask(KeyLoginRequest(identity), OpCode.KEY_LOGIN, _OF_NO_HANDLE, flags)

    async def start_session(self, *, encrypts: bool = True) -> Reply:
        """Agree upon a key (Diffie-Hellman), in which everything is asked from now on; it replaces an older one."""
        loop = asyncio.get_running_loop()
        ours = start_key_agreement()
        public_key = await loop.run_in_executor(None, ours.public_data)
        identity = _NOBODY if self._identity is None else self._identity.reference
        body = SessionSetupRequest(ExchangeMode.DIFFIE_HELLMAN, SESSION_SECONDS_WANTED, identity, public_key)
        self._wire = self._connected
        answer, protocol = await self._first(Exchange(_request(body, OpCode.SESSION_SETUP, _ALL_VALUES)))
        if isinstance(answer.body, SessionSetupResponse):
            data = answer.body.data
            key = await loop.run_in_executor(None, finish_key_agreement, ours, data, answer.version)
            self._session = ClientSession(answer.session_id, key, answer.version, encrypts)
        return reply_of(answer, _OF_NO_HANDLE, protocol)

    async def end_session(self) -> Reply:
        """End the session; what is asked from now on is asked without."""
        try:
            return await self._ask(HandleRequest(_OF_NO_HANDLE), OpCode.SESSION_TERMINATE, _OF_NO_HANDLE)
        finally:
            self._session = None

    async def close(self) -> None:
        """Give up what is open; who waits for an answer gets a ConnectionError."""
        await self._wire.close()
        await self._connected.close()

    async def _ask(self, body: RequestBody, op_code: int, handle: Handle, op_flags: int = _ALL_VALUES) -> Reply:
        parts = self._parts(self._wire, _request(body, op_code, op_flags))
        async with aclosing(parts):
            answer, protocol = await anext(parts)
        return reply_of(answer, handle, protocol)

    async def _ask_for_parts(self, body: RequestBody, op_code: int, handle: Handle) -> AsyncGenerator[Reply, None]:
        parts = self._parts(self._connected, _request(body, op_code, _ALL_VALUES))
        async with aclosing(parts):
            async for answer, protocol in parts:
                yield reply_of(answer, handle, protocol)

    async def _parts(self, wire: Wire, asked: Message) -> AsyncGenerator[Part, None]:
        """Yield the parts of an answer; where the session was lost, those of the answer in a fresh one."""
        session, lost = self._session, None
        async with aclosing(self._parts_once(wire, asked)) as parts:
            async for part in parts:
                if session is not None and part.message.response_code in SESSION_LOST:
                    lost = part
                    break
                yield part
        if lost is None:
            return
        if asked.header.op_code == OpCode.SESSION_TERMINATE or not await self._replace(session):
            yield lost
            return
        async with aclosing(self._parts_once(wire, asked)) as parts:
            async for part in parts:
                yield part

    async def _replace(self, lost: ClientSession | None) -> bool:
        """Have a fresh session instead of a lost one; return whether there is one."""
        async with self._replacing:
            if self._session is lost and lost is not None:
                await self.start_session(encrypts=lost.encrypts)
            return self._session is not None and self._session is not lost

    async def _parts_once(self, wire: Wire, asked: Message) -> AsyncGenerator[Part, None]:
        """Yield the parts of an answer; where that is a challenge, those of the answer to ours.

        The first exchange is over before the second begins: it has the same request id, or takes the last free place.
        """
        answering = None
        async with aclosing(self._timed(wire.ask(self._exchange(asked)))) as parts:
            async for part in parts:
                body = part.message.body
                if self._identity is not None and isinstance(body, Challenge):
                    answering = await self._answer_challenge(part.message, body, asked, self._identity)
                    break
                yield part
        if answering is None:
            return
        async with aclosing(self._timed(wire.ask(self._exchange(answering, asked)))) as parts:
            async for part in parts:
                yield part

    async def _answer_challenge(
        self, challenge: Message, body: Challenge, asked: Message, identity: Identity
    ) -> Message:
        loop = asyncio.get_running_loop()
        proof = await loop.run_in_executor(None, identity.answer, body, answer_version(challenge))
        request_id = asked.request_id if self._session else _new_request_id()
        return challenge_answer_request(challenge, proof, request_id=request_id, now=time.time())

    async def _timed(self, parts: AsyncGenerator[Part, None]) -> AsyncGenerator[Part]:
        """Yield what `parts` yields, each within the deadline."""
        try:
            while True:
                async with asyncio.timeout(self._timeout_seconds):
                    part = await anext(parts, None)
                if part is None:
                    return
                yield part
        finally:
            await parts.aclose()

    async def _first(self, exchange: Exchange) -> Part:
        parts = self._timed(self._wire.ask(exchange))
        async with aclosing(parts):
            return await anext(parts)

    def _exchange(self, asked: Message, challenged: Message | None = None) -> Exchange:
        if self._session is None:
            return Exchange(asked, challenged)
        return self._session.exchange(in_session(asked, self._session), challenged)


def _request(body: RequestBody, op_code: int, op_flags: int) -> Message:
    return request(body, op_code, request_id=_new_request_id(), now=time.time(), op_flags=int(op_flags))


def op_flags_of(query: Query) -> int:
    """Return the operation flags that say what a query wants."""
    flags = int(_ALL_VALUES)
    flags |= OpFlag.PUBLIC_ONLY if query.is_public_only else 0
    flags |= OpFlag.AUTHORITATIVE if query.is_authoritative else 0
    return flags | (0 if query.may_refer else OpFlag.DO_NOT_REFER)


def _new_request_id() -> int:
    return 1 + secrets.randbelow(_REQUEST_IDS)
