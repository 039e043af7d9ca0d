"""Sessions of the REST API: one nonce for each, and gone when idle."""

from __future__ import annotations

import pytest

from handle_protocol.value import ValueReference
from resolver.authentication.claims import Proof
from resolver.authentication.session_ids import SessionIds
from resolver.authentication.sessions import SessionLimits
from resolver.authentication.web_sessions import WebSession, WebSessions

ADDRESS = "192.0.2.7"


class Somebody:
    identity = ValueReference(301, "88.118.8/管理员")

    async def prove(self) -> Proof:
        return Proof.VALID


@pytest.fixture
def sessions() -> WebSessions:
    return WebSessions(SessionIds(1, 2), SessionLimits(seconds_max=100.0, entries_max=20))


def test_every_session_has_a_nonce_of_its_own_and_keeps_it(sessions) -> None:
    session, other = sessions.open(ADDRESS, 0.0), sessions.open(ADDRESS, 0.0)
    logged_in = sessions.log_in(session.id, Somebody(), 1.0)
    assert {sessions.find(session.id, 2.0).nonce, logged_in.nonce} == {session.nonce}
    assert (len(session.nonce), session.nonce == other.nonce) == (16, False)


def test_a_session_becomes_somebodys(sessions) -> None:
    session, somebody = sessions.open(ADDRESS, 0.0), Somebody()
    logged_in = sessions.log_in(session.id, somebody, 1.0)
    assert logged_in == WebSession(session.id, session.nonce, somebody, 101.0)
    assert sessions.find(session.id, 2.0) == WebSession(session.id, session.nonce, somebody, 102.0)


@pytest.mark.parametrize("session_id", ["", "不存在", "0"])
def test_there_is_no_session_but_those_that_were_opened(session_id, sessions) -> None:
    found = sessions.find(session_id, 0.0), sessions.log_in(session_id, Somebody(), 0.0)
    assert found == (None, None)


def test_an_idle_session_ends_and_a_used_one_stays(sessions) -> None:
    session = sessions.open(ADDRESS, 0.0)
    assert [sessions.find(session.id, now) is not None for now in (99.0, 198.0, 298.0, 100.0)] == [
        True,
        True,
        False,
        False,
    ]


def test_a_closed_session_is_gone_and_closing_twice_is_nothing(sessions) -> None:
    session = sessions.open(ADDRESS, 0.0)
    sessions.close(session.id)
    sessions.close(session.id)
    assert (sessions.find(session.id, 0.0), len(sessions)) == (None, 0)


def test_a_flood_of_sessions_displaces_itself(sessions) -> None:
    patient = sessions.open(ADDRESS, 0.0)
    for number in range(100):
        sessions.open(f"198.51.100.{number}", 1.0)
    assert (len(sessions), sessions.find(patient.id, 2.0) is not None) == (20, True)


def test_the_id_is_not_shown(sessions) -> None:
    session = sessions.open(ADDRESS, 0.0)
    assert session.id not in repr(session)
