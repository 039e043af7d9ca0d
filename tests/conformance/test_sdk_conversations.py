"""What the industrial SDKs said on their connections is said again, and answered as it was then, to the octet."""

from __future__ import annotations

import base64
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio

from handle_protocol.bodies.administration import HandleRequest, ValuesRequest
from handle_protocol.bodies.resolution import ResolutionRequest, ResolutionResponse
from handle_protocol.bodies.site import SiteInfoResponse
from handle_protocol.codes import OpCode, ResponseCode
from handle_protocol.flags import OpFlag
from handle_protocol.handle import Handle, Prefix
from handle_protocol.message import Message, decode_message, encode_message
from handle_protocol.octets import OctetReader
from handle_protocol.predefined.site import InterfaceProtocol, Site
from handle_protocol.record import HandleRecord
from handle_protocol.security.private_keys import SigningKey, make_key, read_private_key
from handle_protocol.value import HandleValue, ValueReference, decode_value
from registry.database import Database
from registry.prefixes import PrefixStore
from registry.records import RecordStore
from tests.conformance.sdk_speaking import (
    CONVERSATIONS,
    KEYS,
    Compared,
    Sdk,
    Turn,
    as_heard,
    conversation,
    expected,
    first_turns,
    recorded,
    recorded_value,
    stand_in,
)
from tests.conformance.seeded import SEED, SERVER_ADMINISTRATOR, administrator, recorded_key, vectors
from tests.conformance.speaking import Prover, ask, connected, request_of
from tests.started_node import StartedNode, wait_until

RSA: Final = recorded_key("admin RSA")
SM2: Final = read_private_key(KEYS["sm2_private_pkcs8_pem"].encode(), None)
APP: Final = Prover(ValueReference(300, "88.300.15907/app"), RSA, "HS_PUBKEY")
"""Who logs in by Teleinfo's SDK."""


def written_by_teleinfo(name: str) -> HandleValue:
    """Return a public key as Teleinfo's SDK writes it: PEM, and nothing around it."""
    return decode_value(OctetReader(bytes.fromhex(KEYS[name])))


RSA_IN_PEM: Final = written_by_teleinfo("rsa_idis_HS_PUBKEY_value_hex")
SM2_IN_PEM: Final = written_by_teleinfo("sm2_idis_HS_PUBKEY_value_hex")
SM2_IN_FRAME: Final = replace(SM2_IN_PEM, data=bytes.fromhex(KEYS["sm2_HS_PUBKEY_data_hex"]))
SM2_IN_DER: Final = replace(SM2_IN_PEM, data=base64.b64decode("".join(KEYS["sm2_public_x509_pem"].splitlines()[1:-1])))

ALIVE: Final = ResolutionRequest(Handle("0"))
"""What Teleinfo's SDK asks on a connection that is idle."""

[USER] = [each for each in vectors("15-teleinfo")["vectors"] if "password" in each]
"""Who logs in with a password."""

ELSEWHERE: Final = Handle("88.300.15907/抄来的")

ACTORS: Final[dict[str, tuple[SigningKey, HandleValue]]] = {
    "rsa, plain": (RSA, RSA_IN_PEM),
    "sm2, plain": (SM2, SM2_IN_PEM),
    "caict": (RSA, RSA_IN_PEM),
}
"""Who speaks: the private key, and what APP's record holds meanwhile."""

LOGIN: Final = ("get-site-info", "login challenge", "login success (answer to challenge-answer, op code 2001)")

NOT_LOGGED_IN: Final = {
    "rsa, plain": ResponseCode.LOG_IN_FIRST,  # This SDK takes a challenge to a change for a success.
    "sm2, plain": ResponseCode.LOG_IN_FIRST,
    "caict": ResponseCode.AUTHENTICATION_NEEDED,  # Nothing tells it from other clients, who are challenged.
}
"""How a change is answered on a connection where nobody has logged in."""


async def store(node: StartedNode, handle: str, *values: HandleValue) -> None:
    """Store a record, as an operator does."""
    async with Database.open(node.database_url) as database:
        await RecordStore(database).put((HandleRecord.of(Handle(handle), values),))


def site_of(node: StartedNode) -> Site:
    """Return where the node says to be."""
    with connected(node.address) as way:
        body = ask(way, request_of(HandleRequest(Handle("/")), OpCode.GET_SITE_INFO)).body
    assert isinstance(body, SiteInfoResponse)
    return body.site


@asynccontextmanager
async def started(data_dir: Path, settings: dict[str, str]) -> AsyncIterator[StartedNode]:
    """Run a node with the prefix record of the recording, with administrators, and its user with a password."""
    shown = decode_message(recorded("caict: resolve response")).body
    assert isinstance(shown, ResolutionResponse)
    named = administrator(101, APP), administrator(102, SERVER_ADMINISTRATOR)
    with StartedNode.run(data_dir, settings) as node:
        async with Database.open(node.database_url) as database:
            await PrefixStore(database).add(Prefix.parse(USER["user"]), enterprise="口令登录的企业")
            await PrefixStore(database).add(SEED, enterprise="南通锂电工具有限公司（示例）")
        await store(node, USER["user"], HandleValue(300, "HS_SECKEY", USER["password"].encode(), permissions=12))
        await store(node, SEED.handle.spelling, *shown.values, *named)
        wait_until(lambda: is_known(node), 20.0)
        yield node
        assert "Traceback" not in node.printed()


