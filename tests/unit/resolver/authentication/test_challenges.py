"""Challenges are answered once, in time, from where they were issued to, and are bounded."""

from __future__ import annotations

import asyncio

import pytest

from handle_protocol.bodies.digest import DigestAlgorithm, digest_of
from resolver.authentication.challenges import ChallengeLimits, Pending, PendingChallenges
from resolver.authentication.session_ids import SessionIds

REQUEST = "改:88.118.8/阀".encode()
DIGEST = digest_of(REQUEST, DigestAlgorithm.SHA256)
ADDRESS = "192.0.2.7"
SAMPLES = 300


@pytest.fixture
def challenges() -> PendingChallenges:
    return PendingChallenges(SessionIds(1, 2))


def test_a_challenge_is_what_was_asked_with_a_nonce() -> None:
    challenges = PendingChallenges(SessionIds(1, 2, draw=lambda _: 3), draw_octets=lambda count: b"n" * count)
    pending = challenges.issue(REQUEST, DIGEST, ADDRESS, 100.0)
    assert pending == Pending(13, b"n" * 16, DIGEST, REQUEST, ADDRESS, 120.0)
    assert (13 in challenges, len(challenges), challenges.octets) == (True, 1, len(REQUEST))
    assert challenges.take(13, ADDRESS, 101.0) == pending


def test_a_challenge_is_taken_once(challenges) -> None:
    pending = challenges.issue(REQUEST, DIGEST, ADDRESS, 0.0)
    assert challenges.take(pending.session_id, ADDRESS, 1.0) == pending
    assert challenges.take(pending.session_id, ADDRESS, 1.0) is None
    assert (len(challenges), challenges.octets) == (0, 0)


async def test_of_a_thousand_that_race_one_takes_it(challenges) -> None:
    pending = challenges.issue(REQUEST, DIGEST, ADDRESS, 0.0)

    async def take() -> Pending | None:
        await asyncio.sleep(0)
        return challenges.take(pending.session_id, ADDRESS, 1.0)

    taken = await asyncio.gather(*(take() for _ in range(1_000)))
    assert [each for each in taken if each is not None] == [pending]


def test_another_address_neither_takes_nor_spoils_it(challenges) -> None:
    pending = challenges.issue(REQUEST, DIGEST, ADDRESS, 0.0)
    assert challenges.take(pending.session_id, "192.0.2.8", 1.0) is None
    assert challenges.take(pending.session_id, ADDRESS, 1.0) == pending


@pytest.mark.parametrize(("seconds", "is_there"), [(19.9, True), (20.0, False), (1e9, False)])
def test_a_challenge_expires(seconds: float, is_there, challenges) -> None:
    pending = challenges.issue(REQUEST, DIGEST, ADDRESS, 0.0)
    assert (challenges.take(pending.session_id, ADDRESS, seconds) is not None) == is_there


def test_an_expired_challenge_is_not_revived_by_a_clock_that_goes_back(challenges) -> None:
    pending = challenges.issue(REQUEST, DIGEST, ADDRESS, 1_000.0)
    assert challenges.take(pending.session_id, "203.0.113.1", 1_020.0) is None
    assert challenges.take(pending.session_id, ADDRESS, 1_001.0) is None


def test_expired_challenges_take_no_room(challenges) -> None:
    for _ in range(50):
        challenges.issue(REQUEST, DIGEST, ADDRESS, 0.0)
    challenges.issue(REQUEST, DIGEST, ADDRESS, 20.0)
    assert (len(challenges), challenges.octets) == (1, len(REQUEST))


def test_a_challenge_within_a_session_is_named_by_the_session_and_the_request(challenges) -> None:
    first = challenges.issue(REQUEST, DIGEST, ADDRESS, 0.0, within=(77, 5))
    second = challenges.issue(REQUEST, DIGEST, ADDRESS, 0.0, within=(77, 6))
    assert (first.session_id, second.session_id) == (77, 77)
    assert [challenges.take(77, ADDRESS, 1.0, request) for request in (0, 6, 5, 5)] == [None, second, first, None]


def test_a_repeated_request_within_a_session_gets_a_new_challenge(challenges) -> None:
    challenges.issue(REQUEST, DIGEST, ADDRESS, 0.0, within=(77, 5))
    second = challenges.issue(REQUEST, DIGEST, ADDRESS, 0.0, within=(77, 5))
    assert (challenges.take(77, ADDRESS, 1.0, 5), len(challenges)) == (second, 0)


def test_a_flood_of_challenges_is_bounded_and_the_patient_client_gets_through(challenges) -> None:
    patient = challenges.issue(REQUEST, DIGEST, ADDRESS, 0.0)
    large = bytes(800)
    for number in range(30_000):
        challenges.issue(large, DIGEST, f"198.51.100.{number % 250}", 1.0)
    assert (len(challenges), challenges.octets) == (10_000, 9_999 * 800 + len(REQUEST))
    assert challenges.take(patient.session_id, ADDRESS, 15.0) == patient


def test_the_octets_of_kept_requests_are_bounded() -> None:
    challenges = PendingChallenges(SessionIds(), ChallengeLimits(octets_max=10 * 2**20))
    patient = challenges.issue(REQUEST, DIGEST, ADDRESS, 0.0)
    longest = bytes(262_164)
    for _ in range(200):
        challenges.issue(longest, DIGEST, "198.51.100.1", 1.0)
    assert 9 * 2**20 < challenges.octets <= 10 * 2**20
    assert challenges.take(patient.session_id, ADDRESS, 2.0) == patient


def test_nonces_do_not_repeat_and_their_bits_are_balanced(challenges) -> None:
    issued = [challenges.issue(REQUEST, DIGEST, ADDRESS, 0.0) for _ in range(SAMPLES)]
    assert len({each.nonce for each in issued} | {each.session_id for each in issued}) == 2 * SAMPLES
    for half in (slice(8), slice(8, 16)):
        ones = sum(int.from_bytes(each.nonce[half], "big").bit_count() for each in issued)
        assert abs(ones - SAMPLES * 32) < 6 * (SAMPLES * 16) ** 0.5  # Six standard deviations.


def test_what_is_kept_is_not_shown(challenges) -> None:
    assert "阀" not in repr(challenges.issue(REQUEST, DIGEST, ADDRESS, 0.0))
    assert repr(REQUEST) not in repr(challenges.issue(REQUEST, DIGEST, ADDRESS, 0.0))
