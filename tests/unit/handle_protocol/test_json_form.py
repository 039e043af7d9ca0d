"""Values and records as JSON."""

import json
from ipaddress import IPv4Address
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from handle_protocol.errors import InvalidHandle, InvalidValue, ProtocolError
from handle_protocol.handle import Handle
from handle_protocol.json_form import record_from_json, record_to_json, value_from_json, value_to_json
from handle_protocol.octets import OctetReader
from handle_protocol.predefined import Data, format_data
from handle_protocol.predefined.public_key import RsaPublicKey, encode_public_key
from handle_protocol.predefined.site import Attribute, Site, SiteServer, encode_site
from handle_protocol.record import HandleRecord
from handle_protocol.value import HandleValue, Permissions, Ttl, TtlKind, ValueReference, decode_value
from tests.unit.handle_protocol.conftest import DIRECTORY, read_vectors
from tests.unit.handle_protocol.strategies import octets, references, tuples, typed_data, u32

SEEDS = json.loads((DIRECTORY / "seed-handles.json").read_text())["handles"]
REST_RECORDS = [
    vector["response"]["json"]
    for vector in read_vectors("14", "response")
    if "values" in (vector["response"].get("json") or {}) and vector["response"]["json"]["values"]
]


def value_of(**members: Any) -> HandleValue:
    return value_from_json({"index": 1, "type": "URL", "data": "https://例.cn", **members})


def json_text(form: object) -> str:
    """The order of members counts, too."""
    return json.dumps(form, ensure_ascii=False)


def test_a_value_is_written_as_its_vector_has_it(value_vector: dict[str, Any]) -> None:
    value = decode_value(OctetReader(bytes.fromhex(value_vector["value_hex"])))
    assert json_text(value_to_json(value)) == json_text(value_vector["decoded"]["json"])


def test_a_value_is_read_back_whole(value_vector: dict[str, Any]) -> None:
    value = decode_value(OctetReader(bytes.fromhex(value_vector["value_hex"])))
    assert value_from_json(value_vector["decoded"]["json"]) == value


def test_an_administrator_of_old_writers_is_marked() -> None:
    vector = next(v for v in read_vectors("04", "data_hex") if "legacy" in v["name"])
    value = value_from_json(vector["json"])
    assert value.data.hex() == vector["data_hex"]
    assert json_text(value_to_json(value)) == json_text(vector["json"])


@pytest.mark.parametrize("record_json", [*SEEDS, *REST_RECORDS], ids=range(len(SEEDS) + len(REST_RECORDS)))
def test_records_of_the_reference_are_read_and_written_the_same(record_json: dict[str, Any]) -> None:
    written = record_to_json(record_from_json(record_json))
    assert json_text({"responseCode": 1, **written}) == json_text(record_json)


@given(
    st.builds(
        HandleValue,
        index=st.integers(1, 2**32 - 1),
        value_type=st.text(max_size=20),
        data=octets,
        ttl=st.builds(Ttl, st.integers(-(2**31), 2**31 - 1), st.sampled_from(TtlKind)),
        permissions=st.integers(0, 15),
        modified_at=u32,
        references=tuples(references),
    ),
    typed_data,
    st.booleans(),
)
def test_every_value_comes_back(value: HandleValue, typed: tuple[str, Data], is_typed: bool) -> None:  # noqa: FBT001
    if is_typed:
        value_type, data = typed
        value = HandleValue(value.index, value_type, format_data(data), value.ttl, value.permissions)
    form = json.loads(json.dumps(value_to_json(value)))
    assert value_from_json(form) == value


def test_what_is_usual_may_be_left_out() -> None:
    assert value_of() == HandleValue(1, "URL", "https://例.cn".encode())


@pytest.mark.parametrize(
    ("data", "octets"),
    [
        ("离心泵", "离心泵".encode()),
        ({"format": "String", "value": ""}, b""),
        ({"format": "base64", "value": "AP8QgH8="}, b"\0\xff\x10\x80\x7f"),
        ({"format": "base64", "value": "AP8QgH8"}, b"\0\xff\x10\x80\x7f"),
        ({"format": "HEX", "value": "00ff1080"}, b"\0\xff\x10\x80"),
        ({"format": "vlist", "value": []}, bytes(4)),
    ],
)
def test_data_may_come_in_several_formats(data: object, octets: bytes) -> None:
    assert value_of(data=data).data == octets


@pytest.mark.parametrize("data", [b"\0", b"a\x0bb", b"\x7f", b"\xff", b"\xe4\xb8", b"\x1b[31m"])
def test_what_people_cannot_read_is_base64(data: bytes) -> None:
    assert value_to_json(HandleValue(1, "X", data))["data"]["format"] == "base64"


def test_lines_and_tabs_are_text() -> None:
    assert value_to_json(HandleValue(1, "X", "一\t二\r\n".encode()))["data"]["format"] == "string"


@pytest.mark.parametrize(
    ("written", "permissions"),
    [("1110", 14), ("0110", 6), ("0000", 0), ("*", 15), ("0001", Permissions.PUBLIC_WRITE)],
)
def test_permissions_mean_what_they_say(written: str, permissions: int) -> None:
    assert value_of(permissions=written).permissions == permissions