def is_known(node: StartedNode) -> bool:
    """Tell whether every worker knows the prefix; a few connections meet them all."""
    codes = set()
    for _ in range(8):
        with Sdk(node.address, RSA) as sdk:
            codes.add(sdk.say(recorded("caict: resolve request"))[1].response_code)
    return codes == {ResponseCode.SUCCESS}


@pytest_asyncio.fixture(scope="module")
async def served(server_data_dir: Path) -> AsyncIterator[StartedNode]:
    """The node that the SDKs speak to."""
    async with started(server_data_dir / "sdks", {}) as node:
        yield node


@pytest_asyncio.fixture
async def node(served: StartedNode) -> StartedNode:
    """The node, without what the SDKs made there before."""
    async with Database.open(served.database_url) as database:
        await RecordStore(database).delete([made_in(name) for name in CONVERSATIONS])
    return served


def handle_of(turn: Turn) -> Handle:
    """Return the handle that a turn writes."""
    body = turn.asked.body
    assert isinstance(body, ValuesRequest)
    return body.handle


def values_of(turn: Turn) -> tuple[HandleValue, ...]:
    """Return the values that a turn writes."""
    body = turn.asked.body
    assert isinstance(body, ValuesRequest)
    return body.values


def made_in(name: str) -> Handle:
    """Return the handle that a conversation is about."""
    return handle_of(first_turns(name)["create"])


@asynccontextmanager
async def speaking(name: str, node: StartedNode) -> AsyncIterator[Sdk]:
    """Speak with the key of a conversation, which is registered first."""
    key, public = ACTORS[name]
    await store(node, APP.identity.handle, public)
    with Sdk(node.address, key) as sdk:
        yield sdk


def say(sdk: Sdk, name: str, *steps: str) -> list[int]:
    """Take some steps of a conversation; return the codes they are answered with."""
    turns = first_turns(name)
    return [sdk.say(turns[step].request)[1].response_code for step in steps]


@pytest.mark.parametrize("name", CONVERSATIONS)
async def test_what_an_sdk_says_is_answered_as_it_was_when_it_was_recorded(name: str, node: StartedNode) -> None:
    site = site_of(node)
    answered: dict[str, bytes] = {}
    async with speaking(name, node) as sdk:
        for turn in conversation(name):
            sent, ours = sdk.say(turn.request)
            compared = Compared(decode_message(sent), ours, decode_message(expected(turn)), time.time(), site)
            answered[f"{turn.name} {ours.request_id}"] = as_heard(compared)
    assert answered == {f"{turn.name} {turn.asked.request_id}": expected(turn) for turn in conversation(name)}
    assert site.servers[0].port(InterfaceProtocol.TCP) == node.handle_port


def test_every_recorded_message_has_its_turn() -> None:
    turns = [turn for name in CONVERSATIONS for turn in conversation(name)]
    messages = {bytes.fromhex(each["wire_hex"]) for each in vectors("15-teleinfo")["vectors"] if "wire_hex" in each}
    assert messages <= {message for turn in turns for message in (turn.request, turn.heard)}


@pytest.mark.parametrize("step", ["modify", "resolve", "remove"])
def test_what_stands_for_a_lost_half_is_what_was_recorded_where_none_was_lost(step: str) -> None:
    """Teleinfo's SDK with one kind of key says to the octet what is put together from what it says with the other."""
    name = f"rsa, plain: {step} request"
    put_together = stand_in(name, f"sm2, plain: {step} request", decode_message(recorded(name)))
    assert put_together == recorded(name)


@pytest.mark.parametrize("name", CONVERSATIONS)
async def test_a_login_holds_on_its_connection_alone_and_ends_with_it(name: str, node: StartedNode) -> None:
    async with speaking(name, node) as sdk, speaking(name, node) as other:
        assert say(sdk, name, *LOGIN) == [1, 402, 1]
        assert say(other, name, "create") == [NOT_LOGGED_IN[name]]
        assert say(sdk, name, "create") == [ResponseCode.SUCCESS]
    async with speaking(name, node) as again:
        assert say(again, name, "delete") == [NOT_LOGGED_IN[name]]
        assert say(again, name, *LOGIN, "delete") == [1, 402, 1, 1]


@pytest.mark.parametrize("name", CONVERSATIONS)
async def test_one_logs_in_once_on_a_connection(name: str, node: StartedNode) -> None:
    async with speaking(name, node) as sdk:
        assert say(sdk, name, *LOGIN, LOGIN[1], "create") == [1, 402, 1, ResponseCode.ALREADY_LOGGED_IN, 1]


