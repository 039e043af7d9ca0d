"""Sessions: set up, used with codes and counters, encrypted, ended; at whichever worker a message arrives."""

from __future__ import annotations

from dataclasses import replace

import pytest

from handle_protocol.bodies.administration import HandleRequest, ValuesRequest
from handle_protocol.bodies.resolution import ResolutionRequest, ResolutionResponse
from handle_protocol.bodies.session import ExchangeMode, SessionSetupRequest, SessionSetupResponse
from handle_protocol.codes import OpCode, ResponseCode
from handle_protocol.envelope import Version
from handle_protocol.flags import OpFlag
from handle_protocol.handle import Handle
from handle_protocol.message import Message, decode_message, encode_message, encode_sealed, is_sealed, open_sealed
from handle_protocol.record import encode_value_list
from handle_protocol.security.message_authentication import mac_message, verify_mac
from handle_protocol.security.session_keys import SessionKey, finish_key_agreement, start_key_agreement
from handle_protocol.value import ValueReference
from resolver.operations.peers import Peer
from tests.builders import text_value
from tests.fakes.served_world import ADDRESS, ADMINISTRATOR, ServedWorker, asking, proving

PUMP = Handle("88.300.15907/水泵")
CREATE = ValuesRequest(Handle("88.300.15907/新品"), encode_value_list((text_value(1, "URL", "https://example.cn/"),)))


class Session:
    """A client's side of one session."""

    def __init__(self, session_id: int, key: SessionKey) -> None:
        self.id = session_id
        self.key = key
        self.counter = 0

    @classmethod
    async def set_up(cls, worker: ServedWorker, identity: ValueReference = ADMINISTRATOR) -> Session:
        ours = start_key_agreement()
        body = SessionSetupRequest(ExchangeMode.DIFFIE_HELLMAN, 600, identity, ours.public_data())
        asked = asking(body, OpCode.SESSION_SETUP)
        answer = await worker.ask(asked)
        assert isinstance(answer.body, SessionSetupResponse), answer
        return cls(answer.session_id, finish_key_agreement(ours, answer.body.data, asked.version))

    def coded(self, message: Message, counter: int | None = None) -> Message:
        self.counter += 1
        return mac_message(replace(message, session_id=self.id), self.key, counter or self.counter)

    async def ask(self, worker: ServedWorker, message: Message) -> Message:
        answer = await worker.ask(self.coded(message))
        assert verify_mac(answer, self.key)
        return answer


def reading() -> Message:
    return asking(ResolutionRequest(PUMP), OpCode.RESOLUTION, op_flags=0)


@pytest.mark.parametrize("place", [0, 1])
async def test_one_is_challenged_once_in_a_session_and_known_from_then_on(workers, place) -> None:
    session, worker = await Session.set_up(workers[0]), workers[place]
    asked = reading()
    challenge = await session.ask(worker, asked)
    assert challenge.response_code == ResponseCode.AUTHENTICATION_NEEDED
    answer = await session.ask(worker, proving(challenge, request_id=asked.request_id))
    assert isinstance(answer.body, ResolutionResponse)
    for _ in range(2):
        again = await session.ask(worker, reading())
        assert [value.index for value in again.body.values] == [1, 6, 100]


@pytest.mark.parametrize("comes_sealed", [False, True], ids=["plain", "encrypted"])
@pytest.mark.parametrize("place", [0, 1])
async def test_an_answer_to_a_challenge_needs_no_code_and_may_have_its_own_id(workers, place, comes_sealed) -> None:
    """As the reference's own client does it, 9.2.0."""
    session, worker = await Session.set_up(workers[0]), workers[place]
    challenge = await session.ask(worker, reading())
    proof = replace(proving(challenge), session_id=session.id)
    sealed = encode_sealed(proof, lambda content: session.key.encrypt(proof.version, content))
    octets = await worker.service.serve(sealed if comes_sealed else encode_message(proof), Peer(ADDRESS))
    assert is_sealed(octets) is comes_sealed
    opened = (
        open_sealed(octets, lambda content: session.key.decrypt(proof.version, content)) if comes_sealed else octets
    )
    answer = decode_message(opened)
    assert verify_mac(answer, session.key)
    assert isinstance(answer.body, ResolutionResponse)
    again = await session.ask(worker, reading())
    assert [value.index for value in again.body.values] == [1, 6, 100]


async def test_an_answer_without_a_code_is_for_what_was_challenged_last(worker) -> None:
    session = await Session.set_up(worker)
    challenges = [await session.ask(worker, reading()) for _ in range(2)]
    codes = [(await worker.ask(replace(proving(each), session_id=session.id))).response_code for each in challenges]
    assert codes == [ResponseCode.AUTHENTICATION_FAILED, ResponseCode.AUTHENTICATION_TIMEOUT]


async def test_a_session_of_somebody_else_than_was_named_is_known_as_nobody(worker) -> None:
    session = await Session.set_up(worker, ValueReference(300, "0.NA/88.300.15907"))
    asked = reading()
    challenge = await session.ask(worker, asked)
    assert (await session.ask(worker, proving(challenge, request_id=asked.request_id))).response_code == 1
    assert (await session.ask(worker, reading())).response_code == ResponseCode.AUTHENTICATION_NEEDED


async def test_public_questions_in_a_session_are_answered_with_its_code(worker) -> None:
    session = await Session.set_up(worker)
    answer = await session.ask(worker, asking(ResolutionRequest(PUMP), OpCode.RESOLUTION))
    assert [value.index for value in answer.body.values] == [1, 100]


