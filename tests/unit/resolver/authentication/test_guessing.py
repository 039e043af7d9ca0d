"""Who sends too many wrong proofs is refused for a while, and nobody else."""

from __future__ import annotations

import tracemalloc

import pytest
from structlog.testing import capture_logs

from handle_protocol.value import ValueReference
from resolver.authentication.guessing import Guess, Guessing

OWNER = ValueReference(300, "0.NA/88.118.8")
ATTACKER = "198.51.100.66"


@pytest.fixture
def guessing() -> Guessing:
    return Guessing(10, secret=b"secret")


def fail(guessing: Guessing, times: int, guess: Guess, now: float = 0.0) -> None:
    for _ in range(times):
        guessing.fail(guess, now)


@pytest.mark.parametrize(("failures", "is_refused"), [(0, False), (9, False), (10, True), (11, True)])
def test_the_tenth_failure_of_a_minute_is_the_last(failures: int, is_refused, guessing) -> None:
    guess = Guess.at(OWNER, ATTACKER)
    fail(guessing, failures, guess)
    assert guessing.is_refused(guess, 1.0) == is_refused


@pytest.mark.parametrize(
    ("identity", "address", "is_refused"),
    [
        (OWNER, ATTACKER, True),
        (OWNER, "198.51.100.1", True),
        (ValueReference(300, "88.118.8"), ATTACKER, True),
        (ValueReference(300, "0.na/88.118.8"), ATTACKER, True),
        (OWNER, "192.0.2.7", False),
        (OWNER, "2001:db8::7", False),
        (ValueReference(301, "0.NA/88.118.8"), ATTACKER, False),
        (ValueReference(300, "0.NA/88.118.80"), ATTACKER, False),
        (ValueReference(300, "88.118.8/管理员"), ATTACKER, False),
    ],
)
def test_only_that_key_is_refused_and_only_to_that_network(identity, address, is_refused, guessing) -> None:
    fail(guessing, 10, Guess.at(OWNER, ATTACKER))
    assert guessing.is_refused(Guess.at(identity, address), 1.0) == is_refused


def test_a_refusal_ends_a_minute_after_the_last_failure(guessing) -> None:
    guess = Guess.at(OWNER, ATTACKER)
    fail(guessing, 9, guess, now=0.0)
    fail(guessing, 1, guess, now=50.0)
    assert [guessing.is_refused(guess, now) for now in (61.0, 109.9, 110.0)] == [True, True, False]


def test_failures_of_an_earlier_minute_do_not_count(guessing) -> None:
    guess = Guess.at(OWNER, ATTACKER)
    fail(guessing, 9, guess, now=0.0)
    fail(guessing, 9, guess, now=60.0)
    assert not guessing.is_refused(guess, 61.0)


def test_a_network_that_fails_at_many_keys_is_refused_as_a_whole(guessing) -> None:
    for number in range(100):
        guessing.fail(Guess.at(ValueReference(300, f"88.118.8/管理员{number}"), ATTACKER), 0.0)
    assert guessing.is_refused(Guess.at(OWNER, "198.51.100.9"), 1.0)
    assert not guessing.is_refused(Guess.at(OWNER, "192.0.2.7"), 1.0)


def test_failures_from_many_networks_take_no_memory(guessing) -> None:
    tracemalloc.start()
    for number in range(5_000):
        guessing.hear(Guess("300:0.NA/88.118.8", f"{number}"), 0.0)
    octets, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert octets < 100_000  # A dictionary of them takes a million.


def test_failures_from_many_networks_harm_nobody_else(guessing) -> None:
    for number in range(50_000):
        guessing.hear(Guess("300:0.NA/88.118.8", f"{number}"), 0.0)
    innocent = [Guess(f"300:88.118.8/{number}", "192.0.2") for number in range(1_000)]
    assert not [each for each in innocent if guessing.is_refused(each, 1.0)]


@pytest.mark.parametrize("heard", [0, 1, 9, 10])
def test_ten_failures_leave_one_line_without_secrets_whoever_met_them(heard: int, guessing) -> None:
    guess = Guess.at(OWNER, ATTACKER)
    with capture_logs() as lines:
        fail(guessing, 10 - heard, guess)
        for _ in range(heard):
            guessing.hear(guess, 0.0)
    assert lines == [
        {
            "event": "authentication_failed",
            "log_level": "warning",
            "key": "300:0.NA/88.118.8",
            "network": "198.51.100",
            "failures": 10,
        }
    ]


def test_a_network_that_is_refused_as_a_whole_leaves_a_line(guessing) -> None:
    with capture_logs() as lines:
        for number in range(101):
            guessing.fail(Guess.at(ValueReference(300, f"88.118.8/管理员{number}"), ATTACKER), 0.0)
    assert lines == [{"event": "network_refused", "log_level": "warning", "network": "198.51.100", "failures": 100}]


def test_what_fails_here_is_told_and_what_is_heard_is_not() -> None:
    told: list[Guess] = []
    guessing = Guessing(10, told.append)
    guess = Guess.at(OWNER, ATTACKER)
    fail(guessing, 4, guess)
    for _ in range(6):
        guessing.hear(guess, 0.0)
    assert (told, guessing.is_refused(guess, 1.0)) == ([guess] * 4, True)


def test_a_name_that_is_no_utf8_can_be_guessed_at(guessing) -> None:
    guess = Guess("300:\udc80", "192.0.2")
    fail(guessing, 10, guess)
    assert guessing.is_refused(guess, 1.0)
