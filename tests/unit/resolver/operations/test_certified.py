"""Answers that are signed by the node, and answers that show only what others have signed."""

from __future__ import annotations

from pathlib import Path

import pytest

from handle_protocol.bodies.administration import HandleRequest
from handle_protocol.bodies.resolution import ResolutionRequest
from handle_protocol.codes import OpCode, ResponseCode
from handle_protocol.flags import OpFlag
from handle_protocol.handle import Handle
from handle_protocol.message import OP_FLAGS_USUAL
from handle_protocol.security.message_authentication import verify_signature
from handle_protocol.security.private_keys import make_key
from handle_protocol.security.public_keys import KeyKind
from handle_protocol.security.record_trust import Claims, sign_record
from handle_protocol.value import HandleValue, ValueReference
from tests.builders import text_value
from tests.fakes.served_world import ServedWorker, asking
from tests.unit.resolver.administration.administered_world import NOW

KEY = make_key(KeyKind.RSA)
ROOT = ValueReference(300, "0.NA/88.300.15907")
PUMP = Handle("88.300.15907/水泵")
SIGNED = Handle("88.300.15907/签名")
URL, NAME = text_value(1, "URL", "https://example.cn/水泵"), text_value(2, "名称", "离心泵")
TRUSTED = int(OP_FLAGS_USUAL | OpFlag.TRUSTED_QUERY)


def signature(*values: HandleValue, subject: Handle = SIGNED, expires: int = NOW + 60) -> HandleValue:
    claims = Claims(ROOT, subject.spelling, NOW - 60, expires, NOW - 60)
    return text_value(400, "HS_SIGNATURE", sign_record(values, KEY, claims))


@pytest.mark.parametrize(
    ("body", "op_code"),
    [(ResolutionRequest(PUMP), OpCode.RESOLUTION), (HandleRequest(Handle("/")), OpCode.GET_SITE_INFO)],
)
async def test_an_answer_is_signed_with_the_nodes_key_where_that_is_asked_for(
    world, tmp_path: Path, body, op_code
) -> None:
    worker = ServedWorker(world, tmp_path, key=KEY)
    certified = await worker.ask(asking(body, op_code, op_flags=int(OP_FLAGS_USUAL | OpFlag.CERTIFY)))
    assert certified.response_code == ResponseCode.SUCCESS
    assert verify_signature(certified, KEY.public_key())
    plain = await worker.ask(asking(body, op_code))
    assert plain.credential is None
    await worker.close()


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ((URL, NAME, signature(URL, NAME)), None),
        ((URL, NAME, signature(URL)), "untrusted"),
        ((URL, NAME), "untrusted"),
        ((text_value(1, "URL", "https://evil.cn/"), signature(URL)), "wrong_values"),
        ((URL, signature(URL, expires=NOW - 1)), "not_now"),
        ((URL, signature(URL, subject=PUMP)), "wrong_subject"),
        ((URL, text_value(400, "HS_SIGNATURE", "无")), "unreadable"),
    ],
)
async def test_a_trusted_query_shows_only_what_is_vouched_for(world, tmp_path: Path, values, fault) -> None:
    world.register.put(SIGNED.spelling, *values)
    worker = ServedWorker(world, tmp_path, anchors={ROOT: KEY.public_key()})
    answer = await worker.ask(asking(ResolutionRequest(SIGNED), OpCode.RESOLUTION, op_flags=TRUSTED))
    assert answer.has_flag(OpFlag.TRUSTED_RESULT) == (fault is None)
    if fault is None:
        assert [value.index for value in answer.body.values] == [1, 2, 400]
    else:
        assert answer.response_code == ResponseCode.CREDENTIAL_NOT_VERIFIED
        assert answer.body.text.endswith(f": {fault}")
    plain = await worker.ask(asking(ResolutionRequest(SIGNED), OpCode.RESOLUTION))
    assert plain.response_code == ResponseCode.SUCCESS
    await worker.close()


async def test_what_is_not_there_is_not_there_for_a_trusted_query_either(world, tmp_path: Path) -> None:
    worker = ServedWorker(world, tmp_path)
    question = asking(ResolutionRequest(Handle("88.300.15907/没有")), OpCode.RESOLUTION, op_flags=TRUSTED)
    assert (await worker.ask(question)).response_code == ResponseCode.HANDLE_NOT_FOUND
    await worker.close()
