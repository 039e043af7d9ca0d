"""What takes several exchanges may go through several doors: challenges, sessions, verdicts, names that are made."""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import product

import pytest

from handle_protocol.bodies.administration import HandleRequest, HandleResponse, ValuesRequest
from handle_protocol.bodies.challenge import VerifyChallengeRequest, VerifyChallengeResponse
from handle_protocol.bodies.session import ExchangeMode, SessionSetupRequest, SessionSetupResponse
from handle_protocol.codes import OpCode, ResponseCode
from handle_protocol.flags import OpFlag
from handle_protocol.handle import Handle
from handle_protocol.message import OP_FLAGS_USUAL, Message, answer_version
from handle_protocol.record import encode_value_list
from handle_protocol.security.message_authentication import verify_mac
from handle_protocol.security.session_keys import finish_key_agreement, start_key_agreement
from handle_protocol.value import ValueReference
from tests.conformance.doors import DOORS, MESSAGE_DOORS, ask_as, stored, told, way_through, web_of
from tests.conformance.rest_speaking import WebQuestion, WebReply, proof_in, web_question
from tests.conformance.seeded import GHOST, HOME, OWNER, SERVER_ADMINISTRATOR, STRANGER
from tests.conformance.speaking import Prover, answer_of, ask, perform, request_of
from tests.conformance.trials import NEW
from tests.conformance.weak_trials import WEAK_PROVERS
from tests.reliability.session_client import NOBODY, ClientSession
from tests.started_node import StartedNode

CHALLENGE_SECONDS = 6.5
"""A little longer than challenges wait at the node."""

PAIRS = list(product(MESSAGE_DOORS, MESSAGE_DOORS))
MINTING = int(OP_FLAGS_USUAL | OpFlag.MINT_SUFFIX)

NONCE, DIGEST = b"n" * 16, b"d" * 32
SHA256_DIGEST = b"\3" + DIGEST
VERDICTS: dict[str, tuple[Prover, bytes, bool]] = {
    "a secret key": (OWNER, SHA256_DIGEST, True),
    "any key of the handle": (replace(OWNER, identity=ValueReference(0, OWNER.identity.handle)), SHA256_DIGEST, True),
    "another digest": (OWNER, b"\3" + b"e" * 32, False),
    "another key": (replace(OWNER, key=b"wrong"), SHA256_DIGEST, False),
    "a key of another handle": (replace(STRANGER, key=OWNER.key), SHA256_DIGEST, False),
    "a handle without a key": (GHOST, SHA256_DIGEST, False),
    "a public key taken for a secret one": (
        replace(OWNER, identity=SERVER_ADMINISTRATOR.identity),
        SHA256_DIGEST,
        False,
    ),
}


def creation(handle: Handle, op_flags: int = OP_FLAGS_USUAL) -> Message:
    """Return a request to create a record."""
    return request_of(ValuesRequest(handle, encode_value_list(NEW)), OpCode.CREATE_HANDLE, op_flags)


def deletion(handle: Handle) -> Message:
    """Return a request to delete a record."""
    return request_of(HandleRequest(handle), OpCode.DELETE_HANDLE)


def create(node: StartedNode, handle: Handle) -> None:
    """Create a record as its owner."""
    with way_through("tcp", node) as way:
        assert perform(way, creation(handle), OWNER).response_code == ResponseCode.SUCCESS


def ask_through(door: str, node: StartedNode, message: Message) -> Message:
    """Ask on a connection of its own."""
    with way_through(door, node) as way:
        return ask(way, message)


def mint(door: str, node: StartedNode, beginning: Handle) -> Handle:
    """Have a record made whose name the node chooses."""
    body = ValuesRequest(beginning, encode_value_list(NEW))
    if door not in MESSAGE_DOORS:
        question = web_question(body, OpCode.CREATE_HANDLE, MINTING)
        assert question is not None
        reply = ask_as(door, web_of(node), question, OWNER)
        assert (reply.status, reply.code) == (201, 1)
        assert reply.said is not None
        return Handle(reply.said["handle"])
    with way_through(door, node) as way:
        answer = perform(way, request_of(body, OpCode.CREATE_HANDLE, MINTING), OWNER)
    assert isinstance(answer.body, HandleResponse), answer
    return answer.body.handle