@pytest.mark.parametrize(
    ("written", "ttl"),
    [
        (0, Ttl(0)),
        (-1, Ttl(-1)),
        ("2030-01-01T00:00:00Z", Ttl(1_893_456_000, TtlKind.ABSOLUTE)),
        ("2030-01-01T08:00:00.9+08:00", Ttl(1_893_456_000, TtlKind.ABSOLUTE)),
        ("2030-01-01T00:00:00", Ttl(1_893_456_000, TtlKind.ABSOLUTE)),
        ("1901-12-13T20:45:52Z", Ttl(-(2**31), TtlKind.ABSOLUTE)),
    ],
)
def test_a_time_to_live_is_a_number_or_a_time(written: object, ttl: Ttl) -> None:
    assert value_of(ttl=written).ttl == ttl


def test_the_last_timestamp_is_in_2106() -> None:
    value = value_of(timestamp="2106-02-07T06:28:15Z")
    assert value.modified_at == 2**32 - 1
    assert value_to_json(value)["timestamp"] == "2106-02-07T06:28:15Z"


def test_references_come_along() -> None:
    value = value_of(references=[{"handle": "10.5/甲", "index": 0}])
    assert value.references == (ValueReference(0, "10.5/甲"),)


ADMIN = {"handle": "0.NA/88.300", "index": 300, "permissions": "1" * 12}
SITE = {"serialNumber": 1, "servers": [{"serverId": 1, "address": "192.0.2.1", "interfaces": []}]}


def test_a_number_may_stand_in_quotes() -> None:
    data = {"format": "admin", "value": {**ADMIN, "index": "300"}}
    assert value_of(type="HS_ADMIN", data=data) == value_of(type="HS_ADMIN", data={"format": "admin", "value": ADMIN})


def test_all_administrator_permissions_may_be_a_star() -> None:
    data = {"format": "admin", "value": {**ADMIN, "permissions": "*"}}
    assert value_of(type="HS_ADMIN", data=data) == value_of(type="HS_ADMIN", data={"format": "admin", "value": ADMIN})


def test_a_mapped_address_counts_as_ipv4() -> None:
    mapped = {**SITE, "servers": [{**SITE["servers"][0], "address": "::ffff:192.0.2.1"}]}
    assert value_of(data={"format": "site", "value": mapped}) == value_of(data={"format": "site", "value": SITE})


def site_with(**members: object) -> dict[str, object]:
    return {"data": {"format": "site", "value": {**SITE, **members}}}


def server_with(**members: object) -> dict[str, object]:
    return site_with(servers=[{**SITE["servers"][0], **members}])


@pytest.mark.parametrize(
    ("members", "field"),
    [
        ({"index": 0}, "index"),
        ({"index": True}, "index"),
        ({"index": "1x"}, "index"),
        ({"index": "٣"}, "index"),
        ({"index": "9" * 11}, "index"),
        ({"index": 1.0}, "index"),
        ({"index": 2**32}, "index"),
        ({"index": 10**400}, "index"),
        ({"type": None}, "type"),
        ({"type": "x" * 2_049}, "type"),
        ({"type": "\ud800"}, "type"),
        ({"data": None}, "data"),
        ({"data": 5}, "data"),
        ({"data": ["a"]}, "data"),
        ({"data": "x" * 262_145}, "data"),
        ({"data": "\udfff"}, "data"),
        ({"data": {}}, "data.format"),
        ({"data": {"format": ["admin"], "value": ADMIN}}, "data.format"),
        ({"data": {"format": "xml", "value": ""}}, "data.format"),
        ({"data": {"format": "string"}}, "data.value"),
        ({"data": {"format": "base64", "value": "===="}}, None),
        ({"data": {"format": "base64", "value": "a_b-"}}, "data.value"),
        ({"data": {"format": "base64", "value": "abcde"}}, "data.value"),
        ({"data": {"format": "base64", "value": "A" * 400_000}}, "data.value"),
        ({"data": {"format": "hex", "value": "0"}}, "data.value"),
        ({"data": {"format": "hex", "value": "zz"}}, "data.value"),
        ({"data": {"format": "admin", "value": []}}, "data.value"),
        ({"data": {"format": "admin", "value": {**ADMIN, "permissions": "12"}}}, "data.value.permissions"),
        ({"data": {"format": "admin", "value": {**ADMIN, "permissions": "1" * 17}}}, "data.value.permissions"),
        ({"data": {"format": "admin", "value": {**ADMIN, "index": -1}}}, "data.value.index"),
        ({"data": {"format": "admin", "value": {**ADMIN, "handle": 1}}}, "data.value.handle"),
        ({"data": {"format": "admin", "value": {**ADMIN, "legacyByteLength": 1}}}, "data.value.legacyByteLength"),
        ({"data": {"format": "vlist", "value": {}}}, "data.value"),
        ({"data": {"format": "vlist", "value": [ADMIN, 1]}}, "data.value[1]"),
        ({"data": {"format": "vlist", "value": [ADMIN] * 2_049}}, "data.value"),
        ({"data": {"format": "key", "value": {"kty": "EC"}}}, "data.value.kty"),
        ({"data": {"format": "key", "value": {"kty": "RSA", "n": "AQAB"}}}, "data.value.e"),
        ({"data": {"format": "key", "value": {"kty": "RSA", "e": "AQAB", "n": "A" * 9_000}}}, "data.value.n"),
        (site_with(serialNumber=65_536), "data.value.serialNumber"),
        (site_with(protocolVersion="2"), "data.value.protocolVersion"),
        (site_with(protocolVersion="2.256"), "data.value.protocolVersion"),
        (site_with(hashOption="all"), "data.value.hashOption"),
        (site_with(hashFilter=1), "data.value.hashFilter"),
        (site_with(attributes=[{"name": "desc"}]), "data.value.attributes[0].value"),
        (server_with(address="标识"), "data.value.servers[0].address"),
        (server_with(publicKey=1), "data.value.servers[0].publicKey"),
        (server_with(interfaces=[{"protocol": "SCTP", "port": 1}]), "data.value.servers[0].interfaces[0].protocol"),
        (server_with(interfaces=[{"protocol": 256, "port": 1}]), "data.value.servers[0].interfaces[0].protocol"),
        (server_with(interfaces=[{"protocol": "TCP"}]), "data.value.servers[0].interfaces[0].port"),
        ({"permissions": "11110"}, "permissions"),
        ({"permissions": 1110}, "permissions"),
        ({"permissions": "111２"}, "permissions"),
        ({"ttl": 2**31}, "ttl"),
        ({"ttl": True}, "ttl"),
        ({"ttl": "2038-01-19T03:14:08Z"}, "ttl"),
        ({"ttl": "tomorrow"}, "ttl"),
        ({"timestamp": "1969-12-31T23:59:59Z"}, "timestamp"),
        ({"timestamp": "2106-02-07T06:28:16Z"}, "timestamp"),
        ({"timestamp": 5}, "timestamp"),
        ({"timestamp": "0001-01-01T00:00:00+14:00"}, "timestamp"),
        ({"references": {}}, "references"),
        ({"references": [{"handle": "10.5/a"}]}, "references[0].index"),
    ],
)
def test_a_wrong_value_names_the_field(members: dict[str, object], field: str | None) -> None:
    if field is None:
        assert value_of(**members).data == b""
        return
    with pytest.raises(InvalidValue) as raised:
        value_of(**members)
    assert raised.value.field == field


