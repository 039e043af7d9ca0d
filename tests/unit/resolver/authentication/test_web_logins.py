"""Web sessions of one worker, used through the door of another."""

from __future__ import annotations

import pytest

from handle_protocol.security.digests import sha256
from handle_protocol.value import ValueReference
from resolver.authentication.authentication import Authentication, AuthenticationLimits
from resolver.authentication.claims import Proof
from resolver.authentication.session_ids import SessionIds
from resolver.authentication.web_logins import WEB_SESSION, LoginAnswer, SessionView, WebLogins
from resolver.authentication.web_proofs import WebProof
from tests.unit.resolver.authentication.conftest import ADMINISTRATOR, SECRET, FakeKeys, secret_value

ADDRESS = "192.0.2.7"
IDENTITY = ValueReference(301, ADMINISTRATOR)
CLIENT_NONCE = b"c" * 16


@pytest.fixture
def workers():
    keys = FakeKeys({ADMINISTRATOR: (secret_value(301),)})
    made = [Authentication(keys, SessionIds(place, 2), AuthenticationLimits()) for place in range(2)]
    keeper = WebLogins(made[0])

    async def ask(place, kind, address, question):
        assert (place, kind) == (0, WEB_SESSION)
        return await keeper.answer(address, question)

    yield keeper, WebLogins(made[1], ask), keys
    for each in made:
        each.close()


def proof_of(session: SessionView, secret: bytes = SECRET) -> WebProof:
    code = sha256(secret + session.nonce + CLIENT_NONCE + secret)
    return WebProof(IDENTITY, "HS_SECKEY", "SHA256", code, CLIENT_NONCE)


async def test_a_session_is_logged_in_to_and_used_through_another_worker(workers) -> None:
    keeper, other, _ = workers
    session = keeper.open(ADDRESS)
    logged_in = LoginAnswer(SessionView(session.id, session.nonce, IDENTITY), Proof.VALID)
    assert await other.log_in(session.id, proof_of(session), ADDRESS) == logged_in
    assert [await each.look(session.id, ADDRESS) for each in (keeper, other)] == [logged_in, logged_in]
    await other.close(session.id, ADDRESS)
    assert await keeper.look(session.id, ADDRESS) == LoginAnswer()


async def test_a_wrong_proof_leaves_a_session_as_it_was(workers) -> None:
    keeper, other, _ = workers
    session = keeper.open(ADDRESS)
    answer = await other.log_in(session.id, proof_of(session, b"guessed"), ADDRESS)
    assert (answer.proof, (await keeper.look(session.id, ADDRESS)).session) == (Proof.WRONG, session)


async def test_a_session_ends_with_its_key(workers) -> None:
    keeper, other, keys = workers
    session = keeper.open(ADDRESS)
    await other.log_in(session.id, proof_of(session), ADDRESS)
    keys.ours[ADMINISTRATOR] = (secret_value(301, b"changed"),)
    assert await other.look(session.id, ADDRESS) == LoginAnswer(proof=Proof.UNKNOWN)
    assert await keeper.look(session.id, ADDRESS) == LoginAnswer()