@pytest.mark.parametrize("name", CONVERSATIONS)
async def test_a_login_that_is_proved_with_another_key_is_refused_and_may_be_tried_again(
    name: str, node: StartedNode
) -> None:
    async with speaking(name, node) as sdk:
        right, sdk.key = sdk.key, make_key(sdk.key.public_key().kind)
        assert say(sdk, name, *LOGIN, "create") == [1, 402, ResponseCode.AUTHENTICATION_FAILED, NOT_LOGGED_IN[name]]
        sdk.key = right
        assert say(sdk, name, *LOGIN[1:], "create") == [402, 1, 1]


@pytest.mark.parametrize("name", CONVERSATIONS)
async def test_a_challenge_to_log_in_is_answered_once(name: str, node: StartedNode) -> None:
    """There is no challenge any more, nor a session, if the id that the SDK chose is one that we might have given."""
    async with speaking(name, node) as sdk:
        assert say(sdk, name, *LOGIN) == [1, 402, 1]
        assert set(say(sdk, name, LOGIN[2])) <= {ResponseCode.AUTHENTICATION_TIMEOUT, ResponseCode.SESSION_TIMEOUT}
        assert say(sdk, name, "create") == [ResponseCode.SUCCESS]


@pytest.mark.parametrize("name", CONVERSATIONS)
async def test_the_question_that_keeps_a_connection_alive_is_answered_and_ends_no_login(
    name: str, node: StartedNode
) -> None:
    resolve = first_turns(name)["resolve"].asked
    question = encode_message(replace(resolve, body=ALIVE))
    async with speaking(name, node) as sdk:
        assert say(sdk, name, *LOGIN) == [1, 402, 1]
        alive = sdk.say(question)[1]
        assert say(sdk, name, "create") == [ResponseCode.SUCCESS]
    assert (alive.request_id, alive.session_id) == (resolve.request_id, resolve.session_id)
    assert alive.response_code == ResponseCode.SERVER_NOT_RESPONSIBLE


@pytest.mark.parametrize("public", [SM2_IN_PEM, SM2_IN_FRAME, SM2_IN_DER], ids=["pem", "frame", "der"])
async def test_an_sm2_key_is_known_however_it_is_written(public: HandleValue, node: StartedNode) -> None:
    async with speaking("sm2, plain", node) as sdk:
        await store(node, APP.identity.handle, public)
        assert say(sdk, "sm2, plain", *LOGIN, "create") == [1, 402, 1, 1]


@pytest.mark.parametrize(("algorithm", "key"), [("RS256", RSA), ("SM2256", SM2)])
async def test_a_trusted_query_tells_what_teleinfos_sdk_signed_from_what_it_did_not(
    algorithm: str, key: SigningKey, server_data_dir: Path
) -> None:
    anchor = server_data_dir / f"anchor-{algorithm}"
    anchor.write_bytes(key.public_data())
    certificate, signature = (recorded_value(f"teleinfo {kind} {algorithm}") for kind in ("HS_CERT", "HS_SIGNATURE"))
    turns = first_turns("sm2, plain")
    values = *values_of(turns["create"]), *values_of(turns["add"]), signature
    settings = {"IDNODE_TRUST_ANCHORS": f"300:88.111.1/0.0={anchor}"}
    async with started(server_data_dir / f"trusted-{algorithm}", settings) as node:
        await store(node, APP.identity.handle, certificate)
        await store(node, made_in("sm2, plain").spelling, *values)
        await store(node, ELSEWHERE.spelling, *values)
        signed, copied = (trusted_answer(node, handle) for handle in (made_in("sm2, plain"), ELSEWHERE))
    assert (signed.response_code, signed.has_flag(OpFlag.TRUSTED_RESULT)) == (ResponseCode.SUCCESS, True)
    assert isinstance(signed.body, ResolutionResponse)
    assert [value.data for value in signed.body.values] == [value.data for value in values]
    assert copied.response_code == ResponseCode.CREDENTIAL_NOT_VERIFIED


def trusted_answer(node: StartedNode, handle: Handle) -> Message:
    """Return the answer to a trusted query, asked as CAICT's SDK does."""
    question = decode_message(recorded("caict: resolve request #4"))
    with connected(node.address) as way:
        return ask(way, replace(question, body=ResolutionRequest(handle)))


async def test_a_password_is_taken_as_it_was_recorded_where_that_is_set(server_data_dir: Path) -> None:
    turn = first_turns("caict")["password login"]
    async with started(server_data_dir / "legacy", {"IDNODE_LEGACY_AUTHENTICATION": "1"}) as node:
        with Sdk(node.address, RSA) as sdk:
            _, ours = sdk.say(turn.request)
        compared = Compared(turn.asked, ours, decode_message(turn.heard), time.time(), site_of(node))
    assert as_heard(compared) == turn.heard
