"""The login of a connection: challenged, answered once, logged in until the connection ends."""

from __future__ import annotations

import pytest

from handle_protocol.bodies.digest import DigestAlgorithm, RequestDigest
from handle_protocol.value import ValueReference
from resolver.authentication.claims import Proof
from resolver.authentication.logins import Challenged, ConnectionLogin, LoggedIn, LoggedOut, LoginRefusal

IDENTITY = ValueReference(300, "88.300.15907/应用")
DIGEST = RequestDigest(DigestAlgorithm.SHA256, bytes(32))
CHALLENGED = Challenged(IDENTITY, b"n" * 16, DIGEST, 20.0)


class Somebody:
    identity = IDENTITY

    async def prove(self) -> Proof:
        return Proof.VALID


LOGGED_IN = LoggedIn(Somebody())
OTHER = Somebody()


@pytest.mark.parametrize(
    ("state", "step", "result", "after"),
    [
        (LoggedOut(), "begin", CHALLENGED, CHALLENGED),
        (LoggedOut(), "take", LoginRefusal.LOG_IN_FIRST, LoggedOut()),
        (LoggedOut(), "succeed", None, LoggedIn(OTHER)),
        (CHALLENGED, "begin", CHALLENGED, CHALLENGED),
        (CHALLENGED, "take", CHALLENGED, LoggedOut()),
        (CHALLENGED, "succeed", None, LoggedIn(OTHER)),
        (LOGGED_IN, "begin", LoginRefusal.ALREADY_LOGGED_IN, LOGGED_IN),
        (LOGGED_IN, "take", LoginRefusal.LOG_IN_FIRST, LOGGED_IN),
        (LOGGED_IN, "succeed", LoginRefusal.ALREADY_LOGGED_IN, LOGGED_IN),
    ],
)
def test_each_step_from_each_state(state, step, result, after) -> None:
    login = ConnectionLogin(draw_octets=lambda count: b"n" * count)
    login.state = state
    arguments = {"begin": (IDENTITY, DIGEST, 0.0), "take": (19.9,), "succeed": (OTHER,)}[step]
    assert (getattr(login, step)(*arguments), login.state) == (result, after)


def test_a_challenge_that_is_answered_too_late_is_used_up() -> None:
    login = ConnectionLogin(5.0)
    login.begin(IDENTITY, DIGEST, 0.0)
    assert (login.take(5.0), login.take(1.0)) == (LoginRefusal.LOG_IN_FIRST, LoginRefusal.LOG_IN_FIRST)


def test_nonces_differ() -> None:
    login = ConnectionLogin()
    assert len({login.begin(IDENTITY, DIGEST, 0.0).nonce for _ in range(300)}) == 300


def test_the_claim_is_there_while_somebody_is_logged_in() -> None:
    login = ConnectionLogin()
    before = login.claim
    login.succeed(OTHER)
    assert (before, login.claim) == (None, OTHER)
