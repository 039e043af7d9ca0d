"""A register that is loaded from what the reference shows of its own answers as the reference did, value by value."""

from __future__ import annotations

import base64
import json
import time
from contextlib import closing
from dataclasses import replace
from http.client import HTTPSConnection
from typing import Any, Final
from urllib.parse import quote

import pytest

from handle_protocol.handle import Handle
from handle_protocol.json_form import value_to_json
from handle_protocol.octets import OctetReader
from handle_protocol.value import Permissions, decode_value
from registry.database import Database
from registry.records import RecordReader
from tests.conformance.seeded import OWNER, administrator, vectors
from tests.conformance.speaking import trusting_anybody
from tests.started_node import LOOPBACK, StartedNode

RECORDED: Final = {each["name"]: each for each in vectors("14-rest")["vectors"]}
[SEEDED] = vectors("seed-handles")["handles"]

READABLE: Final = Permissions.PUBLIC_READ | Permissions.ADMIN_READ

EVERYTHING: Final = Handle("88.300.15907/全部类型")
_RECORDED_VALUES: Final = [
    decode_value(OctetReader(bytes.fromhex(each["value_hex"])))
    for each in vectors("04-values")["vectors"]
    if "value_hex" in each
]
VALUES: Final = [
    replace(value, index=index) for index, value in enumerate((*_RECORDED_VALUES, administrator(100, OWNER)), 1)
]
"""Every value that the reference has encoded, and who may read them, in one record with indexes of its own."""


def rest(node: StartedNode, path: str) -> Any:
    """Return the JSON that the owner is shown."""
    name = quote(str(OWNER.identity), safe="")
    login = base64.b64encode(f"{name}:".encode() + bytes(OWNER.key)).decode()
    connection = HTTPSConnection(LOOPBACK, node.http_port, timeout=10, context=trusting_anybody())
    with closing(connection):
        connection.request("GET", path, headers={"Authorization": f"Basic {login}"})
        return json.loads(connection.getresponse().read())


@pytest.mark.parametrize("name", ["GET prefix handle", "GET slashless handle"])
def test_what_the_seed_holds_reads_as_it_was_recorded(node: StartedNode, name: str) -> None:
    status, octets = node.get(node.http_port, RECORDED[name]["request"]["path"])
    assert (status, json.loads(octets)) == (200, RECORDED[name]["response"]["json"])


def test_an_administrator_reads_what_was_loaded_secrets_included(node: StartedNode) -> None:
    assert rest(node, f"/api/handles/{SEEDED['handle']}?publicOnly=false")["values"] == SEEDED["values"]


async def test_every_type_permission_and_timestamp_is_kept(node: StartedNode) -> None:
    file = node.data_dir / "everything.ndjson"
    row = {"handle": str(EVERYTHING), "values": [value_to_json(value) for value in VALUES]}
    file.write_text(json.dumps(row, ensure_ascii=False), encoding="utf-8")
    imported_at = int(time.time())
    done = node.idnode("import", str(file))
    assert done.returncode == 0, done.stdout + done.stderr

    async with Database.open(node.database_url) as database:
        [record] = (await RecordReader(database).fetch([EVERYTHING.key(folds_suffix=False)])).values()
    stamps = {value.modified_at for value in record.values} - {value.modified_at for value in VALUES}
    assert [
        replace(value, modified_at=0) if value.modified_at in stamps else value for value in record.values
    ] == VALUES
    assert min(stamps) >= imported_at, "a value without a time was given that of the import"

    shown = [value for value in record.values if value.permissions & READABLE]
    indexes = "&".join(f"index={value.index}" for value in shown)
    read = rest(node, f"/api/handles/{quote(str(EVERYTHING))}?publicOnly=false&{indexes}")
    assert read["values"] == [value_to_json(value) for value in shown]
