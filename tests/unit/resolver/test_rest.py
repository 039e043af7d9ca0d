"""Answers in Handle.Net's JSON, parameters and content negotiation, as tables."""

from __future__ import annotations

import json

import pytest

from handle_protocol.codes import ResponseCode
from handle_protocol.handle import Handle, Prefix
from handle_protocol.predefined.site import Site
from handle_protocol.record import HandleRecord
from resolver.answer import (
    Answer,
    Busy,
    Found,
    NotFound,
    NotResponsible,
    PermissionNeeded,
    Referred,
    Suspended,
    ValuesNotFound,
)
from resolver.query import Query
from resolver.translation import negotiation
from resolver.translation.parameters import PARAMETERS_MAX, Parameters, UnreadableParameters
from resolver.translation.rest import JSON_TYPE, RestAnswer, encode, failure, query_of, rest_answer_of, site_answer_of
from tests.builders import text_value

PUMP = Handle("88.118.8/离心泵")
RECORD = HandleRecord.of(PUMP, [text_value(1, "URL", "https://example.cn/泵")])
SITE = Site((), serial=7)

ANSWERS: dict[str, tuple[Answer, int, int, list[str]]] = {
    "found": (Found(RECORD), 200, 1, ["handle", "values"]),
    "not found": (NotFound(PUMP), 404, 100, ["handle"]),
    "no values": (ValuesNotFound(PUMP), 200, 200, ["values", "handle"]),
    "not responsible": (NotResponsible(PUMP), 400, 301, ["handle", "message"]),
    "suspended": (Suspended(PUMP, Prefix("88.118.8")), 400, 301, ["handle", "message"]),
    "referred": (Referred(PUMP, SITE), 300, 302, ["handle", "values"]),
    "prefix referred": (Referred(PUMP, SITE, is_prefix_query=True), 300, 303, ["handle", "values"]),
    "permission needed": (PermissionNeeded(PUMP), 403, 402, ["handle"]),
    "busy": (Busy(PUMP), 503, 3, ["handle", "message"]),
}


@pytest.mark.parametrize(("answer", "status", "code", "members"), ANSWERS.values(), ids=ANSWERS)
def test_each_answer_has_its_code_status_and_members(
    answer: Answer, status: int, code: int, members: list[str]
) -> None:
    said = rest_answer_of(Query(PUMP), answer)
    assert (said.status, said.code, list(said.members)) == (status, code, members)


def test_the_handle_is_spelled_as_it_was_asked() -> None:
    assert rest_answer_of(Query(Handle("88.118.8/ASKED")), Found(RECORD)).members["handle"] == "88.118.8/ASKED"


def test_a_referral_holds_the_site() -> None:
    (value,) = rest_answer_of(Query(PUMP), Referred(PUMP, SITE)).members["values"]
    assert (value["type"], value["data"]["value"]["serialNumber"]) == ("HS_SITE", 7)
    assert site_answer_of(SITE).members["site"] == value["data"]["value"]


def test_an_unlisted_code_is_our_fault() -> None:
    assert failure(ResponseCode.SESSION_FAILED).status == 500


ENCODINGS = {
    "compact": ("", JSON_TYPE, '{"responseCode":100,"handle":"88.118.8/泵"}'),
    "pretty": ("pretty", JSON_TYPE, '{\n  "responseCode": 100,\n  "handle": "88.118.8/泵"\n}'),
    "not pretty": ("pretty=false", JSON_TYPE, '{"responseCode":100,"handle":"88.118.8/泵"}'),
    "callback": (
        "callback=my.fn",
        "application/javascript;charset=UTF-8",
        'my_fn({"responseCode":100,"handle":"88.118.8/泵"});',
    ),
    "hostile callback": (
        "callback=alert(1)//",
        "application/javascript;charset=UTF-8",
        'alert_1___({"responseCode":100,"handle":"88.118.8/泵"});',
    ),
    "empty callback": ("callback=", JSON_TYPE, '{"responseCode":100,"handle":"88.118.8/泵"}'),
}


@pytest.mark.parametrize(("form", "content_type", "text"), ENCODINGS.values(), ids=ENCODINGS)
def test_json_is_written_as_it_was_asked_for(form: str, content_type: str, text: str) -> None:
    answer = RestAnswer(ResponseCode.HANDLE_NOT_FOUND, {"handle": "88.118.8/泵"})
    assert encode(answer, Parameters.from_form(form)) == (content_type, text.encode())


