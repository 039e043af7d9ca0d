"""Every operation ends the same through every door: the same code, after the same challenge, with the same effect."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product

import pytest
import pytest_asyncio

from handle_protocol.bodies.administration import HandleRequest
from handle_protocol.bodies.resolution import ResolutionRequest, ResolutionResponse
from handle_protocol.codes import OpCode, ResponseCode
from handle_protocol.flags import OpFlag
from handle_protocol.handle import Handle, Prefix
from handle_protocol.record import HandleRecord
from registry.database import Database
from registry.prefixes import PrefixWriter
from registry.records import RecordStore
from tests.conformance.seeded import HOME, OWNER
from tests.conformance.speaking import Tunnel, Udp, Way, answer_of, ask, connected, perform, request_of
from tests.conformance.trials import TRIALS, Trial
from tests.started_node import LOOPBACK, StartedNode

DOORS = ("udp", "tcp", "tunnel", "tls-tunnel")


@dataclass(frozen=True)
class Outcome:
    """What became of a trial, at one door."""

    code: int
    is_challenged: bool
    has_overwritten: bool
    stored: tuple[object, ...] | None


def handle_of(trial: Trial, door: str) -> Handle:
    """Return the handle that one trial at one door is about."""
    return Handle(f"{HOME}/{TRIALS.index(trial)}/{door}")


@pytest_asyncio.fixture(scope="module")
async def world(node: StartedNode) -> AsyncIterator[StartedNode]:
    """The node, with what all trials find there."""
    records = [
        HandleRecord.of(handle_of(trial, door), trial.before)
        for trial in TRIALS
        for door in DOORS
        if trial.before is not None
    ]
    async with Database.open(node.database_url) as database:
        await RecordStore(database).put(records)
        for trial, door in product((each for each in TRIALS if each.name == "unhome"), DOORS):
            named = trial.body(handle_of(trial, door))
            assert isinstance(named, HandleRequest)
            await PrefixWriter(database).home(Prefix.parse(named.handle.suffix))
    yield node


@contextmanager
def way_through(door: str, node: StartedNode) -> Iterator[Way]:
    """Open a way to the node."""
    if door == "tcp":
        with connected(node.address) as way:
            yield way
    elif door == "udp":
        udp = Udp(node.address)
        with udp.socket:
            yield udp
    else:
        yield Tunnel((LOOPBACK, node.http_port), is_secure=door.startswith("tls"))


@pytest.mark.parametrize("trial", TRIALS, ids=lambda trial: trial.name)
def test_an_operation_ends_the_same_through_every_door(trial: Trial, world: StartedNode) -> None:
    expected = Outcome(trial.code, trial.is_challenged, trial.has_overwritten, _told(trial.after))
    outcomes = {door: outcome_at(door, trial, world) for door in DOORS}
    assert outcomes == dict.fromkeys(DOORS, expected)


def test_every_operation_and_every_code_of_administration_is_tried() -> None:
    tried: Mapping[int, set[int]] = {op: {each.code for each in TRIALS if each.op_code == op} for op in OpCode}
    untried = {op.name for op in OpCode if not tried[op]}
    assert untried == {"NONE", "CHALLENGE_ANSWER", "PASSWORD_LOGIN", "KEY_LOGIN"}  # Tried elsewhere: they need states.
    for op in (OpCode.CREATE_HANDLE, OpCode.ADD_VALUE, OpCode.MODIFY_VALUE, OpCode.REMOVE_VALUE, OpCode.DELETE_HANDLE):
        assert tried[op] >= {1, 301, 400, 401, 402, 403, 404, 406}


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
        stored(handle, node),
    )


def stored(handle: Handle, node: StartedNode) -> tuple[object, ...] | None:
    """Return what the owner sees of a handle, without stamps."""
    with connected(node.address) as way:
        everything = request_of(ResolutionRequest(handle), OpCode.RESOLUTION, int(OpFlag.AUTHORITATIVE))
        answer = perform(way, everything, OWNER)
    if answer.response_code == ResponseCode.VALUES_NOT_FOUND:
        return ()
    if answer.response_code == ResponseCode.HANDLE_NOT_FOUND:
        return None
    assert isinstance(answer.body, ResolutionResponse), answer
    return _told(answer.body.values)


def _told(values: tuple[object, ...] | None) -> tuple[object, ...] | None:
    if values is None:
        return None
    return tuple((each.index, each.value_type, each.data, each.permissions) for each in values)  # type: ignore[attr-defined] - they are HandleValues
