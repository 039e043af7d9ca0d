"""`idnode sign` and `idnode history`, against a node that runs."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from handle_protocol.json_form import record_from_json
from handle_protocol.security.private_keys import read_private_key
from handle_protocol.security.record_trust import Trust, TrustSource, verify_record
from handle_protocol.value import ValueReference
from tests.started_node import ROOT, StartedNode

PREFIX = "88.118.20"
IDENTITY = f"300:0.NA/{PREFIX}"
GRANT = {"handle": f"0.NA/{PREFIX}", "index": 300, "permissions": "111111111111"}
ADMIN = {"index": 100, "type": "HS_ADMIN", "data": {"format": "admin", "value": GRANT}}


@pytest.fixture(scope="module")
def node() -> Iterator[StartedNode]:
    folder = Path(tempfile.mkdtemp(prefix="idnode-"))
    folder.chmod(0o711)
    with StartedNode.run(folder, workers=1) as node:
        keygen = (sys.executable, "-m", "node", "keygen", str(folder / "admin.pem"))
        made = subprocess.run(keygen, cwd=ROOT, env=node.environment, capture_output=True, check=True)
        assert node.idnode("prefix", "add", PREFIX).returncode == 0
        store(node, f"0.NA/{PREFIX}", ADMIN, json.loads(made.stdout))
        yield node
    shutil.rmtree(folder, ignore_errors=True)


def store(node: StartedNode, handle: str, *values: dict) -> None:
    file = node.data_dir / "record.ndjson"
    file.write_text(json.dumps({"handle": handle, "values": values}) + "\n")
    assert node.idnode("import", str(file)).returncode == 0


def owner(node: StartedNode) -> tuple[str, ...]:
    return (
        *("--server", f"127.0.0.1:{node.handle_port}"),
        *("--identity", IDENTITY, "--key", str(node.data_dir / "admin.pem")),
    )


def shown(node: StartedNode, name: str) -> dict:
    return json.loads(node.get(node.http_port, f"/api/handles/{PREFIX}/{name}")[1])


@pytest.mark.parametrize("is_remote", [False, True], ids=["register", "server"])
def test_a_signed_record_can_be_verified(node: StartedNode, is_remote: bool) -> None:  # noqa: FBT001
    name = f"{PREFIX}/signed-{is_remote}"
    store(node, name, {"index": 1, "type": "URL", "data": "https://example.cn/减速机"}, ADMIN)
    options = owner(node) if is_remote else owner(node)[2:]
    signed = node.idnode("sign", name, *options)
    assert (signed.returncode, signed.stderr) == (0, "")
    record = record_from_json(shown(node, f"signed-{is_remote}"))
    signature = next(value for value in record.values if value.value_type == "HS_SIGNATURE")
    key = read_private_key((node.data_dir / "admin.pem").read_bytes(), None).public_key()
    source = TrustSource({ValueReference.parse(IDENTITY): key}, lambda _: (), signature.modified_at)
    verified = verify_record(signature.data, name, record.values, source)
    assert (verified.outcome, verified.is_weak) == (Trust.TRUSTED, False)
    assert set(verified.signed_indexes) == {value.index for value in record.values} - {signature.index}


def test_a_handle_is_registered_and_minted_at_a_server(node: StartedNode) -> None:
    value = ("--value", "1:URL=https://example.cn/减速机")
    made = node.idnode("register", f"{PREFIX}/远程", *value, *owner(node))
    assert (made.returncode, made.stderr) == (0, "")
    again = node.idnode("register", f"{PREFIX}/远程", *value, *owner(node), "--json")
    assert (again.returncode, json.loads(again.stdout)[0]["responseCode"]) == (1, 101)
    minted = node.idnode("register", f"{PREFIX}/m-", "--mint", *value, *owner(node), "--json")
    (row,) = json.loads(minted.stdout)
    assert len(row["handle"]) == len(f"{PREFIX}/m-") + 36
    assert node.idnode("register", f"{PREFIX}/本地", "--mint", *value).returncode == 2


def test_what_a_stolen_key_changed_is_listed_and_undone(node: StartedNode) -> None:
    name, since = f"{PREFIX}/JS-0001", "2020-01-01"
    store(node, name, {"index": 1, "type": "URL", "data": "https://example.cn/减速机"}, ADMIN)
    before = shown(node, "JS-0001?auth=true")["values"]
    changed = node.idnode("set", name, "--value", "1:URL=https://evil.cn/", *owner(node))
    assert (changed.returncode, changed.stderr) == (0, "")
    listed = node.idnode("history", "--by", IDENTITY, "--since", since, "--json")
    rows = [json.loads(line) for line in listed.stdout.splitlines()]
    assert (name, True) in [(row["handle"], row["wasThere"]) for row in rows]
    undone = node.idnode("history", "--by", IDENTITY, "--since", since, "--undo", "--json")
    results = {row["handle"]: row["result"] for row in map(json.loads, undone.stdout.splitlines())}
    assert results[name] == "restored"
    assert shown(node, "JS-0001?auth=true")["values"] == before