@pytest.mark.parametrize("place", [0, 1])
async def test_what_comes_encrypted_leaves_encrypted(workers, place) -> None:
    session = await Session.set_up(workers[0])
    coded = session.coded(asking(ResolutionRequest(PUMP), OpCode.RESOLUTION))
    sealed = encode_sealed(coded, lambda content: session.key.encrypt(coded.version, content))
    reply = workers[place].service.serve(sealed, Peer(ADDRESS))
    octets = await reply
    assert is_sealed(octets)
    answer = decode_message(open_sealed(octets, lambda content: session.key.decrypt(coded.version, content)))
    assert verify_mac(answer, session.key)
    assert [value.index for value in answer.body.values] == [1, 100]


async def test_an_answer_is_encrypted_where_that_is_asked_for(worker) -> None:
    session = await Session.set_up(worker)
    flags = int(OpFlag.PUBLIC_ONLY | OpFlag.ENCRYPT)
    coded = session.coded(asking(ResolutionRequest(PUMP), OpCode.RESOLUTION, op_flags=flags))
    assert is_sealed(await worker.service.serve(encode_message(coded), Peer(ADDRESS)))


async def test_a_counter_is_used_once_and_a_code_must_be_right(worker) -> None:
    session = await Session.set_up(worker)
    question = asking(ResolutionRequest(PUMP), OpCode.RESOLUTION)
    coded = session.coded(question)
    assert (await worker.ask(coded)).response_code == ResponseCode.SUCCESS
    assert (await worker.ask(coded)).response_code == ResponseCode.SESSION_MESSAGE_REJECTED
    other = session.coded(asking(CREATE, OpCode.CREATE_HANDLE))
    altered = replace(other, credential=coded.credential)
    assert (await worker.ask(altered)).response_code == ResponseCode.INVALID_SESSION_KEY


async def test_a_session_is_of_its_address_and_of_its_time(worker) -> None:
    session = await Session.set_up(worker)
    question = session.coded(asking(ResolutionRequest(PUMP), OpCode.RESOLUTION))
    assert (await worker.ask(question, Peer("198.51.100.9"))).response_code == ResponseCode.SESSION_TIMEOUT
    later = worker.authentication.clock() + 601
    worker.authentication.clock = lambda: later
    assert (await worker.ask(question)).response_code == ResponseCode.SESSION_TIMEOUT


async def test_an_ended_session_is_not_there_and_says_so_unencrypted_too(worker) -> None:
    session = await Session.set_up(worker)
    ended = await session.ask(worker, asking(HandleRequest(Handle("/")), OpCode.SESSION_TERMINATE))
    assert ended.response_code == ResponseCode.SUCCESS
    coded = session.coded(asking(ResolutionRequest(PUMP), OpCode.RESOLUTION))
    assert (await worker.ask(coded)).response_code == ResponseCode.SESSION_TIMEOUT
    sealed = encode_sealed(coded, lambda content: session.key.encrypt(coded.version, content))
    assert (await worker.ask(sealed)).response_code == ResponseCode.SESSION_TIMEOUT


@pytest.mark.parametrize("mode", [1, 2, 3, 77])
async def test_other_ways_to_agree_on_a_key_are_refused(worker, mode) -> None:
    reference = ADMINISTRATOR if mode == ExchangeMode.HANDLE_KEY else None
    body = SessionSetupRequest(mode, 600, ADMINISTRATOR, key_reference=reference)
    answer = await worker.ask(asking(body, OpCode.SESSION_SETUP))
    assert answer.response_code == ResponseCode.SESSION_FAILED


@pytest.mark.parametrize("public_key", [b"", b"no key", bytes(1_000)])
async def test_a_key_that_is_none_is_refused(worker, public_key) -> None:
    body = SessionSetupRequest(ExchangeMode.DIFFIE_HELLMAN, 600, ADMINISTRATOR, public_key)
    answer = await worker.ask(asking(body, OpCode.SESSION_SETUP))
    assert answer.response_code == ResponseCode.INVALID_SESSION_SETUP


async def test_an_encrypted_message_that_was_altered_is_answered_alike_wherever_it_breaks(worker) -> None:
    """Told apart, a wrong padding, a wrong shape and a wrong code would help to decrypt what somebody recorded."""
    session = await Session.set_up(worker)
    coded = session.coded(asking(ResolutionRequest(PUMP), OpCode.RESOLUTION))
    sealed = encode_sealed(coded, lambda content: session.key.encrypt(coded.version, content))
    wrong = replace(coded, credential=replace(coded.credential, signature=bytes(32)))
    altered = [sealed[:at] + bytes((sealed[at] ^ 1,)) + sealed[at + 1 :] for at in range(20, len(sealed))]
    altered.append(encode_sealed(wrong, lambda content: session.key.encrypt(wrong.version, content)))
    answers = [await worker.ask(each) for each in altered]
    assert {(answer.header.op_code, answer.response_code) for answer in answers} == {(0, ResponseCode.SESSION_TIMEOUT)}


@pytest.mark.parametrize("version", [Version(2, 4), Version(2, 6)])
async def test_codes_that_do_not_cover_their_counter_are_refused(worker, version) -> None:
    session = await Session.set_up(worker)
    old = replace(asking(ResolutionRequest(PUMP), OpCode.RESOLUTION), version=version, suggested=version)
    assert (await worker.ask(session.coded(old))).response_code == ResponseCode.INVALID_SESSION_KEY
    body = SessionSetupRequest(ExchangeMode.DIFFIE_HELLMAN, 600, ADMINISTRATOR, start_key_agreement().public_data())
    set_up = replace(asking(body, OpCode.SESSION_SETUP), version=version, suggested=version)
    assert (await worker.ask(set_up)).response_code == ResponseCode.SESSION_FAILED
