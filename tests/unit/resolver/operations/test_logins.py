"""Logging in on a connection, and the order in which what is asked on one is done."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from handle_protocol.bodies.administration import HandleRequest, ValuesRequest
from handle_protocol.bodies.login import KeyLoginRequest
from handle_protocol.bodies.resolution import ResolutionRequest, ResolutionResponse
from handle_protocol.codes import OpCode, ResponseCode
from handle_protocol.handle import Handle
from handle_protocol.record import encode_value_list
from resolver.operations.peers import Peer
from tests.builders import text_value
from tests.fakes.served_world import ADDRESS, ADMINISTRATOR, SECRET, ServedWorker, asking, proving
from tests.unit.resolver.administration.administered_world import admin_value

LOGIN = KeyLoginRequest(ADMINISTRATOR)


def creation(name: str, text: str = "https://example.cn/") -> ValuesRequest:
    return ValuesRequest(Handle(f"88.300.15907/{name}"), encode_value_list((text_value(1, "URL", text),)))


async def log_in(worker: ServedWorker, peer: Peer, session_id: int = 0) -> None:
    challenge = await worker.ask(asking(LOGIN, OpCode.KEY_LOGIN, session_id=session_id), peer)
    assert (challenge.response_code, challenge.session_id) == (ResponseCode.AUTHENTICATION_NEEDED, session_id)
    answer = await worker.ask(proving(challenge), peer)
    assert (answer.header.op_code, answer.response_code) == (OpCode.KEY_LOGIN, ResponseCode.SUCCESS)


@pytest.mark.parametrize("session_id", [0, 10_001])
async def test_who_has_logged_in_is_known_on_that_connection_alone(worker, session_id) -> None:
    peer, other = worker.service.new_peer(ADDRESS), worker.service.new_peer(ADDRESS)
    await log_in(worker, peer, session_id)
    created = asking(creation("登录"), OpCode.CREATE_HANDLE, session_id=session_id)
    assert (await worker.ask(created, peer)).response_code == ResponseCode.SUCCESS
    code = ResponseCode.LOG_IN_FIRST if session_id else ResponseCode.AUTHENTICATION_NEEDED
    again = asking(HandleRequest(Handle("88.300.15907/登录")), OpCode.DELETE_HANDLE, session_id=session_id)
    assert (await worker.ask(again, other)).response_code == code


async def test_one_logs_in_once_and_over_a_connection(worker) -> None:
    peer = worker.service.new_peer(ADDRESS)
    await log_in(worker, peer)
    assert (await worker.ask(asking(LOGIN, OpCode.KEY_LOGIN), peer)).response_code == ResponseCode.ALREADY_LOGGED_IN
    over_udp = await worker.ask(asking(LOGIN, OpCode.KEY_LOGIN), Peer(ADDRESS))
    assert over_udp.response_code == ResponseCode.OPERATION_NOT_SUPPORTED


async def test_a_login_ends_with_the_key_it_was_proved_with(worker, world) -> None:
    peer = worker.service.new_peer(ADDRESS)
    await log_in(worker, peer)
    values = [value for value in world.values(ADMINISTRATOR.handle) if value.index != ADMINISTRATOR.index]
    world.register.put(ADMINISTRATOR.handle, *values)
    refused = await worker.ask(asking(creation("晚了"), OpCode.CREATE_HANDLE), peer)
    assert refused.response_code == ResponseCode.AUTHENTICATION_ERROR


async def test_a_wrong_proof_logs_nobody_in(worker) -> None:
    peer = worker.service.new_peer(ADDRESS)
    challenge = await worker.ask(asking(LOGIN, OpCode.KEY_LOGIN), peer)
    refused = await worker.ask(proving(challenge, secret=b"wrong"), peer)
    assert (refused.header.op_code, refused.response_code) == (OpCode.KEY_LOGIN, ResponseCode.AUTHENTICATION_FAILED)
    created = await worker.ask(asking(creation("无人"), OpCode.CREATE_HANDLE), peer)
    assert created.response_code == ResponseCode.AUTHENTICATION_NEEDED


@pytest.mark.parametrize(("accepts_legacy", "code"), [(False, 406), (True, 1)])
async def test_a_password_is_taken_in_clear_text_only_where_that_is_set(world, tmp_path, accepts_legacy, code) -> None:
    worker = ServedWorker(world, tmp_path, accepts_legacy=accepts_legacy)
    peer = worker.service.new_peer(ADDRESS)
    body = ResolutionRequest(Handle(str(ADMINISTRATOR)), types=(SECRET.decode(),))
    answer = await worker.ask(asking(body, OpCode.PASSWORD_LOGIN), peer)
    assert (answer.header.op_code, answer.response_code) == (OpCode.PASSWORD_LOGIN, code)
    created = await worker.ask(asking(creation("口令"), OpCode.CREATE_HANDLE), peer)
    assert created.response_code == (ResponseCode.SUCCESS if accepts_legacy else ResponseCode.AUTHENTICATION_NEEDED)
    await worker.close()


async def test_requests_on_a_connection_are_done_in_their_order(worker) -> None:
    """A whole life, asked in one breath: each step finds what the one before it left."""
    peer = worker.service.new_peer(ADDRESS)
    await log_in(worker, peer)
    name = Handle("88.300.15907/一生")
    born = (text_value(1, "URL", "https://example.cn/1"), admin_value(ADMINISTRATOR))
    changed = (text_value(1, "URL", "https://example.cn/2"),)
    steps = [
        asking(ValuesRequest(name, encode_value_list(born)), OpCode.CREATE_HANDLE),
        asking(ResolutionRequest(name), OpCode.RESOLUTION),
        asking(ValuesRequest(name, encode_value_list(changed)), OpCode.MODIFY_VALUE),
        asking(ResolutionRequest(name), OpCode.RESOLUTION),
        asking(HandleRequest(name), OpCode.DELETE_HANDLE),
        asking(ResolutionRequest(name), OpCode.RESOLUTION),
    ]
    answers = [answer for (answer,) in await asyncio.gather(*(worker.begin(step, peer) for step in steps))]
    assert [answer.response_code for answer in answers] == [1, 1, 1, 1, 1, 100]
    read = [answer.body.values[0].data for answer in answers if isinstance(answer.body, ResolutionResponse)]
    assert read == [b"https://example.cn/1", b"https://example.cn/2"]


async def test_what_a_prefix_record_says_holds_for_what_is_asked_after_it(worker) -> None:
    """The administrators of a derived prefix, and a record below it, in one breath."""
    peer = worker.service.new_peer(ADDRESS)
    await log_in(worker, peer)
    below = ValuesRequest(Handle("0.NA/88.300.15907.1"), encode_value_list((admin_value(ADMINISTRATOR),)))
    steps = [asking(below, OpCode.CREATE_HANDLE)] + [
        asking(ValuesRequest(Handle(f"88.300.15907.1/{name}"), encode_value_list(())), OpCode.CREATE_HANDLE)
        for name in "甲乙"
    ]
    answers = [answer for (answer,) in await asyncio.gather(*(worker.begin(step, peer) for step in steps))]
    assert [answer.response_code for answer in answers] == [1, 1, 1]


async def test_changes_of_different_records_share_a_transaction(worker, world) -> None:
    peer = worker.service.new_peer(ADDRESS)
    await log_in(worker, peer)
    creations = [asking(creation(f"批-{number}"), OpCode.CREATE_HANDLE) for number in range(40)]
    answers = await asyncio.gather(*(worker.begin(each, peer) for each in creations))
    assert {answer.response_code for (answer,) in answers} == {ResponseCode.SUCCESS}
    assert len(world.register.transactions) < 10
    assert peer.is_idle


async def test_the_sdks_question_that_keeps_a_connection_alive_is_answered(worker) -> None:
    peer = worker.service.new_peer(ADDRESS)
    question = replace(asking(ResolutionRequest(Handle("0")), OpCode.RESOLUTION), session_id=10_002)
    assert (await worker.ask(question, peer)).session_id == 10_002
