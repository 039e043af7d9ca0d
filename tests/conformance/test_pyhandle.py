"""pyhandle, a client nobody here wrote, resolves from a started node over HTTP."""

from __future__ import annotations

import base64
import warnings

import pytest

from tests.conformance.conftest import PICTURE
from tests.started_node import StartedNode

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # Its docstrings have backslashes that Python complains of.
    from pyhandle.client.resthandleclient import RESTHandleClient
    from pyhandle.handleexceptions import GenericHandleError, HandleNotFoundException

HANDLE = "88.118.8/JXDY2106023"
RECORD = {
    "URL": "https://tools.example.cn/JXDY2106023",
    "名称": "锂电冲击扳手",
    "型号": "DCPB18-350",
    "图片": base64.b64encode(PICTURE).decode(),
}


@pytest.fixture
def client(node: StartedNode) -> RESTHandleClient:
    return RESTHandleClient.instantiate_for_read_access(handle_server_url=node.site)


def test_a_record_is_what_everybody_may_read(client: RESTHandleClient) -> None:
    assert client.retrieve_handle_record(HANDLE) == RECORD


def test_a_record_is_the_registers_own_when_asked_for(client: RESTHandleClient) -> None:
    assert client.retrieve_handle_record(HANDLE, auth=True) == RECORD


def test_a_suffix_may_hold_slashes_and_spaces(client: RESTHandleClient) -> None:
    assert client.retrieve_handle_record("88.118.8/批次/2024年 一号") == {"名称": "含斜线与空格的后缀"}


def test_indexes_and_types_select(client: RESTHandleClient) -> None:
    selected = client.retrieve_handle_record_json(HANDLE, indices=[1, 2001])
    assert [value["index"] for value in selected["values"]] == [1, 2001]
    assert client.retrieve_handle_record(HANDLE, type="名称") == {"名称": "锂电冲击扳手"}


@pytest.mark.parametrize(("key", "expected"), [*RECORD.items(), ("没有这一项", None), ("内部价", None)])
def test_a_single_value(client: RESTHandleClient, key: str, expected: str | None) -> None:
    assert client.get_value_from_handle(HANDLE, key) == expected


def test_what_does_not_exist_is_none(client: RESTHandleClient) -> None:
    assert client.retrieve_handle_record("88.118.8/没有") is None
    assert client.retrieve_handle_record_json("88.118.8/没有") is None
    with pytest.raises(HandleNotFoundException):
        client.get_value_from_handle("88.118.8/没有", "名称")


def test_what_is_not_ours_is_no_such_none(client: RESTHandleClient) -> None:
    with pytest.raises(GenericHandleError):
        client.retrieve_handle_record("20.500.12345/陌生")


def test_a_prefix_says_where_it_is_served(client: RESTHandleClient, node: StartedNode) -> None:
    (site,) = client.retrieve_handle_record_json("0.NA/88.118.8")["values"]
    assert site["type"] == "HS_SITE"
    (server,) = site["data"]["value"]["servers"]
    assert {(each["protocol"], each["port"]) for each in server["interfaces"]} == {
        ("TCP", node.handle_port),
        ("UDP", node.handle_port),
        ("HTTP", node.http_port),
        ("HTTPS", node.http_port),
    }
