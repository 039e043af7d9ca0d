"""Administrators whose keys another node keeps: two started nodes, and servers that are down, silent or liars."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from time import monotonic, time

import pytest

from handle_protocol.bodies.challenge import VerifyChallengeRequest, VerifyChallengeResponse
from handle_protocol.bodies.digest import DigestAlgorithm, RequestDigest
from handle_protocol.bodies.resolution import ResolutionRequest
from handle_protocol.codes import OpCode, ResponseCode
from handle_protocol.exchange import Exchange, resolution_request
from handle_protocol.flags import OpFlag
from handle_protocol.handle import Handle
from handle_protocol.json_form import value_to_json
from handle_protocol.message import OP_FLAGS_USUAL, Message, answer_to
from handle_protocol.record import HandleRecord
from handle_protocol.security.certificates import CertificatePermission, CertificateRight
from handle_protocol.security.private_keys import SigningKey, make_key
from handle_protocol.security.public_keys import KeyKind
from handle_protocol.security.record_trust import Claims, sign_certificate, sign_record
from handle_protocol.value import HandleValue, ValueReference
from resolver.asking.remote_keys import ASKING_SECONDS
from resolver.asking.streams import StreamWire
from resolver.client import Identity, connect
from tests.builders import text_value
from tests.fakes.scripted_server import Conversation, refused, scripted_server
from tests.started_node import StartedNode, free_ports

HERE, THERE, ELSEWHERE = "88.118.30", "88.118.31", "88.999.1"
"""Hosted here; delegated to the other node; known through the other node as a resolver."""

ROOT = ValueReference(300, "88.111.1/0.0")
SILENT_SECONDS_MAX = 3 * ASKING_SECONDS
SECRET = "s3cret-密钥".encode()
_numbers = count(1)


@dataclass(frozen=True)
class Nodes:
    """Our node, and another that keeps the keys of its administrators.

    Attributes:
        key: the private key of everybody, the trusted root of certificates too.
        liar_port: where the prefix 88.118.32 is delegated to, whoever listens there.
    """

    ours: StartedNode
    other: StartedNode
    key: SigningKey
    liar_port: int

    async def create_as(self, reference: str, key: SigningKey | bytes, seconds: float = 10.0) -> ResponseCode:
        """Make a record here; return what our node says."""
        identity = Identity(ValueReference.parse(reference), key)
        record = HandleRecord.of(Handle(f"{HERE}/泵-{next(_numbers)}"), (text_value(1, "名称", "泵"),))
        async with connect(self.ours.address, identity=identity, timeout_seconds=seconds) as node:
            return ResponseCode((await node.create(record)).response_code)


def store(node: StartedNode, handle: str, *values: HandleValue | dict) -> None:
    rows = [value_to_json(value) if isinstance(value, HandleValue) else value for value in values]
    file = node.data_dir / "record.ndjson"
    file.write_text(json.dumps({"handle": handle, "values": rows}) + "\n")
    assert node.idnode("import", str(file)).returncode == 0


def administered_by(*references: str) -> list[dict]:
    grants = [
        {"handle": each.partition(":")[2], "index": int(each.partition(":")[0]), "permissions": "111111111111"}
        for each in references
    ]
    return [
        {"index": index, "type": "HS_ADMIN", "data": {"format": "admin", "value": grant}}
        for index, grant in enumerate(grants, 100)
    ]


@pytest.fixture(scope="module")
def nodes(server_data_dir: Path) -> Iterator[Nodes]:
    folder = server_data_dir / "remote"
    folder.mkdir(mode=0o755)
    (liar_port,) = free_ports(1)
    key = make_key(KeyKind.RSA)
    public = HandleValue(300, "HS_PUBKEY", key.public_data())
    with StartedNode.run(folder / "other", workers=1) as other:
        (folder / "root.pub").write_bytes(key.public_key().data())
        settings = {
            "IDNODE_IDENTITY_RESOLVERS": f"127.0.0.1:{other.handle_port}",
            "IDNODE_TRUST_ANCHORS": f"{ROOT}={folder / 'root.pub'}",
        }
        with StartedNode.run(folder / "ours", settings, workers=1) as ours:
            for prefix in (THERE, ELSEWHERE):
                assert other.idnode("prefix", "add", prefix).returncode == 0
                store(other, f"{prefix}/管理员", public, HandleValue(301, "HS_SECKEY", SECRET, permissions=12))
            for prefix, port in ((THERE, other.handle_port), ("88.118.32", liar_port)):
                delegate = ("--delegate", f"127.0.0.1:{port}")
                assert ours.idnode("prefix", "add", prefix, *delegate).returncode == 0
            assert ours.idnode("prefix", "add", HERE).returncode == 0
            owners = [f"{index}:{prefix}/管理员" for prefix in (THERE, ELSEWHERE, "88.118.32") for index in (300, 301)]
            store(ours, f"0.NA/{HERE}", public, *administered_by(f"300:0.NA/{HERE}", *owners))
            yield Nodes(ours, other, key, liar_port)


@pytest.mark.parametrize("prefix", [THERE, ELSEWHERE], ids=["delegated", "found by a resolver"])
async def test_a_public_key_that_another_node_keeps_lets_its_owner_in(nodes: Nodes, prefix: str) -> None:
    made = await nodes.create_as(f"300:{prefix}/管理员", nodes.key)
    assert made == ResponseCode.SUCCESS, nodes.ours.printed()
    forged = await nodes.create_as(f"300:{prefix}/管理员", make_key(KeyKind.RSA))
    assert forged == ResponseCode.AUTHENTICATION_FAILED


async def test_a_secret_key_is_verified_by_the_delegated_node_that_keeps_it(nodes: Nodes) -> None:
    assert await nodes.create_as(f"301:{THERE}/管理员", SECRET) == ResponseCode.SUCCESS
    assert await nodes.create_as(f"301:{THERE}/管理员", b"falsch") == ResponseCode.AUTHENTICATION_FAILED


async def test_a_secret_key_is_never_asked_about_at_a_node_that_we_did_not_delegate_to(nodes: Nodes) -> None:
    assert await nodes.create_as(f"301:{ELSEWHERE}/管理员", SECRET) == ResponseCode.AUTHENTICATION_ERROR


@pytest.mark.parametrize("holder", ["签署者", "没有"], ids=["certified", "stranger"])
async def test_a_trusted_query_is_vouched_for_by_a_certificate_that_another_node_keeps(
    nodes: Nodes, holder: str
) -> None:
    now, signer = int(time()), make_key(KeyKind.RSA)
    everything = [CertificatePermission(CertificateRight.EVERYTHING)]
    about = Claims(ROOT, f"300:{ELSEWHERE}/签署者", now - 60, now + 3_600, now)
    certificate = sign_certificate(everything, signer.public_key(), nodes.key, about)
    value, name = text_value(1, "名称", "减速机"), f"{HERE}/由{holder}签名"
    about = Claims(ValueReference(300, f"{ELSEWHERE}/{holder}"), name, now - 60, now + 3_600, now)
    signature = HandleValue(401, "HS_SIGNATURE", sign_record([value], signer, about).encode())
    store(nodes.other, f"{ELSEWHERE}/签署者", HandleValue(400, "HS_CERT", certificate.encode()))
    store(nodes.ours, name, value, signature)
    answer = await ask_trusted(nodes.ours, Handle(name))
    is_certified = holder == "签署者"
    assert answer.has_flag(OpFlag.TRUSTED_RESULT) == is_certified
    assert (answer.response_code == ResponseCode.CREDENTIAL_NOT_VERIFIED) == (not is_certified)


async def ask_trusted(node: StartedNode, handle: Handle) -> Message:
    """Ask as CAICT's SDK does; the client offers no such question."""
    flags = OP_FLAGS_USUAL | OpFlag.TRUSTED_QUERY
    asked = resolution_request(ResolutionRequest(handle), request_id=1, now=time(), op_flags=flags)
    wire = StreamWire(node.address)
    async with aclosing(wire.ask(Exchange(asked))) as parts:
        answer, _ = await anext(parts)
    await wire.close()
    return answer


