"""Sessions are kept while they are used, from where they are used, and end with the key that was proved in them."""

from __future__ import annotations

import pytest

from handle_protocol.value import ValueReference
from resolver.authentication.claims import Proof
from resolver.authentication.evidence import Password
from resolver.authentication.session_ids import SessionIds
from resolver.authentication.sessions import Session, SessionLimits, SessionTable
from tests.unit.resolver.authentication.conftest import ADMINISTRATOR, SECRET, secret_value

ADDRESS = "192.0.2.7"
KEY = bytes(range(32))
IDENTITY = ValueReference(301, ADMINISTRATOR)


@pytest.fixture
def sessions() -> SessionTable:
    return SessionTable(SessionIds(1, 2), SessionLimits(seconds_max=100.0, entries_max=20))


def open_session(sessions: SessionTable, address: str = ADDRESS, **fields: object) -> Session:
    return sessions.open(KEY, 3, fields.pop("identity", IDENTITY), address, 0.0, **fields)


@pytest.mark.parametrize(("wished", "seconds"), [(0.0, 100.0), (-5.0, 100.0), (30.0, 30.0), (86_400.0, 100.0)])
def test_a_session_is_kept_as_long_as_its_client_wishes_within_bounds(wished, seconds, sessions) -> None:
    session = open_session(sessions, wished_seconds=wished)
    assert (session.id % 2, session.key, session.algorithm, session.is_authenticated) == (1, KEY, 3, False)
    assert sessions.find(session.id, ADDRESS, seconds - 0.1) is session
    assert sessions.find(session.id, ADDRESS, seconds) is None
    assert (sessions.find(session.id, ADDRESS, 1.0), len(sessions)) == (None, 0)


def test_use_keeps_a_session_and_looking_does_not(sessions) -> None:
    session = open_session(sessions)
    sessions.touch(session, 60.0)
    assert sessions.find(session.id, ADDRESS, 159.0) is session
    assert sessions.find(session.id, ADDRESS, 160.0) is None
    sessions.touch(session, 161.0)
    assert sessions.find(session.id, ADDRESS, 162.0) is None


def test_another_address_finds_nothing_and_harms_nothing(sessions) -> None:
    session = open_session(sessions)
    assert sessions.find(session.id, "192.0.2.8", 1.0) is None
    assert sessions.find(session.id, ADDRESS, 1.0) is session


def test_a_closed_session_is_gone(sessions) -> None:
    session = open_session(sessions)
    sessions.close(session.id)
    assert sessions.find(session.id, ADDRESS, 0.0) is None


def test_counters_are_used_up_in_each_session(sessions) -> None:
    first, second = open_session(sessions), open_session(sessions)
    assert [first.window.accept(1), first.window.accept(1), second.window.accept(1)] == [True, False, True]


def test_sessions_are_bounded_and_the_one_in_use_stays(sessions) -> None:
    used = open_session(sessions)
    for number in range(40):
        open_session(sessions, f"203.0.{number}.1")
        sessions.touch(used, 1.0)
    assert (len(sessions), sessions.find(used.id, ADDRESS, 2.0)) == (20, used)


@pytest.mark.parametrize(
    ("named", "is_noted"),
    [
        (None, True),
        (IDENTITY, True),
        (ValueReference(0, ADMINISTRATOR), True),
        (ValueReference(300, ADMINISTRATOR), False),
    ],
)
async def test_who_was_named_at_set_up_and_proved_it_is_remembered(named, is_noted, authentication) -> None:
    session = open_session(authentication.sessions, identity=named)
    claim = authentication.present(IDENTITY, Password(SECRET), ADDRESS)
    authentication.sessions.note_proof(session, claim, is_coded=True)
    assert not session.is_authenticated
    await claim.prove()
    authentication.sessions.note_proof(session, claim, is_coded=True)
    assert session.is_authenticated == is_noted


async def test_a_proof_without_the_sessions_code_takes_nobodys_place(keys, authentication) -> None:
    session = open_session(authentication.sessions, identity=None)
    other = ValueReference(302, IDENTITY.handle)
    secrets = {IDENTITY: SECRET, other: "另一密钥".encode()}
    keys.ours[ADMINISTRATOR] = tuple(secret_value(identity.index, secret) for identity, secret in secrets.items())
    for identity, is_coded, known in ((IDENTITY, False, IDENTITY), (other, False, IDENTITY), (other, True, other)):
        claim = authentication.present(identity, Password(secrets[identity]), ADDRESS)
        assert await claim.prove() is Proof.VALID
        authentication.sessions.note_proof(session, claim, is_coded=is_coded)
        assert session.claim.identity == known


async def test_a_session_ends_being_somebodys_when_the_key_is_rotated(keys, authentication) -> None:
    session = open_session(authentication.sessions)
    claim = authentication.present(IDENTITY, Password(SECRET), ADDRESS)
    await claim.prove()
    authentication.sessions.note_proof(session, claim, is_coded=True)
    assert (session.claim.identity, await session.claim.prove()) == (IDENTITY, Proof.VALID)
    keys.ours[ADMINISTRATOR] = (secret_value(301, "新密钥".encode()),)
    assert await session.claim.prove() is Proof.UNKNOWN


def test_the_key_of_a_session_is_not_shown(sessions) -> None:
    assert repr(KEY) not in repr(open_session(sessions))
