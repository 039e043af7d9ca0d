"""Row 17: eleven hostile PBKDF2 parameter sets are refused within 2 s, before anything is computed; while sixteen
attackers send the costliest that are allowed, resolution keeps p95 within 250 ms."""

from __future__ import annotations

import asyncio
import time

import pytest

from handle_protocol import octets
from handle_protocol.bodies.challenge import ChallengeAnswer
from handle_protocol.codes import ResponseCode
from tests.reliability.claimant import answer_to_challenge, ask_as, challenge_for, exchange, reading, stream
from tests.reliability.conftest import settle
from tests.reliability.enterprises import Enterprise
from tests.reliability.honest import honest_traffic
from tests.reliability.scale import IS_LONG
from tests.started_node import StartedNode, until

REFUSED_SECONDS_MAX = 2.0
P95_SECONDS_MAX = 0.25
ATTACKERS = 16
ATTACK_SECONDS = 30.0 if IS_LONG else 2.0
ASKED_MIN = 50
CODE = bytes(20)

HOSTILE = {
    "no iterations": (b"s" * 16, 0, 160),
    "one iteration": (b"s" * 16, 1, 160),
    "too few iterations": (b"s" * 16, 999, 160),
    "too many iterations": (b"s" * 16, 100_001, 160),
    "most iterations": (b"s" * 16, 2**32 - 1, 160),
    "no key": (b"s" * 16, 10_000, 0),
    "too short a key": (b"s" * 16, 10_000, 120),
    "too long a key": (b"s" * 16, 10_000, 520),
    "longest key": (b"s" * 16, 10_000, 2**32 - 1),
    "too short a salt": (b"s" * 7, 10_000, 160),
    "too long a salt": (b"s" * 3_000, 10_000, 160),
}


def stretched(salt: bytes, iterations: int, bits: int) -> bytes:
    """Return a proof with these parameters, and a code that is wrong."""
    return b"\x22" + octets.counted(salt) + octets.u32s((iterations, bits)) + octets.counted(CODE)


def test_there_are_eleven_sets() -> None:
    assert len(HOSTILE) == 11


@pytest.mark.parametrize("hostile", HOSTILE)
async def test_hostile_parameters_are_refused_soon(node: StartedNode, enterprise: Enterprise, hostile: str) -> None:
    async with stream(node, "127.0.17.1") as attacker:
        challenge = await challenge_for(attacker, reading(enterprise.handle("水泵"), 6))
        answer = ChallengeAnswer("HS_SECKEY", enterprise.secret.identity, stretched(*HOSTILE[hostile]))
        began_at = time.monotonic()
        refused = await exchange(attacker, answer_to_challenge(challenge, answer))
        assert time.monotonic() - began_at < REFUSED_SECONDS_MAX
    assert refused.response_code == ResponseCode.INVALID_CREDENTIAL


async def test_sixteen_attackers_hold_up_neither_resolution_nor_an_owner(node: StartedNode) -> None:
    costly = await settle(node, Enterprise.of("88.118.17"))
    is_over = asyncio.Event()
    outcomes: set[int] = set()

    async def attack(number: int) -> None:
        proof = stretched(b"s" * 64, 100_000, 512)
        async with stream(node, f"127.17.{number}.1") as attacker:  # Who fails often from one network is not verified.
            while not is_over.is_set():
                challenge = await challenge_for(attacker, reading(costly.handle("水泵"), 6))
                answer = ChallengeAnswer("HS_SECKEY", costly.secret.identity, proof)
                refused = await exchange(attacker, answer_to_challenge(challenge, answer), 60)
                outcomes.add(refused.response_code)

    async with asyncio.TaskGroup() as tasks, honest_traffic(node, "udp", "tcp") as honest:
        for number in range(ATTACKERS):
            tasks.create_task(attack(number))
        await asyncio.sleep(ATTACK_SECONDS)
        await until(lambda: honest.asked >= ASKED_MIN, 60)
        is_over.set()
    assert ResponseCode.SUCCESS not in outcomes
    assert honest.share == 1.0, honest
    assert honest.percentile(0.95) <= P95_SECONDS_MAX, honest
    async with stream(node, "127.17.200.1") as owner:
        assert (await ask_as(owner, reading(costly.handle("水泵"), 6), costly.secret)).response_code == 1
