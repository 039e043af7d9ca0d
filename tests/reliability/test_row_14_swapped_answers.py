"""Row 14: answers to another challenge, with a stale nonce or in a foreign session are refused; what is executed is the
request that was challenged, octet for octet, whatever was asked meanwhile."""

from __future__ import annotations

from dataclasses import replace

import pytest

from handle_protocol.bodies.digest import digest_of
from handle_protocol.codes import ResponseCode
from handle_protocol.message import encode_header_and_body, encode_message
from registry.database import Database
from registry.records import RecordReader
from tests.builders import text_value
from tests.reliability.claimant import (
    addition,
    answer_to_challenge,
    ask_as,
    challenge_for,
    creation,
    deletion,
    exchange,
    stream,
    streams,
)
from tests.reliability.enterprises import Enterprise
from tests.reliability.session_client import open_session
from tests.started_node import StartedNode

SOURCE = "127.0.15.1"
NOT_THERE = {ResponseCode.AUTHENTICATION_TIMEOUT, ResponseCode.SESSION_TIMEOUT}
"""No such challenge; or, where the id is that of a session, no such session."""


@pytest.fixture
def wanted(enterprise: Enterprise, request: pytest.FixtureRequest):
    return enterprise.handle(f"调换-{request.node.name}")


async def values_of(register: Database, handle) -> set[str]:
    """Return the types of a record's values; none when there is no record."""
    found = await RecordReader(register).fetch([handle.key()])
    return {value.value_type for record in found.values() for value in record.values}


async def test_the_proof_of_one_challenge_does_not_answer_another(
    node: StartedNode, register: Database, enterprise: Enterprise, wanted
) -> None:
    async with streams(node, 2, SOURCE) as (mine, other):
        one = await challenge_for(mine, creation(wanted, *enterprise.product_values("一")))
        another = await challenge_for(other, deletion(enterprise.handle("水泵")))
        swapped = answer_to_challenge(another, enterprise.secret.answer(one))
        assert (await exchange(other, swapped)).response_code == ResponseCode.AUTHENTICATION_FAILED
        right = answer_to_challenge(one, enterprise.secret.answer(one))
        assert (await exchange(mine, right)).response_code == ResponseCode.SUCCESS
    assert await values_of(register, enterprise.handle("水泵"))
    assert await values_of(register, wanted)


async def test_a_nonce_of_an_earlier_challenge_to_the_same_request_is_stale(
    node: StartedNode, register: Database, enterprise: Enterprise, wanted
) -> None:
    asked = creation(wanted, *enterprise.product_values("旧")).message()
    async with stream(node, SOURCE) as mine:
        first = await exchange(mine, asked)
        second = await exchange(mine, asked)
        assert first.body.nonce != second.body.nonce
        stale = answer_to_challenge(second, enterprise.secret.answer(first))
        assert (await exchange(mine, stale)).response_code == ResponseCode.AUTHENTICATION_FAILED
        again = answer_to_challenge(second, enterprise.secret.answer(second))
        assert (await exchange(mine, again)).response_code == ResponseCode.AUTHENTICATION_TIMEOUT
    assert await values_of(register, wanted) == set()


@pytest.mark.parametrize("step", [-4, -2, -1, 1, 2, 4])
async def test_an_answer_under_the_session_id_of_nobody_is_refused(
    node: StartedNode, enterprise: Enterprise, wanted, step: int
) -> None:
    async with stream(node, SOURCE) as mine:
        challenge = await challenge_for(mine, creation(wanted, *enterprise.product_values("号")))
        answer = answer_to_challenge(challenge, enterprise.secret.answer(challenge))
        foreign = replace(answer, session_id=challenge.session_id + step)
        assert (await exchange(mine, foreign)).response_code in NOT_THERE


async def test_a_challenge_in_a_session_is_not_answered_in_another_nor_outside(
    node: StartedNode, register: Database, enterprise: Enterprise, wanted
) -> None:
    async with streams(node, 2, SOURCE) as (mine, other):
        session, foreign = await open_session(mine), await open_session(other)
        asked = session.message(creation(wanted, *enterprise.product_values("会")))
        challenge = await exchange(mine, asked)
        assert challenge.response_code == ResponseCode.AUTHENTICATION_NEEDED
        answer = replace(
            answer_to_challenge(challenge, enterprise.secret.answer(challenge)), request_id=asked.request_id
        )
        assert (await exchange(other, foreign.sealed(answer))).response_code == ResponseCode.AUTHENTICATION_TIMEOUT
        for session_id in (0, foreign.id):
            stray = replace(answer, session_id=session_id)
            assert (await exchange(other, stray)).response_code == ResponseCode.AUTHENTICATION_TIMEOUT
        assert await values_of(register, wanted) == set()
        assert (await exchange(mine, session.sealed(answer))).response_code == ResponseCode.SUCCESS


async def test_what_is_executed_is_the_request_that_was_challenged(
    node: StartedNode, register: Database, enterprise: Enterprise, wanted
) -> None:
    """Between challenge and answer another request comes under the same id and session; it is not what was proved."""
    asked = creation(wanted, *enterprise.product_values("正")).message()
    slipped_in = replace(asked, body=replace(asked.body, handle=enterprise.handle("夹带")))
    async with stream(node, SOURCE) as mine:
        challenge = await exchange(mine, asked)
        assert challenge.body.request_digest == digest_of(
            encode_header_and_body(asked), challenge.body.request_digest.algorithm
        )
        await mine.send(encode_message(slipped_in))
        await mine.receive()
        answer = answer_to_challenge(challenge, enterprise.secret.answer(challenge))
        done = await exchange(mine, answer)
        assert (done.response_code, done.body.handle) == (ResponseCode.SUCCESS, wanted)
    assert await values_of(register, wanted) == {"URL", "出厂价", "HS_ADMIN"}
    assert await values_of(register, enterprise.handle("夹带")) == set()


async def test_an_altered_request_has_another_digest_and_needs_a_proof_of_its_own(
    node: StartedNode, register: Database, enterprise: Enterprise, wanted
) -> None:
    async with stream(node, SOURCE) as mine:
        await ask_as(mine, creation(wanted, *enterprise.product_values("改")), enterprise.secret)
        proved = await challenge_for(mine, addition(wanted, text_value(7, "备注", "原样")))
        altered = await challenge_for(mine, addition(wanted, text_value(7, "备注", "篡改")))
        assert proved.body.request_digest != altered.body.request_digest
        answer = answer_to_challenge(altered, enterprise.secret.answer(proved))
        assert (await exchange(mine, answer)).response_code == ResponseCode.AUTHENTICATION_FAILED
    assert "备注" not in await values_of(register, wanted)
