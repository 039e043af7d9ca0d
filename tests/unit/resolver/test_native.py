"""Requests as octets, answers as octets: the short way and the long way say the same."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from handle_protocol.bodies.error import ErrorBody
from handle_protocol.bodies.raw import RawBody
from handle_protocol.codes import OpCode, ResponseCode
from handle_protocol.envelope import NO_SUGGESTION, Version
from handle_protocol.flags import OpFlag
from handle_protocol.handle import Handle
from handle_protocol.limits import RECURSION_COUNT_MAX
from handle_protocol.message import Message, decode_message, encode_message
from handle_protocol.record import HandleRecord
from handle_protocol.value import Permissions
from resolver.authority import Authority
from resolver.cache import CacheLimits, RecordCache
from resolver.fast_path.choice import FastPath
from resolver.metrics import DoorTally
from resolver.operations.native import LONG_OCTETS_IN_FLIGHT_MAX, NativeService
from resolver.resolve import Resolver
from tests.builders import OWN_SITE, resolution_request, text_value
from tests.fakes.memory_register import MemoryRegister
from tests.fast_paths import FAST_PATHS

NOW = 1_700_000_000.0
PUBLIC_ONLY = int(OpFlag.PUBLIC_ONLY)
SECRET = text_value(301, "HS_SECKEY", "秘密", permissions=Permissions.ADMIN_READ)


def request(spelling: str = "88.118.8/轴承-6205", **fields: object) -> Message:
    return resolution_request(spelling, 0x01020304, **fields)


class World:
    def __init__(self, fast_path: FastPath) -> None:
        self.register = MemoryRegister()
        for prefix in ("88.118.8", "ab.cd", "0.NA"):
            self.register.add_prefix(prefix)
        self.register.add_prefix("88.118.9", is_suspended=True)
        self.register.put("88.118.8/轴承-6205", text_value(1, "URL", "https://example.cn/轴承"))
        self.register.put("88.118.8/保密", text_value(1, "URL", "https://example.cn/"), SECRET)
        self.register.put("88.118.8/只有秘密", SECRET)
        self.register.put("88.118.8/空")
        self.register.put("88.118.9/停", text_value(1, "URL", "https://example.cn/"))
        self.register.put("AB.CD/x", text_value(1, "URL", "https://example.cn/"))
        self.register.put("0.NA/AB.CD", text_value(1, "DESC", "字母前缀"))
        cache = RecordCache(CacheLimits(), fast_path)
        self.resolver = Resolver(self.register, cache, OWN_SITE, clock=lambda: 0.0, unix_clock=lambda: NOW)
        self.resolver.authority = Authority(self.register.prefixes.values())
        self.resolver.cache.trust(0.0)
        self.tally = DoorTally("test")
        self.service = NativeService(self.resolver, self.tally)

    def remember_everything(self) -> None:
        for key, record in self.register.records.items():
            self.resolver.cache.put(key, record, 0.0, NOW)

    async def serve(self, octets: bytes) -> Message | None:
        reply = self.service.serve(octets)
        if not isinstance(reply, bytes | None):
            reply = await reply
        return None if reply is None else decode_message(reply)


@pytest.fixture(params=FAST_PATHS)
def world(request: pytest.FixtureRequest) -> World:
    return World(request.param)


QUESTIONS = [
    request(),
    request(version=Version(2, 1), suggested=NO_SUGGESTION),
    request(version=Version(2, 3), suggested=Version(2, 10)),
    request(version=Version(2, 11), suggested=Version(2, 4)),
    request(version=Version(2, 12), suggested=Version(2, 12)),
    request(version=Version(2, 12), suggested=NO_SUGGESTION),
    request(session_id=10_001),
    request(suggested=Version(3, 0)),
    request(suggested=Version(1, 0)),
    request(op_flags=0),
    request(op_flags=0x19000000),
    request(op_flags=0x1B100000),
    request(op_flags=PUBLIC_ONLY | OpFlag.AUTHORITATIVE),
    request(op_flags=PUBLIC_ONLY | OpFlag.RETURN_REQUEST_DIGEST),
    request(op_flags=PUBLIC_ONLY | OpFlag.CERTIFY),
    request(recursion_count=RECURSION_COUNT_MAX),
    request(types=("URL",)),
    request(indexes=(1,)),
    request("88.118.8/保密"),
    request("88.118.8/保密", op_flags=0),
    request("88.118.8/只有秘密"),
    request("88.118.8/空"),
    request("88.118.8/没有"),
    request("88.118.9/停"),
    request("ab.cd/x"),
    request("AB.CD/x"),
    request("0.NA/AB.CD"),
    request("AB.CD"),
    request("10.1000/x"),
    request("/"),
]


@pytest.mark.parametrize("question", QUESTIONS)
async def test_the_short_way_says_what_the_long_way_says(question, world) -> None:
    world.remember_everything()
    octets = encode_message(question)
    short = world.service.plain.answer(octets)
    long = world.service.serve(octets)
    if short:
        assert short == long
    elif not isinstance(long, bytes):
        long.close()  # It would ask the register.


@pytest.mark.parametrize("question", QUESTIONS[:7])
async def test_plain_questions_take_the_short_way(question, world) -> None:
    world.remember_everything()
    answer = decode_message(world.service.plain.answer(encode_message(question)))
    assert (answer.request_id, answer.body.handle.spelling) == (0x01020304, "88.118.8/轴承-6205")
    assert answer.body.values == (text_value(1, "URL", "https://example.cn/轴承"),)
    assert world.service.plain.hits == 1


async def test_the_short_way_answers_nothing_that_is_not_remembered_or_not_trusted(world) -> None:
    octets = encode_message(request())
    assert world.service.plain.answer(octets) == b""
    world.remember_everything()
    world.resolver.cache.trust(-1_000.0)
    assert world.service.plain.answer(octets) == b""


async def test_the_short_way_takes_no_altered_question(world) -> None:
    """Whatever single octet is changed, the short way answers as the long way or not at all."""
    world.remember_everything()
    octets = encode_message(request())
    for at in range(len(octets)):
        for change in (0x01, 0x80, 0xFF):
            altered = octets[:at] + bytes((octets[at] ^ change,)) + octets[at + 1 :]
            short = world.service.plain.answer(altered)
            if short:
                assert short == world.service.serve(altered)


ERRORS = [
    (request(op_code=OpCode.BACKUP_SERVER), ResponseCode.OPERATION_NOT_SUPPORTED),
    (request(op_code=9_999), ResponseCode.OPERATION_NOT_SUPPORTED),
    (request(recursion_count=RECURSION_COUNT_MAX + 1), ResponseCode.RECURSION_COUNT_TOO_HIGH),
    (request("88.118.8/没有"), ResponseCode.HANDLE_NOT_FOUND),
    (request(types=("EMAIL",)), ResponseCode.VALUES_NOT_FOUND),
    (request("10.1000/x"), ResponseCode.SERVER_NOT_RESPONSIBLE),
    (request("88.118.9/停"), ResponseCode.SERVER_NOT_RESPONSIBLE),
    (request("88.118.8/保密", op_flags=0), ResponseCode.INSUFFICIENT_PERMISSIONS),
]


@pytest.mark.parametrize(("question", "code"), ERRORS)
async def test_each_outcome_has_its_code(question, code, world) -> None:
    question = replace(question, body=RawBody(b"")) if question.header.op_code != OpCode.RESOLUTION else question
    answer = await world.serve(encode_message(question))
    assert (answer.response_code, answer.request_id) == (code, 0x01020304)
    assert isinstance(answer.body, ErrorBody)


async def test_a_handle_that_can_be_none_is_called_invalid(world) -> None:
    octets = encode_message(request("88.118.8/ABC"))
    answer = await world.serve(octets.replace(b"ABC", b"A\xffC"))
    assert (answer.response_code, answer.request_id) == (ResponseCode.INVALID_HANDLE, 0x01020304)


async def test_an_answer_is_never_answered(world) -> None:
    answer = await world.serve(encode_message(request()))
    octets = encode_message(answer)
    assert await world.serve(octets) is None
    assert await world.serve(octets[:-6]) is None
    assert world.tally.discarded == {"response": 2}


async def test_what_cannot_be_read_gets_a_short_protocol_error(world) -> None:
    octets = encode_message(request())
    for damaged in (octets[:-1], octets + b"x", b"\x05" + octets[1:], octets[:40] + b"\xff\xff\xff\xff" + octets[44:]):
        reply = world.service.serve(damaged)
        assert len(reply) <= len(octets)
        answer = decode_message(reply)
        assert (answer.response_code, answer.request_id) == (ResponseCode.PROTOCOL_ERROR, 0x01020304)


async def test_an_outage_is_told_as_busy(world) -> None:
    world.register.outage = ConnectionError("gone")
    answer = await world.serve(encode_message(request()))
    assert answer.response_code == ResponseCode.SERVER_TOO_BUSY
    assert world.tally.outcomes == {"busy": 1}


async def test_too_many_waiting_questions_are_told_to_come_later(world) -> None:
    service = NativeService(world.resolver, world.tally, queries_in_flight_max=0)
    answer = decode_message(service.serve(encode_message(request())))
    assert answer.response_code == ResponseCode.SERVER_TOO_BUSY


async def test_a_defect_is_answered_with_a_general_error(world) -> None:
    world.register.outage = RuntimeError("a bug")
    answer = await world.serve(encode_message(request()))
    assert answer.response_code == ResponseCode.ERROR


async def test_the_handle_is_returned_as_it_was_asked(world) -> None:
    world.register.records[b"AB.CD/x"] = HandleRecord.of(
        Handle("Ab.Cd/x"), (text_value(1, "URL", "https://example.cn/"),), 1
    )
    for _ in range(2):
        answer = await world.serve(encode_message(request("aB.cD/x")))
        assert answer.body.handle == Handle("aB.cD/x")


async def ask_and_fetch(world: World, message: Message) -> list[bytes | None]:
    """Ask as a door does that fetches for the short way; return what that answers then."""
    answers: asyncio.Queue[bytes | None] = asyncio.Queue()
    octets = encode_message(message)
    plain = world.service.plain
    is_missing = plain.answer(octets) == b""
    is_begun = is_missing and world.service.fetch_missing(octets, lambda: answers.put_nowait(plain.answer(octets)))
    return [await answers.get()] if is_begun else []


async def test_a_plain_question_is_answered_the_short_way_once_its_record_is_fetched(world) -> None:
    (answer,) = await ask_and_fetch(world, request())
    assert answer == encode_message(await world.serve(encode_message(request())))
    assert world.register.batches == [("88.118.8/轴承-6205".encode(),)]


@pytest.mark.parametrize(
    "asked",
    [
        request(types=("URL",)),
        request(op_flags=OpFlag.AUTHORITATIVE),
        request("88.118.9/停"),
        request("88.118.8"),
        request("Ab.cd/x"),
        request("0.NA/AB.CD"),
        request("99.1/别人"),
    ],
)
async def test_nothing_is_fetched_for_what_the_short_way_cannot_answer(asked, world) -> None:
    assert await ask_and_fetch(world, asked) == []
    assert world.register.batches == []


async def test_nothing_is_fetched_where_keys_are_folded(world) -> None:
    world.register.add_prefix("88.118.8", folds_suffix=True)
    world.resolver.authority = Authority(world.register.prefixes.values())
    assert await ask_and_fetch(world, request()) == []


async def test_what_is_remembered_is_not_fetched_again(world) -> None:
    world.remember_everything()
    assert await ask_and_fetch(world, request("88.118.8/保密", op_flags=0)) == []
    assert await ask_and_fetch(world, request("88.118.8/没有")) == [b""]
    assert await ask_and_fetch(world, request("88.118.8/没有")) == []
    assert len(world.register.batches) == 1


async def test_after_an_outage_the_short_way_leaves_the_register_alone(world) -> None:
    world.register.outage = ConnectionError("gone")
    assert await ask_and_fetch(world, request()) == [b""]
    assert await ask_and_fetch(world, request()) == []


async def test_when_too_many_long_questions_are_under_way_only_usual_ones_are_taken(world) -> None:
    world.register.is_open.clear()
    long = encode_message(request("88.118.8/没有", types=("类型" * 20_000,)))
    count = LONG_OCTETS_IN_FLIGHT_MAX // len(long)
    waiting = [asyncio.ensure_future(world.service.serve(long)) for _ in range(count)]
    await asyncio.sleep(0)
    refused = await world.serve(long)
    usual = asyncio.ensure_future(world.serve(encode_message(request(types=("URL",)))))
    world.register.is_open.set()
    assert refused.response_code == ResponseCode.SERVER_TOO_BUSY
    assert (await usual).response_code == ResponseCode.SUCCESS
    assert {decode_message(answer).response_code for answer in await asyncio.gather(*waiting)} == {
        ResponseCode.HANDLE_NOT_FOUND
    }
    again = await world.serve(long)
    assert again.response_code == ResponseCode.HANDLE_NOT_FOUND


async def test_questions_that_wait_are_bounded(world) -> None:
    service = NativeService(world.resolver, world.tally, queries_in_flight_max=1)
    is_answered = asyncio.Event()
    world.register.is_open.clear()
    octets = encode_message(request())
    assert service.plain.answer(octets) == b""
    assert service.fetch_missing(octets, is_answered.set)
    assert not service.fetch_missing(octets, is_answered.set)
    world.register.is_open.set()
    await is_answered.wait()
    assert service.in_flight == 0


async def test_an_answer_that_no_message_can_carry_is_an_error(world) -> None:
    world.register.put("88.118.8/巨", *(text_value(n, "DESC", "大" * 1_000) for n in range(1, 100)))
    answer = await world.serve(encode_message(request("88.118.8/巨")))
    assert answer.response_code == ResponseCode.ERROR
