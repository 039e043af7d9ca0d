"""Row 13: of eight copies of one answer to a challenge, racing over connections and addresses, one is executed."""

from __future__ import annotations

import asyncio
from collections import Counter

from handle_protocol.codes import ResponseCode
from handle_protocol.flags import OpFlag
from handle_protocol.message import OP_FLAGS_USUAL, Message, encode_message
from handle_protocol.transmission import split
from registry.database import Database
from registry.handle_list import HandleList
from tests.reliability.claimant import (
    Wish,
    answer_to_challenge,
    challenge_for,
    creation,
    exchange,
    exchange_datagrams,
    stream,
    streams,
)
from tests.reliability.enterprises import Enterprise
from tests.reliability.octets_client import datagrams
from tests.reliability.scale import IS_LONG
from tests.started_node import StartedNode

ROUNDS = 200 if IS_LONG else 20
AT_HOME, ABROAD = "127.0.13.1", "127.0.14.1"
COPIES_AT_HOME, COPIES_ABROAD = 6, 2


def minting(enterprise: Enterprise, beginning: str) -> Wish:
    """Return a wish that makes another record each time it is done."""
    handle = enterprise.handle(beginning)
    return creation(handle, *enterprise.product("重放").values, op_flags=OP_FLAGS_USUAL | OpFlag.MINT_SUFFIX)


async def count_minted(register: Database, enterprise: Enterprise, beginning: str) -> int:
    """Return how many records such a wish has made."""
    listed = await HandleList(register).list_handles(enterprise.prefix, b"", 10_000)
    return sum(handle.suffix.startswith(beginning) for _, handle in listed)


async def test_of_racing_copies_one_is_executed(node: StartedNode, register: Database, enterprise: Enterprise) -> None:
    codes: Counter[int] = Counter()
    async with streams(node, COPIES_AT_HOME, AT_HOME) as near, streams(node, COPIES_ABROAD, ABROAD) as far:
        for _ in range(ROUNDS):
            challenge = await challenge_for(near[0], minting(enterprise, "赛跑-"))
            copy = answer_to_challenge(challenge, enterprise.secret.answer(challenge))
            answers = await asyncio.gather(*(exchange(each, copy) for each in (*far, *near)))
            codes.update(answer.response_code for answer in answers)
            assert await codes_of_later_copies(node, copy) == {ResponseCode.AUTHENTICATION_TIMEOUT}
    others = COPIES_AT_HOME + COPIES_ABROAD - 1
    assert codes == {ResponseCode.SUCCESS: ROUNDS, ResponseCode.AUTHENTICATION_TIMEOUT: ROUNDS * others}
    assert await count_minted(register, enterprise, "赛跑-") == ROUNDS


async def codes_of_later_copies(node: StartedNode, copy: Message) -> set[int]:
    """Replay an answer on new connections, from the same address and another."""
    codes = set()
    for source in (AT_HOME, ABROAD):
        async with stream(node, source) as later:
            codes.add((await exchange(later, copy)).response_code)
    return codes


async def test_a_copy_from_elsewhere_neither_executes_nor_uses_up_the_challenge(
    node: StartedNode, register: Database, enterprise: Enterprise
) -> None:
    async with streams(node, 4, AT_HOME) as near, streams(node, 4, ABROAD) as far:
        for mine, thief in zip(near, far, strict=True):
            challenge = await challenge_for(mine, minting(enterprise, "偷来-"))
            copy = answer_to_challenge(challenge, enterprise.secret.answer(challenge))
            stolen = await exchange(thief, copy)
            assert stolen.response_code == ResponseCode.AUTHENTICATION_TIMEOUT
            assert (await exchange(mine, copy)).response_code == ResponseCode.SUCCESS
    assert await count_minted(register, enterprise, "偷来-") == len(near)


async def test_datagrams_that_are_sent_again_are_answered_like_the_first_and_executed_once(
    node: StartedNode, register: Database, enterprise: Enterprise
) -> None:
    with datagrams(node.address, AT_HOME) as client:
        challenge = await exchange_datagrams(client, minting(enterprise, "重发-").message())
        copy = answer_to_challenge(challenge, enterprise.secret.answer(challenge))
        first = await exchange_datagrams(client, copy)
        again = await exchange_datagrams(client, copy)
        for datagram in split(encode_message(copy)) * 3:
            client.send(datagram)
        await client.collect(0.5)
    assert first.response_code == ResponseCode.SUCCESS
    assert again == first
    assert await count_minted(register, enterprise, "重发-") == 1