async def test_a_node_that_is_down_is_told_at_once_as_an_outage(nodes: Nodes) -> None:
    began_at = monotonic()
    codes = [
        await nodes.create_as(f"{index}:88.118.32/管理员", key) for index, key in ((300, nodes.key), (301, SECRET))
    ]
    assert codes == [ResponseCode.SERVER_TOO_BUSY] * 2
    assert monotonic() - began_at < SILENT_SECONDS_MAX


async def test_a_silent_node_is_waited_for_no_longer_than_its_deadline_and_holds_nobody_else_up(nodes: Nodes) -> None:
    async def listen_only(conversation: Conversation) -> None:
        while True:
            await conversation.listen()

    async with scripted_server(listen_only, nodes.liar_port):
        waiting = [
            asyncio.create_task(nodes.create_as(f"{index}:88.118.32/管理员", key))
            for index, key in ((300, nodes.key), (301, SECRET))
        ]
        began_at = monotonic()
        own = [await nodes.create_as(f"300:0.NA/{HERE}", nodes.key) for _ in range(5)]
        own_seconds = monotonic() - began_at
        were_waiting = not any(task.done() for task in waiting)
        codes = await asyncio.gather(*waiting)
        seconds = monotonic() - began_at
    assert (own, codes) == ([ResponseCode.SUCCESS] * 5, [ResponseCode.SERVER_TOO_BUSY] * 2)
    assert were_waiting, own_seconds
    assert ASKING_SECONDS * 0.9 <= seconds < SILENT_SECONDS_MAX


