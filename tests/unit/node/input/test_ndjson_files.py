"""NDJSON files: Handle.Net's JSON, one record in a line."""

import json
from pathlib import Path
from typing import Any

import pytest

from handle_protocol.handle import Handle
from handle_protocol.json_form import record_to_json
from handle_protocol.predefined.admin import Administrator, encode_administrator
from handle_protocol.record import HandleRecord
from handle_protocol.value import HandleValue, Ttl, ValueReference
from node.input.input_file import InputFile
from node.input.limits import INDEX_MAX, LINE_OCTETS_MAX
from node.input.problems import Problem, RowError

URL_VALUE = {"index": 1, "type": "URL", "data": {"format": "string", "value": "https://example.cn/轴承"}}


def read(folder: Path, *lines: str | bytes) -> tuple[list[HandleRecord], list[RowError]]:
    path = folder / "products.ndjson"
    path.write_bytes(b"\n".join(line if isinstance(line, bytes) else line.encode() for line in lines))
    batches = list(InputFile.open(path).batches(10_000))
    return [record for batch in batches for record in batch.records], [error for b in batches for error in b.errors]


def line(handle: str = "88.118.9/6205-2RS", **changes: object) -> str:
    return json.dumps({"handle": handle, "values": [{**URL_VALUE, **changes}]}, ensure_ascii=False)


RECORDS = [
    HandleRecord.of(Handle("88.118.9/1"), [HandleValue(1, "URL", "https://example.cn/轴承".encode())]),
    HandleRecord.of(
        Handle("88.118.9/2"),
        [
            HandleValue(2000, "名称", "深沟球轴承".encode(), ttl=Ttl(60), modified_at=1_763_792_751),
            HandleValue(2001, "NAME", b"Deep groove ball bearing", ttl=Ttl(0)),
        ],
    ),
    HandleRecord.of(
        Handle("88.118.9/3"),
        [
            HandleValue(
                100, "HS_ADMIN", encode_administrator(Administrator(0xFFF, ValueReference(300, "0.NA/88.118.9")))
            ),
            HandleValue(5, "octets", b"\xff\x00", permissions=0b1100, references=(ValueReference(1, "88.118.9/1"),)),
            HandleValue(6, "HS_SECKEY", b"secret", ttl=Ttl(1_800_000_000, 1), permissions=0b1100),
        ],
    ),
]


def test_what_the_json_form_writes_reads_back(tmp_path: Path) -> None:
    lines = [json.dumps(record_to_json(record), ensure_ascii=False) for record in RECORDS]
    assert read(tmp_path, *lines) == (RECORDS, [])


def test_other_members_and_blank_lines_are_passed_over(tmp_path: Path) -> None:
    answer: dict[str, Any] = {"responseCode": 1, **json.loads(line()), "more": [None]}
    records, errors = read(tmp_path, b"\xef\xbb\xbf" + json.dumps(answer).encode(), "", "  \r")
    assert errors == []
    assert [record.handle.spelling for record in records] == ["88.118.9/6205-2RS"]


@pytest.mark.parametrize(
    ("bad", "field", "problem"),
    [
        ("{", "", Problem.INVALID_JSON),
        ("[]", "", Problem.INVALID_JSON),
        ("[" * 100_000, "", Problem.INVALID_JSON),
        ('{"handle": 5, "values": []}', "", Problem.INVALID_JSON),
        ('{"values": []}', "", Problem.INVALID_JSON),
        (b'{"handle": "88.118.9/\xff", "values": []}', "", Problem.NOT_TEXT),
        ('{"handle": "88.118.9/x"}', "", Problem.INVALID_JSON),
        ('{"handle": "", "values": []}', "handle", Problem.INVALID_HANDLE),
        (line("88.118.9"), "handle", Problem.INVALID_HANDLE),
        (line("88.118.9/first"), "handle", Problem.DUPLICATE_HANDLE),
        (line("88.118.9/x", index=0), "values[0].index", Problem.INVALID_VALUE),
        (line("88.118.9/x", index=INDEX_MAX + 1), "values[0].index", Problem.INVALID_VALUE),
        (line("88.118.9/x", index="一"), "values[0].index", Problem.INVALID_VALUE),
        (line("88.118.9/x", type=7), "values[0].type", Problem.INVALID_VALUE),
        (line("88.118.9/x", data=7), "values[0].data", Problem.INVALID_VALUE),
        *(
            (line("88.118.9/x", type=kind, data=data), "values[0].data", Problem.INVALID_URL)
            for kind in ("URL", "url", "URL.CN")
            for data in (
                {"format": "string", "value": "https://a.cn/\r\nX: 1"},
                {"format": "string", "value": "https://a.cn\\@b.cn"},
                {"format": "base64", "value": "aHR0cDovL2EuY24vAA=="},
                "https://a.cn/\t",
            )
        ),
        (line("88.118.9/x", ttl="soon"), "values[0].ttl", Problem.INVALID_VALUE),
        (line("88.118.9/x", permissions="12"), "values[0].permissions", Problem.INVALID_VALUE),
        (line("88.118.9/x", timestamp="1969-01-01T00:00:00Z"), "values[0].timestamp", Problem.INVALID_VALUE),
        (line("88.118.9/x", timestamp="2200-01-01T00:00:00Z"), "values[0].timestamp", Problem.INVALID_VALUE),
        (
            json.dumps({"handle": "88.118.9/x", "values": [URL_VALUE, URL_VALUE]}),
            "index",
            Problem.DUPLICATE_INDEX,
        ),
        (
            json.dumps({"handle": "88.118.9/x", "values": [{**URL_VALUE, "index": n + 1} for n in range(2_049)]}),
            "values",
            Problem.TOO_MANY_VALUES,
        ),
        (line("88.118.9/x", data={"format": "string", "value": "x" * 262_144}), "", Problem.RECORD_TOO_LONG),
        (b" " * 4 * LINE_OCTETS_MAX, "", Problem.LINE_TOO_LONG),
    ],
)
def test_a_bad_line_is_named_and_the_others_are_read(
    tmp_path: Path, bad: str | bytes, field: str, problem: Problem
) -> None:
    records, errors = read(tmp_path, line("88.118.9/first"), bad, line("88.118.9/last"))
    assert [record.handle.suffix for record in records] == ["first", "last"]
    assert [(error.row, error.field, error.problem) for error in errors] == [(2, field, problem)]
    assert errors[0].reason
    assert errors[0].reason_zh