QUERIES = {
    "": Query(PUMP),
    "index=1&index=4294967295": Query(PUMP, indexes=(1, 4_294_967_295)),
    "type=URL&type=%E5%90%8D%E7%A7%B0": Query(PUMP, types=("URL", "名称")),
    "publicOnly=false": Query(PUMP, is_public_only=False),
    "publicOnly": Query(PUMP),
    "auth": Query(PUMP, is_authoritative=True),
    "auth=no": Query(PUMP),
    "doNotRefer=true": Query(PUMP, may_refer=False),
    "cert=true": Query(PUMP),
}


@pytest.mark.parametrize(("form", "query"), QUERIES.items())
def test_parameters_make_the_query(form: str, query: Query) -> None:
    assert query_of(PUMP, Parameters.from_form(form)) == query


@pytest.mark.parametrize("index", ["abc", "", "-1", "1.5", "４", "4294967296", "9" * 5_000])
def test_a_wrong_index_is_refused(index: str) -> None:
    with pytest.raises(UnreadableParameters, match="index"):
        query_of(PUMP, Parameters((("index", index),)))


@pytest.mark.parametrize("form", ["a=%FF", "a=\udcff", "&".join(["a"] * (PARAMETERS_MAX + 1))])
def test_unreadable_forms_are_refused(form: str) -> None:
    with pytest.raises(UnreadableParameters, match="expected"):
        Parameters.from_form(form)


def test_json_parameters_are_read_like_a_form() -> None:
    octets = json.dumps({"index": [1, 100], "type": "URL", "publicOnly": False, "pretty": True, "auth": None}).encode()
    expected = "index=1&index=100&type=URL&publicOnly=false&pretty=true&auth="
    assert Parameters.from_json(octets) == Parameters.from_form(expected)


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"[]",
        b"1",
        b'{"a":{}}',
        b'{"a":[[1]]}',
        b"[" * 100_000,
        b'{"a":' + b"[" * 100_000,
        b'{"a":"\xff"}',
        b'{"a":[' + b"1," * PARAMETERS_MAX + b"1]}",
    ],
)
def test_unreadable_json_is_refused(octets: bytes) -> None:
    with pytest.raises(UnreadableParameters, match="expected"):
        Parameters.from_json(octets)


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "zh"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en-US,en;q=0.5", "en"),
        ("de,en;q=0.3,zh;q=0.7", "zh"),
        ("fr", "zh"),
        ("en;q=0, zh", "zh"),
        ("en;q=abc", "zh"),
        ("en;q=nan", "zh"),
        ("*, en;q=0.5", "zh"),
        ("," * 10_000, "zh"),
    ],
)
def test_pages_are_in_the_readers_language(header: str, language: str) -> None:
    assert negotiation.language_of(header) == language


@pytest.mark.parametrize(
    ("accept", "wants_json", "wants_data"),
    [
        ("", False, False),
        ("*/*", False, False),
        ("text/html", False, False),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", False, False),
        ("application/json", True, True),
        ("application/json, text/plain, */*", True, False),
        ("application/json;q=0.5, text/html", False, False),
        ("application/rdf+xml", False, True),
        ("application/rdf+xml, */*;q=0.1", False, True),
        ("application/rdf+xml;q=0.5, text/html", False, False),
    ],
)
def test_accept_tells_pages_from_data(accept: str, wants_json: bool, wants_data: bool) -> None:  # noqa: FBT001
    assert (negotiation.wants_json(accept), negotiation.wants_data(accept)) == (wants_json, wants_data)


def test_of_a_deleted_handle_it_is_said_that_it_was_there() -> None:
    handle = Handle("88.118.8/旧泵")
    gone = rest_answer_of(Query(handle), NotFound(handle, was_deleted=True))
    assert (gone.status, gone.code) == (404, ResponseCode.HANDLE_NOT_FOUND)
    assert gone.members == {"handle": "88.118.8/旧泵", "message": "该标识已被删除 / Deleted"}
    assert rest_answer_of(Query(handle), NotFound(handle)).members == {"handle": "88.118.8/旧泵"}