@pytest.mark.parametrize("beginning", [f"{HOME}/", f"{HOME}/2026年批次-"])
@pytest.mark.parametrize("door", DOORS)
def test_a_name_that_the_node_makes_is_new_each_time(node: StartedNode, door: str, beginning: str) -> None:
    made = [mint(door, node, Handle(beginning)) for _ in range(2)]
    assert made[0] != made[1]
    assert all(each.spelling.startswith(beginning) and each.spelling != beginning for each in made)
    assert [stored(each, node) for each in made] == [told(NEW), told(NEW)]


def verdict_of(door: str, node: StartedNode, body: VerifyChallengeRequest) -> bool:
    """Ask whether a proof is right."""
    if door not in MESSAGE_DOORS:
        reply = verification_of(node, body)
        assert (reply.status, reply.code) == (200, 1)
        assert reply.said is not None
        return bool(reply.said["isValid"])
    answer = ask_through(door, node, request_of(body, OpCode.VERIFY_CHALLENGE))
    assert answer.response_code == ResponseCode.SUCCESS
    assert isinstance(answer.body, VerifyChallengeResponse)
    assert answer.body.verdict in {0, 1}
    return answer.body.is_valid


def verification_of(node: StartedNode, body: VerifyChallengeRequest) -> WebReply:
    """Ask over REST whether a proof is right: whoever asks need not say who it is."""
    question = web_question(body, OpCode.VERIFY_CHALLENGE, 0)
    assert question is not None
    return web_of(node).ask(question)


@pytest.mark.parametrize(("prover", "digest", "is_valid"), VERDICTS.values(), ids=VERDICTS)
def test_a_proof_gets_the_same_verdict_through_every_door(
    node: StartedNode, prover: Prover, digest: bytes, *, is_valid: bool
) -> None:
    body = VerifyChallengeRequest(prover.identity, NONCE, digest, prover.prove(NONCE, DIGEST))
    doors = (*MESSAGE_DOORS, "rest")
    assert {door: verdict_of(door, node, body) for door in doors} == dict.fromkeys(doors, is_valid)


@pytest.mark.parametrize("weak", ["an MD5 code", "a SHA-1 code"])
def test_a_weak_proof_is_no_proof_at_any_door(node: StartedNode, weak: str) -> None:
    prover = WEAK_PROVERS[weak]
    body = VerifyChallengeRequest(prover.identity, NONCE, SHA256_DIGEST, prover.prove(NONCE, DIGEST))
    assert {door: verdict_of(door, node, body) for door in MESSAGE_DOORS} == dict.fromkeys(MESSAGE_DOORS, False)
    reply = verification_of(node, body)
    assert (reply.status, reply.code) == (403, ResponseCode.INVALID_CREDENTIAL)


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_a_challenge_of_one_door_is_answered_through_another(node: StartedNode, first: str, second: str) -> None:
    handle = Handle(f"{HOME}/质询/{first}/{second}")
    challenge = ask_through(first, node, creation(handle))
    answer = ask_through(second, node, answer_of(challenge, OWNER))
    assert (answer.response_code, answer.header.op_code) == (ResponseCode.SUCCESS, OpCode.CREATE_HANDLE)
    assert stored(handle, node) == told(NEW)


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_a_proof_is_of_use_once_whatever_door_it_comes_through(node: StartedNode, first: str, second: str) -> None:
    handle = Handle(f"{HOME}/重放/{first}/{second}")
    create(node, handle)
    challenge = ask_through(first, node, deletion(handle))
    proof = answer_of(challenge, OWNER)
    assert ask_through(first, node, proof).response_code == ResponseCode.SUCCESS
    create(node, handle)
    replayed = replace(proof, request_id=proof.request_id + 1_000_000)
    assert ask_through(second, node, replayed).response_code == ResponseCode.AUTHENTICATION_TIMEOUT
    assert stored(handle, node) == told(NEW)


def test_who_answers_too_late_is_told_so_through_every_door(node: StartedNode) -> None:
    handles = {door: Handle(f"{HOME}/迟到/{door}") for door in MESSAGE_DOORS}
    challenges = {door: ask_through(door, node, creation(handle)) for door, handle in handles.items()}
    time.sleep(CHALLENGE_SECONDS)
    answers = {door: ask_through(door, node, answer_of(challenges[door], OWNER)) for door in MESSAGE_DOORS}
    assert {each.response_code for each in answers.values()} == {ResponseCode.AUTHENTICATION_TIMEOUT}
    assert [stored(each, node) for each in handles.values()] == [None] * len(handles)


