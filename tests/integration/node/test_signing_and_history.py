"""`idnode sign`, `idnode verify` and `idnode history`, against a node that runs."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from handle_protocol.json_form import record_from_json
from handle_protocol.security.certificates import CertificatePermission, CertificateRight
from handle_protocol.security.private_keys import make_key, read_private_key
from handle_protocol.security.public_keys import KeyKind
from handle_protocol.security.record_trust import Claims, Trust, TrustSource, sign_certificate, verify_record
from handle_protocol.value import ValueReference
from tests.started_node import ROOT, StartedNode

PREFIX = "88.118.20"
IDENTITY = f"300:0.NA/{PREFIX}"
SIGNER = f"303:0.NA/{PREFIX}"
"""Whose key our register does not show: those who verify name it as an anchor."""
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


@pytest.fixture(scope="module", params=["rsa", "sm2"])
def signer(request: pytest.FixtureRequest, node: StartedNode) -> tuple[str, ...]:
    """Return the options of a key that signs, and leave its public half beside it as a file."""
    file = node.data_dir / f"signer-{request.param}.pem"
    made = subprocess.run(
        (sys.executable, "-m", "node", "keygen", "--type", request.param, str(file)),
        cwd=ROOT,
        env=node.environment,
        capture_output=True,
        check=True,
    )
    assert json.loads(made.stdout)["type"] == "HS_PUBKEY"
    file.with_suffix(".pub").write_bytes(made.stdout)
    return ("--identity", SIGNER, "--key", str(file))


def anchor(signer: tuple[str, ...]) -> tuple[str, str]:
    return ("--anchor", f"{SIGNER}={Path(signer[-1]).with_suffix('.pub')}")


def test_what_was_signed_is_verified_up_to_a_trusted_key(node: StartedNode, signer: tuple[str, ...]) -> None:
    name = f"{PREFIX}/verified-{Path(signer[-1]).stem}"
    store(node, name, {"index": 1, "type": "URL", "data": "https://例.cn"}, {"index": 2, "type": "名称", "data": "泵"})
    assert node.idnode("sign", name, *signer, "--days", "30").returncode == 0
    good = node.idnode("verify", name, *anchor(signer), "--json")
    said = json.loads(good.stdout)
    expires = datetime.fromisoformat(said["signatures"][0].pop("expires"))
    assert (good.returncode, said) == (
        0,
        {
            "handle": name,
            "responseCode": 1,
            "message": "",
            "isVouchedFor": True,
            "values": [
                {"index": 1, "type": "URL", "signature": 401},
                {"index": 2, "type": "名称", "signature": 401},
            ],
            "signatures": [
                {
                    "index": 401,
                    "outcome": "trusted",
                    "isWeak": False,
                    "signedIndexes": [1, 2],
                    "wrongIndexes": [],
                    "issuers": [SIGNER],
                }
            ],
        },
    )
    assert timedelta(days=29) < expires - datetime.now(UTC) <= timedelta(days=30)


def test_another_key_than_the_register_shows_signs_nothing(node: StartedNode, signer: tuple[str, ...]) -> None:
    name = f"{PREFIX}/unsigned-{Path(signer[-1]).stem}"
    store(node, name, {"index": 1, "type": "名称", "data": "泵"})
    refused = node.idnode("sign", name, "--identity", IDENTITY, *signer[2:])
    assert (refused.returncode, f"the key is not the one at {IDENTITY}" in refused.stderr) == (1, True)
    assert [each["type"] for each in shown(node, Path(name).name)["values"]] == ["名称"]


def test_an_altered_and_an_added_value_are_named(node: StartedNode, signer: tuple[str, ...]) -> None:
    name = f"{PREFIX}/altered-{Path(signer[-1]).stem}"
    store(node, name, {"index": 1, "type": "URL", "data": "https://例.cn"}, {"index": 2, "type": "名称", "data": "泵"})
    assert node.idnode("sign", name, *signer).returncode == 0
    assert node.idnode("set", name, "--value", "3:备注=后来").returncode == 0
    added = node.idnode("verify", name, *anchor(signer))
    assert (added.returncode, "nobody vouches for these values: 3 (备注)" in added.stderr) == (1, True)
    assert "2  名称  泵  [signature 401]" in added.stdout
    assert node.idnode("set", name, "--value", "2:名称=阀").returncode == 0
    altered = node.idnode("verify", name, *anchor(signer))
    assert (altered.returncode, "changed since (2)" in altered.stdout) == (1, True)
    assert "nobody vouches for these values: 1 (URL), 2 (名称), 3 (备注)" in altered.stderr
    assert "do not believe these values" in altered.stderr


def test_certificates_are_followed_to_a_trusted_key(node: StartedNode, signer: tuple[str, ...]) -> None:
    name, root = f"{PREFIX}/certified-{Path(signer[-1]).stem}", make_key(KeyKind.RSA)
    holder = f"{PREFIX}/签署-{Path(signer[-1]).stem}"
    now = int(time.time())
    permissions = [CertificatePermission(CertificateRight.HANDLES_UNDER_THIS_PREFIX, f"0.NA/{PREFIX}")]
    claims = Claims(ValueReference(300, "88.111.1/0.0"), f"300:{holder}", now - 60, now + 3_600, now)
    key = read_private_key(Path(signer[-1]).read_bytes(), None)
    certificate = sign_certificate(permissions, key.public_key(), root, claims)
    store(node, holder, {"index": 400, "type": "HS_CERT", "data": certificate})
    store(node, name, {"index": 1, "type": "URL", "data": "https://例.cn"})
    assert node.idnode("sign", name, "--identity", f"300:{holder}", *signer[2:]).returncode == 0
    (node.data_dir / "root.pub").write_bytes(root.public_key().data())
    trusting = ("--anchor", f"300:88.111.1/0.0={node.data_dir / 'root.pub'}")
    verified = node.idnode("verify", name, *trusting)
    untrusted = node.idnode("verify", name)
    assert (verified.returncode, f"signed by 300:{holder} < 300:88.111.1/0.0" in verified.stdout) == (0, True)
    assert (untrusted.returncode, "leads to no trusted key" in untrusted.stdout) == (1, True)
    assert "--anchor" in untrusted.stderr


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        ((f"{PREFIX}/没有",), 1, "not found"),
        ((f"{PREFIX}/没有", "--anchor", f"{IDENTITY}=/没有.pem"), 1, "/没有.pem: No such file or directory"),
        ((f"{PREFIX}/没有", "--anchor", "nonsense"), 2, "expected INDEX:HANDLE=FILE"),
        ((f"{PREFIX}/没有", "--anchor", "0.NA/88.118.8=/k.pem"), 2, "expected INDEX:HANDLE"),
        ((f"{PREFIX}/没有", "--server", "127.0.0.1:1"), 1, "does not answer"),
        ((f"{PREFIX}/没有", "--server", "127.0.0.1:x"), 2, "expected HOST:PORT"),
    ],
)
def test_what_cannot_be_verified_is_told(node: StartedNode, words: tuple[str, ...], status: int, said: str) -> None:
    verified = node.idnode("verify", *words)
    assert (verified.returncode, said in verified.stderr) == (status, True), verified.stderr


def test_of_a_record_that_is_not_there_programs_are_told_in_the_same_shape(node: StartedNode) -> None:
    missing = node.idnode("verify", f"{PREFIX}/没有", "--json")
    assert (missing.returncode, json.loads(missing.stdout)) == (
        1,
        {
            "handle": f"{PREFIX}/没有",
            "responseCode": 100,
            "message": "",
            "isVouchedFor": False,
            "values": [],
            "signatures": [],
        },
    )


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