def verdict(asked: Message, number: int, digest: RequestDigest | None = None) -> Message:
    return answer_to(asked, ResponseCode.SUCCESS, VerifyChallengeResponse(number, digest), now=time())


def changed(message: Message, **fields: int) -> Message:
    return replace(message, header=replace(message.header, **fields))


OTHERS_DIGEST = RequestDigest(DigestAlgorithm.SHA256, bytes(32))

LIES = {
    "another verdict than yes": (lambda asked: verdict(asked, 2), ResponseCode.AUTHENTICATION_FAILED),
    "a refusal": (
        lambda asked: refused(asked, ResponseCode.OPERATION_NOT_SUPPORTED),
        ResponseCode.AUTHENTICATION_ERROR,
    ),
    "too busy": (lambda asked: refused(asked, ResponseCode.SERVER_TOO_BUSY), ResponseCode.SERVER_TOO_BUSY),
    "yes to another request": (
        lambda asked: replace(verdict(asked, 1), request_id=asked.request_id ^ 1),
        ResponseCode.SERVER_TOO_BUSY,
    ),
    "yes to another operation": (
        lambda asked: changed(verdict(asked, 1), op_code=OpCode.DELETE_HANDLE),
        ResponseCode.SERVER_TOO_BUSY,
    ),
    "yes to what others asked": (
        lambda asked: changed(verdict(asked, 1, OTHERS_DIGEST), op_flags=OpFlag.RETURN_REQUEST_DIGEST),
        ResponseCode.SERVER_TOO_BUSY,
    ),
    "yes that has expired": (
        lambda asked: changed(verdict(asked, 1), expires_at=1),
        ResponseCode.SERVER_TOO_BUSY,
    ),
}


@pytest.mark.parametrize("lie", LIES)
async def test_only_a_plain_yes_to_our_very_question_proves_a_secret_key(nodes: Nodes, lie: str) -> None:
    make_answer, code = LIES[lie]

    async def lying(conversation: Conversation) -> None:
        asked = await conversation.listen()
        assert isinstance(asked.body, VerifyChallengeRequest)
        conversation.say(make_answer(asked))
        await conversation.listen()

    async with scripted_server(lying, nodes.liar_port):
        assert await nodes.create_as("301:88.118.32/管理员", SECRET) == code
