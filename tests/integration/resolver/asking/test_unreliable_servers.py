"""The client and servers that close, fall silent in the middle of a list, or lose sessions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from time import monotonic, time

import pytest

from handle_protocol.bodies.session import ExchangeMode, SessionSetupRequest, SessionSetupResponse
from handle_protocol.codes import OpCode, ResponseCode
from handle_protocol.handle import Handle, Prefix
from handle_protocol.message import Message, answer_to, answer_version
from handle_protocol.security.message_authentication import mac_message, verify_mac
from handle_protocol.security.session_keys import SessionKey, answer_key_agreement
from resolver.asking.streams import OUTSTANDING_MAX
from resolver.client import Address, Node, connect
from resolver.query import Query
from tests.builders import text_value
from tests.fakes.scripted_server import Conversation, found, part_of_list, refused, scripted_server

QUERY = Query(Handle("88.118.8/轴承"))
PREFIX = Prefix.parse("88.118.8")
VALUE = text_value(1, "名称", "轴承")
SHORT_SECONDS = 0.3


@asynccontextmanager
async def asking(address: Address, timeout_seconds: float = 5.0) -> AsyncIterator[Node]:
    async with connect(address, timeout_seconds=timeout_seconds) as node:
        yield node


async def read_list(node: Node, heard: list[Handle]) -> None:
    async for part in node.list_handles(PREFIX):
        heard += part.handles


async def answer_once(conversation: Conversation) -> None:
    conversation.say(found(await conversation.listen(), VALUE))


async def test_when_the_server_has_closed_an_idle_connection_the_next_question_opens_another() -> None:
    async with scripted_server(answer_once) as (address, conversations), asking(address) as node:
        first = await node.resolve(QUERY)
        await conversations[0].is_over.wait()
        await asyncio.sleep(0.05)
        second = await node.resolve(QUERY)
    assert (first.record.values, second.record.values) == ((VALUE,), (VALUE,))
    assert [len(each.heard) for each in conversations] == [1, 1]


async def test_what_a_closing_server_leaves_unanswered_is_told_and_not_asked_again_by_itself() -> None:
    async def close_the_first(conversation: Conversation) -> None:
        asked = await conversation.listen()
        if len(conversations) > 1:
            conversation.say(found(asked, VALUE))

    async with scripted_server(close_the_first) as (address, conversations), asking(address) as node:
        with pytest.raises(ConnectionResetError, match="unanswered"):
            await node.resolve(QUERY)
        assert len(conversations) == 1
        assert (await node.resolve(QUERY)).record.values == (VALUE,)


async def test_a_list_that_falls_silent_ends_with_its_deadline_and_disturbs_nothing_else() -> None:
    async def begin_and_finish_too_late(conversation: Conversation) -> None:
        asked = await conversation.listen()
        conversation.say(part_of_list(asked, "88.118.8/甲"))
        question = await conversation.listen()
        conversation.say(part_of_list(asked, "88.118.8/乙", is_last=True), found(question, VALUE))
        await conversation.listen()

    heard: list[Handle] = []
    async with (
        scripted_server(begin_and_finish_too_late) as (address, conversations),
        asking(address, SHORT_SECONDS) as node,
    ):
        began_at = monotonic()
        with pytest.raises(TimeoutError):
            await read_list(node, heard)
        assert SHORT_SECONDS <= monotonic() - began_at < 10 * SHORT_SECONDS
        assert (await node.resolve(QUERY)).record.values == (VALUE,)
        assert len(conversations) == 1
    assert heard == [Handle("88.118.8/甲")]


async def test_a_slow_list_has_its_deadline_for_each_part() -> None:
    names = [f"88.118.8/{number}" for number in range(4)]

    async def slowly(conversation: Conversation) -> None:
        asked = await conversation.listen()
        for name in names:
            await asyncio.sleep(SHORT_SECONDS / 2)
            conversation.say(part_of_list(asked, name, is_last=name == names[-1]))

    async with scripted_server(slowly) as (address, _), asking(address, SHORT_SECONDS) as node:
        heard = [handle.spelling async for part in node.list_handles(PREFIX) for handle in part.handles]
    assert heard == names


async def test_a_list_whose_connection_is_lost_is_not_taken_for_a_whole_one() -> None:
    async def half(conversation: Conversation) -> None:
        conversation.say(part_of_list(await conversation.listen(), "88.118.8/甲"))

    heard: list[Handle] = []
    async with scripted_server(half) as (address, _), asking(address) as node:
        with pytest.raises(ConnectionResetError):
            await read_list(node, heard)
    assert heard == [Handle("88.118.8/甲")]


async def test_lists_that_nobody_reads_to_their_end_give_their_places_back() -> None:
    async def many_parts(conversation: Conversation) -> None:
        while True:
            asked = await conversation.listen()
            if asked.header.op_code == OpCode.RESOLUTION:
                conversation.say(found(asked, VALUE))
            else:
                conversation.say(*[part_of_list(asked, f"88.118.8/{number}") for number in range(100)])

    async with scripted_server(many_parts) as (address, conversations), asking(address) as node:
        for _ in range(OUTSTANDING_MAX + 1):
            async with aclosing(node.list_handles(PREFIX)) as parts:
                assert (await anext(parts)).is_success
        assert (await node.resolve(QUERY)).record.values == (VALUE,)
        assert len(conversations) == 1


class SessionServer:
    """Keeps sessions, and loses them when it is told to.

    Attributes:
        agreements_left: how many sessions it will agree upon.
    """

    def __init__(self, agreements_left: int) -> None:
        self.agreements_left = agreements_left
        self._keys: dict[int, SessionKey] = {}

    def lose_all(self) -> None:
        self._keys = {}

    async def serve(self, conversation: Conversation) -> None:
        while True:
            asked = await conversation.listen()
            setting_up = isinstance(asked.body, SessionSetupRequest)
            conversation.say(self._agree(asked, asked.body) if setting_up else self._answer(asked))

    def _agree(self, asked: Message, body: SessionSetupRequest) -> Message:
        if not self.agreements_left:
            return refused(asked, ResponseCode.SESSION_FAILED)
        self.agreements_left -= 1
        key, data = answer_key_agreement(body.public_key, answer_version(asked))
        session_id = 100 + self.agreements_left
        self._keys[session_id] = key
        response = SessionSetupResponse(ExchangeMode.DIFFIE_HELLMAN, data)
        return replace(answer_to(asked, ResponseCode.SUCCESS, response, now=time()), session_id=session_id)

    def _answer(self, asked: Message) -> Message:
        key = self._keys.get(asked.session_id)
        if key is None:
            return refused(asked, ResponseCode.SESSION_TIMEOUT)
        assert verify_mac(asked, key)
        assert asked.credential is not None
        return mac_message(found(asked, VALUE), key, asked.credential.signer_index)


async def test_a_session_that_the_server_has_lost_is_replaced_and_everything_asked_again_in_it() -> None:
    sessions = SessionServer(agreements_left=2)
    async with scripted_server(sessions.serve) as (address, conversations), asking(address) as node:
        assert (await node.start_session(encrypts=False)).is_success
        assert (await node.resolve(QUERY)).is_success
        sessions.lose_all()
        replies = await asyncio.gather(*(node.resolve(QUERY) for _ in range(8)))
    assert {(reply.response_code, reply.record.values) for reply in replies} == {(ResponseCode.SUCCESS, (VALUE,))}
    heard = conversations[0].heard
    set_up = [asked for asked in heard if asked.header.op_code == OpCode.SESSION_SETUP]
    in_old, in_new = ([asked for asked in heard if asked.session_id == session_id] for session_id in (101, 100))
    assert (len(set_up), len(in_old), len(in_new)) == (2, 1 + 8, 8)


async def test_where_no_fresh_session_is_to_be_had_that_is_told_and_nothing_is_asked_in_the_clear() -> None:
    sessions = SessionServer(agreements_left=1)
    async with scripted_server(sessions.serve) as (address, conversations), asking(address) as node:
        assert (await node.start_session(encrypts=False)).is_success
        sessions.lose_all()
        replies = [await node.resolve(QUERY), await node.resolve(QUERY)]
    assert [reply.response_code for reply in replies] == [ResponseCode.SESSION_TIMEOUT] * 2
    heard = [(asked.header.op_code, asked.session_id) for asked in conversations[0].heard]
    setting_up, asking_in_session = (OpCode.SESSION_SETUP, 0), (OpCode.RESOLUTION, 100)
    assert heard == [setting_up, *[asking_in_session, setting_up] * 2]


async def test_what_was_asked_in_a_session_that_is_ended_meanwhile_is_not_asked_without_one() -> None:
    sessions = SessionServer(agreements_left=2)
    async with scripted_server(sessions.serve) as (address, conversations), asking(address) as node:
        assert (await node.start_session(encrypts=False)).is_success
        sessions.lose_all()
        ended, asked = await asyncio.gather(node.end_session(), node.resolve(QUERY))
        assert (await node.resolve(QUERY)).response_code == ResponseCode.SESSION_TIMEOUT
    assert [ended.response_code, asked.response_code] == [ResponseCode.SESSION_TIMEOUT] * 2
    assert [each.session_id for each in conversations[0].heard] == [0, 101, 101, 0]
