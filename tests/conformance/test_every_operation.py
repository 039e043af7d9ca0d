"""Every operation ends the same through every door: the same code, after the same challenge, with the same effect."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from itertools import product

import pytest
import pytest_asyncio

from handle_protocol.bodies.administration import HandleRequest
from handle_protocol.bodies.resolution import ResolutionRequest
from handle_protocol.codes import OpCode, ResponseCode
from handle_protocol.flags import OpFlag
from handle_protocol.handle import Handle, Prefix
from handle_protocol.json_form import value_from_json
from handle_protocol.record import HandleRecord
from registry.database import Database
from registry.prefixes import PrefixWriter
from registry.records import RecordStore
from tests.conformance.doors import (
    DOORS,
    MESSAGE_DOORS,
    REST_DOORS,
    credentials_at,
    shown_in,
    stored,
    told,
    way_through,
    web_of,
)
from tests.conformance.rest_differences import INEXPRESSIBLE, REST_DIFFERENCES, RestDifference, unsaid_in_rest
from tests.conformance.rest_speaking import WebReply, ask_by_password, status_of, web_question
from tests.conformance.seeded import HOME, OWNER
from tests.conformance.speaking import Prover, answer_of, ask, request_of
from tests.conformance.trials import TRIALS, Trial
from tests.conformance.weak_trials import WEAK_TRIALS
from tests.started_node import StartedNode

ALL_TRIALS = (*TRIALS, *WEAK_TRIALS)


PLAIN = "rest-plain"
"""The REST API without TLS: nobody can say who they are."""

OPEN_OPERATIONS = {OpCode.RESOLUTION, OpCode.GET_SITE_INFO, OpCode.VERIFY_CHALLENGE, OpCode.SESSION_TERMINATE}
EXPRESSIBLE = [each for each in ALL_TRIALS if each.name not in INEXPRESSIBLE]


@dataclass(frozen=True)
class Outcome:
    """What became of a trial, at one door.

    Attributes:
        code: None = nothing was said but an HTTP status.
        shown: the values in the answer to a question.
        stored: what its owner sees afterwards.
    """

    code: int | None
    is_challenged: bool
    has_overwritten: bool
    shown: tuple[object, ...] | None
    stored: tuple[object, ...] | None


def handle_of(trial: Trial, door: str) -> Handle:
    """Return the handle that one trial at one door is about."""
    return Handle(f"{HOME}/{ALL_TRIALS.index(trial)}/{door}")


@pytest_asyncio.fixture(scope="module")
async def world(node: StartedNode) -> AsyncIterator[StartedNode]:
    """The node, with what all trials find there."""
    records = [
        HandleRecord.of(handle_of(trial, door), trial.before)
        for trial in ALL_TRIALS
        for door in (*DOORS, PLAIN)
        if trial.before is not None
    ]
    async with Database.open(node.database_url) as database:
        await RecordStore(database).put(records)
        for trial, door in product((each for each in TRIALS if each.name == "unhome"), DOORS):
            named = trial.body(handle_of(trial, door))
            assert isinstance(named, HandleRequest)
            await PrefixWriter(database).home(Prefix.parse(named.handle.suffix))
    yield node


@pytest.mark.parametrize("trial", ALL_TRIALS, ids=lambda trial: trial.name)
def test_an_operation_ends_the_same_through_every_door_for_messages(trial: Trial, world: StartedNode) -> None:
    outcomes = {door: outcome_at(door, trial, world) for door in MESSAGE_DOORS}
    assert outcomes == dict.fromkeys(MESSAGE_DOORS, expected_outcome(trial))


@pytest.mark.parametrize("trial", EXPRESSIBLE, ids=lambda trial: trial.name)
def test_an_operation_ends_over_rest_as_it_does_in_messages(trial: Trial, world: StartedNode) -> None:
    differs = REST_DIFFERENCES.get(trial.name, RestDifference())
    usual = expected_outcome(trial)
    expected = replace(usual, **{"code": unsaid_in_rest(usual.code), **differs.fields})
    assert trial.name not in REST_DIFFERENCES or expected != usual
    outcomes = {door: rest_outcome_at(door, trial, differs.prover or trial.prover, world) for door in REST_DOORS}
    assert outcomes == dict.fromkeys(REST_DOORS, expected)


@pytest.mark.parametrize("trial", EXPRESSIBLE, ids=lambda trial: trial.name)
def test_without_tls_everybody_is_nobody(trial: Trial, world: StartedNode) -> None:
    handle = handle_of(trial, PLAIN)
    question = web_question(trial.body(handle), trial.op_code, trial.op_flags)
    assert question is not None
    reply = ask_by_password(replace(web_of(world), is_secure=False), question, OWNER)
    if trial.op_code in OPEN_OPERATIONS and not trial.is_challenged:
        assert reply.code == REST_DIFFERENCES.get(trial.name, RestDifference()).fields.get("code", trial.code)
    elif trial.name == "create in no UTF-8":  # What is not even named needs no identity.
        assert (reply.status, reply.code) == (400, ResponseCode.INVALID_HANDLE)
    else:
        assert (reply.status, reply.code) == (403, ResponseCode.AUTHENTICATION_NEEDED)
    assert stored(handle, world) == (None if trial.before is None else told(trial.before))


def test_what_rest_does_not_express_is_named_with_its_reason() -> None:
    asked = {
        each.name: web_question(each.body(Handle("88.300.16/甲")), each.op_code, each.op_flags) for each in ALL_TRIALS
    }
    assert {name for name, question in asked.items() if question is None} == INEXPRESSIBLE.keys()
    assert asked.keys() >= REST_DIFFERENCES.keys()
    assert not INEXPRESSIBLE.keys() & REST_DIFFERENCES.keys()


def test_every_operation_and_every_code_of_administration_is_tried() -> None:
    tried: Mapping[int, set[int]] = {op: {each.code for each in TRIALS if each.op_code == op} for op in OpCode}
    untried = {op.name for op in OpCode if not tried[op]}
    assert untried == {"NONE", "CHALLENGE_ANSWER", "PASSWORD_LOGIN", "KEY_LOGIN"}  # Tried elsewhere: they need states.
    for op in (OpCode.CREATE_HANDLE, OpCode.ADD_VALUE, OpCode.MODIFY_VALUE, OpCode.REMOVE_VALUE, OpCode.DELETE_HANDLE):
        assert tried[op] >= {1, 301, 400, 401, 402, 403, 404, 406}


def expected_outcome(trial: Trial) -> Outcome:
    """Return what a trial says about itself."""
    shown = None
    if trial.op_code == OpCode.RESOLUTION and trial.code == ResponseCode.SUCCESS:
        question = trial.body(Handle("0"))
        assert isinstance(question, ResolutionRequest)
        shows_all = not trial.op_flags & OpFlag.PUBLIC_ONLY
        values = [each for each in trial.before or () if each.is_public or shows_all]
        shown = told(each for each in values if not question.indexes or each.index in question.indexes)
    after = None if trial.after is None else told(trial.after)
    return Outcome(trial.code, trial.is_challenged, trial.has_overwritten, shown, after)


def outcome_at(door: str, trial: Trial, node: StartedNode) -> Outcome:
    """Try it there, and look what is stored afterwards."""
    handle = handle_of(trial, door)
    with way_through(door, node) as way:
        answer = ask(way, request_of(trial.body(handle), trial.op_code, trial.op_flags))
        is_challenged = answer.response_code == ResponseCode.AUTHENTICATION_NEEDED
        if is_challenged and trial.prover is not None:
            answer = ask(way, answer_of(answer, trial.prover))
    if answer.header.op_code:  # What cannot be read is answered with none.
        assert answer.header.op_code == trial.op_code
    return Outcome(
        answer.response_code,
        is_challenged,
        answer.has_flag(OpFlag.OVERWRITE) and answer.response_code == 1,
        shown_in(answer),
        stored(handle, node),
    )


def shown_over_rest(reply: WebReply) -> tuple[object, ...] | None:
    """Return the values that a reply brings, without stamps."""
    if reply.said is None or reply.code != ResponseCode.SUCCESS:
        return None
    return told(map(value_from_json, reply.said["values"]))


def rest_outcome_at(door: str, trial: Trial, prover: Prover | None, node: StartedNode) -> Outcome:
    """Ask the same over HTTP: as nobody first, then with credentials if they are wanted."""
    handle = handle_of(trial, door)
    web = web_of(node)
    question = web_question(trial.body(handle), trial.op_code, trial.op_flags)
    assert question is not None
    reply = web.ask(question)
    is_challenged = reply.code == ResponseCode.AUTHENTICATION_NEEDED
    if is_challenged and prover is not None:
        reply = credentials_at(door, prover)(web, question, prover, reply)
    has_overwritten = question.method == "PUT" and reply.status == 200
    if reply.code is not None:
        assert reply.status == status_of(reply.code, question.method, has_overwritten=has_overwritten)
    shown = shown_over_rest(reply) if trial.op_code == OpCode.RESOLUTION else None
    return Outcome(reply.code, is_challenged, has_overwritten, shown, stored(handle, node))
