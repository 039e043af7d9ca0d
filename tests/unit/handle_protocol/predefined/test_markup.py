"""XML in values, hostile XML above all."""

import time

import pytest

from handle_protocol.errors import MalformedMessage
from handle_protocol.predefined import parse_data
from handle_protocol.predefined.location import CHOOSE_BY_DEFAULT, LocationList, decode_locations
from handle_protocol.predefined.markup import read_markup
from handle_protocol.predefined.namespace import Namespace, decode_namespace
from handle_protocol.value import HandleValue
from tests.unit.handle_protocol.conftest import read_vectors

BOMB = b"""<!DOCTYPE l [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><locations>&b;</locations>"""
EXTERNAL = b"""<!DOCTYPE l SYSTEM "file:///etc/passwd"><locations/>"""
HOSTILE = [
    BOMB,
    EXTERNAL,
    b"<!DOCTYPE l><locations/>",
    b"<locations>&undeclared;</locations>",
    b"<locations>" * 20 + b"</locations>" * 20,
    b"<locations>" + b"<location/>" * 501 + b"</locations>",
    b"<locations a='" + b"x" * 65_536 + b"'/>",
    b"<locations/><locations/>",
    b"<locations>",
    b"<locations>\xff</locations>",
    b"<?xml version='1.0' encoding='utf-16'?><locations>\0</locations>",
    b"<other/>",
    b"",
]


@pytest.mark.parametrize("data", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_markup_stays_octets_and_takes_no_time(data: bytes) -> None:
    started = time.perf_counter()
    assert parse_data(HandleValue(1, "10320/loc", data)) == data
    assert parse_data(HandleValue(1, "HS_NAMESPACE", data)) == data
    assert time.perf_counter() - started < 1


def test_a_document_type_is_what_is_refused() -> None:
    with pytest.raises(MalformedMessage, match="without a document type"):
        read_markup(BOMB)


def test_locations_are_what_their_vector_says() -> None:
    vector = next(v for v in read_vectors("04", "value_hex") if v["name"] == "value: 10320/loc")
    locations = decode_locations(vector["decoded"]["data_text"].encode())
    assert locations.choose_by == ("locatt", "country", "weighted")
    assert [location.href for location in locations.locations] == [
        "https://cn.example.com/",
        "https://www.example.com/",
    ]
    assert locations.locations[0].attributes["country"] == "cn"


@pytest.mark.parametrize("attributes", ["", "choose_by=''"])
def test_locations_that_do_not_say_are_chosen_in_the_usual_order(attributes: str) -> None:
    assert decode_locations(f"<locations {attributes}/>".encode()).choose_by == CHOOSE_BY_DEFAULT


def test_a_namespace_is_what_its_vector_says() -> None:
    vector = next(v for v in read_vectors("04", "value_hex") if v["name"] == "value: HS_NAMESPACE")
    source = vector["decoded"]["data_text"].encode()
    assert decode_namespace(source) == Namespace(
        source,
        contacts=("ops@example.cn",),
        is_active=True,
        status_message="",
        location_handles=("0.LOC/88.300",),
    )


def test_a_namespace_may_be_out_of_use() -> None:
    xml = "<namespace><status>inactive</status><statusmsg>已停用</statusmsg></namespace>".encode()
    namespace = decode_namespace(xml)
    assert (namespace.is_active, namespace.status_message) == (False, "已停用")


def test_a_child_of_a_type_has_its_shape() -> None:
    assert isinstance(parse_data(HandleValue(1, "10320/LOC.cn", b"<locations/>")), LocationList)