def open_session(door: str, node: StartedNode) -> ClientSession:
    """Set a session up for nobody in particular."""
    ours = start_key_agreement()
    body = SessionSetupRequest(ExchangeMode.DIFFIE_HELLMAN, 600, NOBODY, ours.public_data(), None, True)
    answer = ask_through(door, node, request_of(body, OpCode.SESSION_SETUP))
    assert isinstance(answer.body, SessionSetupResponse), answer
    return ClientSession(answer.session_id, finish_key_agreement(ours, answer.body.data, answer_version(answer)))


def ask_within(session: ClientSession, door: str, node: StartedNode, message: Message) -> Message:
    """Ask in a session, on a connection of its own; the answer is of that session."""
    answer = ask_through(door, node, session.sealed(message))
    assert verify_mac(answer, session.key)
    return answer


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_a_session_of_one_door_goes_on_through_another(node: StartedNode, first: str, second: str) -> None:
    handles = [Handle(f"{HOME}/会话/{first}/{second}/{number}") for number in range(2)]
    session = open_session(first, node)
    asked = creation(handles[0])
    challenge = ask_within(session, first, node, asked)
    assert challenge.response_code == ResponseCode.AUTHENTICATION_NEEDED
    proof = replace(answer_of(challenge, OWNER), request_id=asked.request_id)
    assert ask_within(session, second, node, proof).response_code == ResponseCode.SUCCESS
    unchallenged = ask_within(session, second, node, creation(handles[1]))
    assert unchallenged.response_code == ResponseCode.SUCCESS
    assert [stored(each, node) for each in handles] == [told(NEW), told(NEW)]


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_a_session_that_was_ended_is_gone_behind_every_door(node: StartedNode, first: str, second: str) -> None:
    session = open_session(first, node)
    ending = request_of(HandleRequest(Handle("/")), OpCode.SESSION_TERMINATE)
    assert ask_within(session, second, node, ending).response_code == ResponseCode.SUCCESS
    later = ask_through(first, node, session.sealed(creation(Handle(f"{HOME}/会话之后"))))
    assert later.response_code == ResponseCode.SESSION_TIMEOUT


def web_session(node: StartedNode) -> dict[str, str]:
    """Open a session of the REST API; return its sessionId and nonce."""
    reply = web_of(node).ask(WebQuestion("POST", "/api/sessions"))
    assert reply.status == 201
    return dict(reply.said or {})


def going_on(session: dict[str, str]) -> str:
    """Return what says that a request belongs to a session."""
    return f'Handle version="0", sessionId="{session["sessionId"]}"'


def web_creation(handle: Handle) -> WebQuestion:
    """Return a request to create a record."""
    question = web_question(ValuesRequest(handle, encode_value_list(NEW)), OpCode.CREATE_HANDLE, 0)
    assert question is not None
    return question


@pytest.mark.parametrize("prover", [OWNER, SERVER_ADMINISTRATOR], ids=["secret key", "private key"])
def test_a_session_of_the_rest_api_lasts_over_many_connections(node: StartedNode, prover: Prover) -> None:
    web, session = web_of(node), web_session(node)
    this = WebQuestion("GET", "/api/sessions/this")
    logged_in = web.ask(replace(this, method="PUT"), proof_in(session, prover))
    shown = {**session, "authenticated": True, "id": str(prover.identity)}
    assert (logged_in.status, logged_in.said) == (200, shown)
    assert web.ask(this, going_on(session)).said == shown
    assert web.ask(replace(this, method="DELETE"), going_on(session)).status == 204
    assert web.ask(this, going_on(session)).status == 403


def test_what_a_session_of_the_rest_api_may_ends_with_it(node: StartedNode) -> None:
    handles = [Handle(f"{HOME}/网页会话/{number}") for number in range(2)]
    web, session = web_of(node), web_session(node)
    assert web.ask(web_creation(handles[0]), proof_in(session, OWNER)).status == 201
    assert web.ask(WebQuestion("DELETE", "/api/sessions/this"), going_on(session)).status == 204
    assert web.ask(web_creation(handles[1]), going_on(session)).status == 401
    assert [stored(each, node) for each in handles] == [told(NEW), None]


def test_a_proof_for_one_session_of_the_rest_api_proves_nothing_in_another(node: StartedNode) -> None:
    handle = Handle(f"{HOME}/网页重放")
    web, ours, other = web_of(node), web_session(node), web_session(node)
    proof = proof_in(ours, OWNER)
    swapped = proof.replace(ours["sessionId"], other["sessionId"])
    assert web.ask(web_creation(handle), swapped).status == 401
    assert stored(handle, node) is None
    assert web.ask(web_creation(handle), proof).status == 201
    assert stored(handle, node) == told(NEW)
