"""Row 18: of 300 challenges no id and no nonce comes twice, ids show no steps, and the bits of nonces are balanced."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from handle_protocol.bodies.administration import HandleRequest
from handle_protocol.codes import OpCode, ResponseCode
from tests.reliability.claimant import Wish, challenge_for, exchange, reading, streams
from tests.reliability.enterprises import Enterprise
from tests.reliability.fleet import CLIENTS
from tests.reliability.session_client import open_session
from tests.started_node import StartedNode

SAMPLES = 300
SAME_STEP_MAX = 3
"""Two of 300 random steps are the same once in ten thousand runs."""

SESSION_SAMPLES = 24
BALANCE = range(SAMPLES // 2 - 60, SAMPLES // 2 + 60)
"""Seven standard deviations: a bit of a true nonce is out of it once in 10¹¹ times."""


async def test_challenges_cannot_be_guessed_from_one_another(node: StartedNode, enterprise: Enterprise) -> None:
    wish = reading(enterprise.handle("水泵"), 6)
    async with streams(node, CLIENTS, "127.0.18.1") as asking:
        challenges = [await challenge_for(asking[number % CLIENTS], wish) for number in range(SAMPLES)]
    ids = [challenge.session_id for challenge in challenges]
    nonces = [challenge.body.nonce for challenge in challenges]
    assert len(set(ids)) == len(set(nonces)) == SAMPLES
    assert all(0 < session_id < 2**31 for session_id in ids)
    for worker in range(2):
        own = [session_id for session_id in ids if session_id % 2 == worker]
        assert own, "every worker was asked"
        steps = Counter(later - earlier for earlier, later in pairwise(own))
        assert max(steps.values()) < SAME_STEP_MAX, steps.most_common(3)
        assert not all(later > earlier for earlier, later in pairwise(own))
    assert {len(nonce) for nonce in nonces} == {16}
    ones = [sum(int.from_bytes(nonce, "big") >> bit & 1 for nonce in nonces) for bit in range(128)]
    assert all(count in BALANCE for count in ones), ones


async def test_an_id_alone_is_worth_nothing(node: StartedNode, enterprise: Enterprise) -> None:
    end = Wish(OpCode.SESSION_TERMINATE, HandleRequest(enterprise.handle("水泵")))
    async with streams(node, SESSION_SAMPLES, "127.0.18.1") as mine, streams(node, 2, "127.0.19.1") as thieves:
        sessions = [await open_session(each) for each in mine]
        assert len({session.id for session in sessions}) == SESSION_SAMPLES
        for session in sessions[:8]:
            await session.ask_as(mine[0], reading(enterprise.handle("水泵"), 6), enterprise.secret)
            for thief in thieves:
                stolen = await exchange(thief, session.message(end))
                assert stolen.response_code == ResponseCode.SESSION_TIMEOUT
