"""Operations that need an identity: challenged, answered, done once; whichever worker is asked."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from handle_protocol.bodies.administration import HandleRequest, HandleResponse, RemoveRequest, ValuesRequest
from handle_protocol.bodies.challenge import Challenge
from handle_protocol.bodies.digest import DigestAlgorithm, digest_of
from handle_protocol.bodies.error import ErrorBody
from handle_protocol.bodies.listing import HandleListResponse
from handle_protocol.bodies.resolution import ResolutionRequest, ResolutionResponse
from handle_protocol.codes import OpCode, ResponseCode
from handle_protocol.flags import OpFlag
from handle_protocol.handle import Handle
from handle_protocol.message import encode_header_and_body
from handle_protocol.record import encode_value_list
from handle_protocol.value import ValueReference
from resolver.operations.other_workers import CHALLENGE
from resolver.operations.peers import Peer
from tests.builders import text_value
from tests.fakes.served_world import ADDRESS, asking, proving

NEW = Handle("88.300.15907/新品-1")
VALUES = encode_value_list((text_value(1, "URL", "https://example.cn/新品"),))
CREATE = ValuesRequest(NEW, VALUES)


async def test_a_challenge_names_the_request_and_its_answer_does_the_request(worker, world) -> None:
    asked = asking(CREATE, OpCode.CREATE_HANDLE)
    challenge = await worker.ask(asked)
    assert (challenge.response_code, challenge.request_id) == (ResponseCode.AUTHENTICATION_NEEDED, asked.request_id)
    assert isinstance(challenge.body, Challenge)
    assert challenge.body.request_digest == digest_of(encode_header_and_body(asked), DigestAlgorithm.SHA256)
    answer = proving(challenge)
    done = await worker.ask(answer)
    assert (done.header.op_code, done.response_code) == (OpCode.CREATE_HANDLE, ResponseCode.SUCCESS)
    assert isinstance(done.body, HandleResponse)
    assert (done.request_id, done.body.handle) == (answer.request_id, NEW)
    assert [value.data.decode() for value in world.values(NEW.spelling)] == ["https://example.cn/新品"]


async def test_a_returned_digest_is_that_of_the_message_that_brought_the_proof(worker) -> None:
    asked = asking(CREATE, OpCode.CREATE_HANDLE, op_flags=int(OpFlag.RETURN_REQUEST_DIGEST))
    answer = proving(await worker.ask(asked))
    done = await worker.ask(answer)
    assert done.body == HandleResponse(NEW, digest_of(encode_header_and_body(answer), DigestAlgorithm.SHA256))


async def test_another_worker_takes_the_answer_as_well_and_once(workers, world) -> None:
    challenge = await workers[0].ask(asking(CREATE, OpCode.CREATE_HANDLE))
    answers = await asyncio.gather(*(worker.ask(proving(challenge)) for worker in workers * 4))
    codes = sorted(answer.response_code for answer in answers)
    assert codes == [ResponseCode.SUCCESS] + [ResponseCode.AUTHENTICATION_TIMEOUT] * 7
    assert len(world.register.transactions) == 1


async def test_from_another_address_a_challenge_is_neither_answered_nor_used_up(workers) -> None:
    challenge = await workers[0].ask(asking(CREATE, OpCode.CREATE_HANDLE))
    for worker in workers:
        refused = await worker.ask(proving(challenge), Peer("198.51.100.9"))
        assert refused.response_code == ResponseCode.AUTHENTICATION_TIMEOUT
    assert (await workers[1].ask(proving(challenge))).response_code == ResponseCode.SUCCESS


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"secret": b"wrong"}, ResponseCode.AUTHENTICATION_FAILED),
        ({"identity": ValueReference(301, "0.NA/88.300")}, ResponseCode.INVALID_ADMIN),
        ({"identity": ValueReference(999, "0.NA/88.300.15907")}, ResponseCode.INVALID_ADMIN),
    ],
)
async def test_a_wrong_answer_is_refused_and_uses_the_challenge_up(worker, world, fields, code) -> None:
    challenge = await worker.ask(asking(CREATE, OpCode.CREATE_HANDLE))
    assert (await worker.ask(proving(challenge, **fields))).response_code == code
    assert (await worker.ask(proving(challenge))).response_code == ResponseCode.AUTHENTICATION_TIMEOUT
    assert world.values(NEW.spelling) is None


async def test_what_not_everybody_may_read_is_read_after_a_challenge(worker) -> None:
    question = asking(ResolutionRequest(Handle("88.300.15907/水泵")), OpCode.RESOLUTION, op_flags=0)
    challenge = await worker.ask(question)
    assert challenge.response_code == ResponseCode.AUTHENTICATION_NEEDED
    answer = await worker.ask(proving(challenge))
    assert (answer.header.op_code, answer.response_code) == (OpCode.RESOLUTION, ResponseCode.SUCCESS)
    assert isinstance(answer.body, ResolutionResponse)
    assert [value.index for value in answer.body.values] == [1, 6, 100]
    public = await worker.ask(asking(ResolutionRequest(Handle("88.300.15907/水泵")), OpCode.RESOLUTION))
    assert [value.index for value in public.body.values] == [1, 100]


async def test_a_long_list_comes_in_messages_of_fifty_of_which_all_but_the_last_say_so(worker, world) -> None:
    for number in range(1_120):
        world.register.put(f"88.300.15907/批次-{number:04}", text_value(1, "URL", "https://example.cn/"))
    asked = asking(HandleRequest(Handle("0.NA/88.300.15907")), OpCode.LIST_HANDLES)
    messages = await worker.begin(proving(await worker.ask(asked)), Peer(ADDRESS))
    assert [len(message.body.handles) for message in messages] == [50] * 22 + [21]
    assert [message.has_flag(OpFlag.CONTINUOUS) for message in messages] == [True] * 22 + [False]
    assert all(isinstance(message.body, HandleListResponse) for message in messages)
    assert len({handle for message in messages for handle in message.body.handles}) == 1_121


async def test_what_can_be_no_prefix_is_called_invalid(worker) -> None:
    answer = await worker.ask(asking(HandleRequest(NEW), OpCode.LIST_HANDLES))
    assert answer.response_code == ResponseCode.INVALID_HANDLE


async def test_a_client_that_chose_its_own_session_id_is_told_to_log_in(worker) -> None:
    """The Teleinfo SDK takes a challenge to a change for a success."""
    answer = await worker.ask(asking(CREATE, OpCode.CREATE_HANDLE, session_id=10_001))
    assert (answer.response_code, answer.session_id) == (ResponseCode.LOG_IN_FIRST, 10_001)


async def test_an_answer_to_no_challenge_is_refused(worker) -> None:
    challenge = await worker.ask(asking(CREATE, OpCode.CREATE_HANDLE))
    stray = replace(proving(challenge), session_id=challenge.session_id ^ 8)
    refused = await worker.ask(stray)
    assert (refused.header.op_code, refused.response_code) == (
        OpCode.CHALLENGE_ANSWER,
        ResponseCode.AUTHENTICATION_TIMEOUT,
    )
    assert isinstance(refused.body, ErrorBody)


async def test_what_nobody_thought_of_is_answered_with_a_general_error(worker, world) -> None:
    world.register.outage = KeyError("a bug")
    answer = await worker.ask(asking(RemoveRequest(NEW, (1,)), OpCode.REMOVE_VALUE))
    assert answer.response_code == ResponseCode.ERROR
    assert worker.service.in_flight == 0


async def test_a_challenge_goes_with_its_worker(workers, world) -> None:
    challenge = await workers[0].ask(asking(CREATE, OpCode.CREATE_HANDLE))
    await workers[0].others.close()
    assert (await workers[1].ask(proving(challenge))).response_code == ResponseCode.AUTHENTICATION_TIMEOUT
    assert world.values(NEW.spelling) is None


async def test_a_challenge_whose_worker_cannot_say_is_not_called_missing(workers, world) -> None:
    async def fail(_: str, __: bytes) -> bytes:
        raise ConnectionError("busy")

    challenge = await workers[0].ask(asking(CREATE, OpCode.CREATE_HANDLE))
    workers[0].others.take_up(CHALLENGE, fail)
    assert (await workers[1].ask(proving(challenge))).response_code == ResponseCode.SERVER_TOO_BUSY
    assert world.values(NEW.spelling) is None