@pytest.mark.parametrize(
    ("record_json", "field"),
    [
        ([], "value"),
        ({"values": []}, "handle"),
        ({"handle": "88.1/a", "values": {}}, "values"),
        ({"handle": "88.1/a", "values": [{"index": 1}]}, "values[0].type"),
        ({"handle": "88.1/a", "values": [{}] * 2_049}, "values"),
    ],
)
def test_a_wrong_record_names_the_field(record_json: object, field: str) -> None:
    with pytest.raises(InvalidValue) as raised:
        record_from_json(record_json)
    assert raised.value.field == field


def test_a_record_needs_a_handle_that_can_be_one() -> None:
    with pytest.raises(InvalidHandle):
        record_from_json({"handle": "", "values": []})


def test_a_record_may_have_no_values() -> None:
    assert record_from_json({"handle": "88.1/空"}) == HandleRecord.of(Handle("88.1/空"), ())


json_trees = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=8), children, max_size=3),
    max_leaves=8,
)


@given(st.data())
@settings(max_examples=200)
def test_random_json_raises_nothing_but_protocol_errors(data: st.DataObject) -> None:
    form = json.loads(json.dumps(data.draw(st.sampled_from(SEEDS))))
    node: Any = form
    while isinstance(node, dict | list) and node:
        place = data.draw(st.sampled_from(sorted(node) if isinstance(node, dict) else range(len(node))))
        if data.draw(st.booleans()):
            node[place] = data.draw(json_trees)
            break
        node = node[place]
    try:
        record_from_json(form)
    except ProtocolError:
        return


@pytest.mark.parametrize(
    ("value_type", "data"),
    [
        ("HS_PUBKEY", encode_public_key(RsaPublicKey(65_537, (1 << 23_999) + 1))),
        ("HS_SITE", encode_site(Site(tuple(SiteServer(n, IPv4Address("127.0.0.1")) for n in range(2_100))))),
        ("HS_SITE", encode_site(Site((), attributes=tuple(Attribute("描述", str(n)) for n in range(2_100))))),
    ],
)
def test_data_beyond_what_the_reader_takes_is_written_as_octets(value_type: str, data: bytes) -> None:
    value = HandleValue(1, value_type, data)
    written = value_to_json(value)
    assert written["data"]["format"] == "base64"
    assert value_from_json(written) == value


@given(st.sampled_from(["HS_ADMIN", "HS_SITE", "HS_VLIST", "HS_PUBKEY", "HS_SITE.PREFIX", "10320/loc"]), st.binary())
def test_any_octets_under_any_type_come_back(value_type: str, data: bytes) -> None:
    value = HandleValue(1, value_type, data)
    assert value_from_json(value_to_json(value)) == value
