"""Records created over the wire: one kept connection that has logged in, every answer on disk before it is sent.

With many requests under way the changes of a worker share transactions; with one at a time each waits for a commit of
its own, and so does the floor: a row inserted by a bare connection, one commit each.
"""

from __future__ import annotations

import json
import secrets
import socket
import time
from collections.abc import Iterable, Iterator
from itertools import count
from pathlib import Path
from typing import Final

from handle_protocol.bodies.administration import ValuesRequest
from handle_protocol.bodies.challenge import Challenge, ChallengeAnswer
from handle_protocol.bodies.login import KeyLoginRequest
from handle_protocol.codes import OpCode, ResponseCode
from handle_protocol.exchange import challenge_answer_request, request
from handle_protocol.handle import Handle
from handle_protocol.message import Message, answer_version, decode_message, encode_message
from handle_protocol.record import encode_value_list
from handle_protocol.security.secret_proofs import make_secret_proof
from handle_protocol.transmission import StreamCutter
from handle_protocol.value import HandleValue, ValueReference
from load_tests import bare_postgres
from load_tests.benchmarks.tcp_pipelined import message_end
from load_tests.figures import Line, described, rate
from load_tests.node_program import NodeProgram
from load_tests.rounds import by_turns, ratio, under
from load_tests.stream_load import StreamLoad

PREFIX: Final = "88.118.77"
ADMINISTRATOR: Final = ValueReference(301, f"0.NA/{PREFIX}")
SECRET: Final = b"load test"
DEPTH: Final = 64
"""As many as one connection may have under way."""

GOAL_PER_SECOND: Final = 1_500

_SUCCESS: Final = ResponseCode.SUCCESS.to_bytes(4, "big")
_CODE: Final = slice(24, 28)


def measure(seconds: float) -> Iterator[Line]:
    """Yield how many records are created a second, with many requests under way and with one."""
    numbers = count(1)
    with NodeProgram.start() as node:
        _make_prefix(node)
        worker = [node.worker]
        many = StreamLoad(node.native_address, message_end, connections=1, depth=DEPTH, prepare=_log_in)
        one = StreamLoad(node.native_address, message_end, connections=1, depth=1, prepare=_log_in)
        creates = map(_create, numbers)
        pipelined, single, commits, database = by_turns(
            (
                under(many, creates, lambda: worker, _count_wrong),
                under(one, creates, lambda: worker, _count_wrong),
                lambda length: bare_postgres.run(bare_postgres.commit_rows(node.database_url, length)),
                under(many, creates, lambda: node.postgres, _count_wrong),
            ),
            seconds,
        )
    rounds = (*pipelined, *single, *database)
    yield Line(
        f"creates, {DEPTH} under way",
        f"{described(pipelined)} of the worker, {described(database)} of Postgres",
        result=rate(pipelined).median,
        goal=GOAL_PER_SECOND,
        wrong=sum(each.wrong for each in rounds),
        lost=sum(each.lost for each in rounds),
    )
    yield Line(
        "creates, one by one",
        f"{described(single)} of the worker",
        f"bare commits {rate(commits)} /s",
        ratio((each.per_second for each in single), (each.per_second for each in commits)),
    )


def _make_prefix(node: NodeProgram) -> None:
    admin = {"handle": ADMINISTRATOR.handle, "index": ADMINISTRATOR.index, "permissions": "111111111111"}
    values = [
        {"index": 100, "type": "HS_ADMIN", "data": {"format": "admin", "value": admin}},
        {"index": 301, "type": "HS_SECKEY", "data": SECRET.decode(), "permissions": "1100"},
    ]
    file = Path(node.data_dir.parent) / "prefix.ndjson"
    file.write_text(json.dumps({"handle": f"0.NA/{PREFIX}", "values": values}) + "\n")
    node.command("prefix", "add", PREFIX)
    node.command("import", str(file))


def _log_in(connection: socket.socket) -> None:
    """Prove on a new connection to be the administrator, as the industrial SDKs do."""
    challenge = _ask(connection, _request(KeyLoginRequest(ADMINISTRATOR), OpCode.KEY_LOGIN))
    assert isinstance(challenge.body, Challenge), challenge
    assert challenge.body.request_digest is not None, challenge
    digest = challenge.body.request_digest.octets
    proof = make_secret_proof(SECRET, challenge.body.nonce, digest, answer_version(challenge))
    answer = ChallengeAnswer("HS_SECKEY", ADMINISTRATOR, proof)
    sent = challenge_answer_request(challenge, answer, request_id=_request_id(), now=time.time())
    assert _ask(connection, sent).response_code == ResponseCode.SUCCESS


def _ask(connection: socket.socket, message: Message) -> Message:
    connection.sendall(encode_message(message))
    cutter = StreamCutter()
    while not (messages := cutter.feed(connection.recv(65_536))):
        pass
    return decode_message(messages[0])


def _create(number: int) -> bytes:
    values = (
        HandleValue(1, "URL", f"https://example.cn/产品/{number}".encode()),
        HandleValue(2000, "名称", f"行星减速机 {number}".encode()),
        HandleValue(2001, "型号", b"PX-90"),
    )
    body = ValuesRequest(Handle(f"{PREFIX}/{number}"), encode_value_list(values))
    return encode_message(_request(body, OpCode.CREATE_HANDLE))


def _request(body: KeyLoginRequest | ValuesRequest, op_code: OpCode) -> Message:
    return request(body, op_code, request_id=_request_id(), now=time.time())


def _request_id() -> int:
    return 1 + secrets.randbelow(2**31 - 1)


def _count_wrong(answers: Iterable[bytes]) -> int:
    return sum(answer[_CODE] != _SUCCESS for answer in answers)
