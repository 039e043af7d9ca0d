"""The commands that change records: upon the register as its operator, and upon a started node by the protocol."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from handle_protocol.security.private_keys import read_private_key
from tests.started_node import ROOT, StartedNode

IDENTITY = ("--identity", "300:0.NA/88.118.8")


@pytest.fixture(scope="module")
def started(server_data_dir: Path) -> Iterator[StartedNode]:
    folder = server_data_dir / "changed"
    folder.mkdir(mode=0o755)
    with StartedNode.run(folder / "node", workers=1) as node:
        assert node.idnode("prefix", "add", "88.118.8").returncode == 0
        yield node


def keygen(*words: str) -> subprocess.CompletedProcess[str]:
    """Make a key; that concerns no node."""
    program = (sys.executable, "-m", "node", "keygen", *words)
    return subprocess.run(program, cwd=ROOT, capture_output=True, text=True, check=False)


def codes(printed: str) -> list[int]:
    return [each["responseCode"] for each in json.loads(printed)]


def test_the_operator_changes_the_register(started: StartedNode) -> None:
    handle = "88.118.8/轴承"
    assert started.idnode("register", handle, "--value", "1:名称=轴承").returncode == 0
    changed = started.idnode("set", handle, "--value", "1:名称=滚动轴承", "--value", "2:URL=https://例.cn", "--json")
    removed = started.idnode("unset", handle, "2", "--json")
    listed = started.idnode("list", "88.118.8")
    deleted = started.idnode("delete", handle, "88.118.8/没有", "--json")
    assert (codes(changed.stdout), codes(removed.stdout), codes(deleted.stdout)) == ([1], [1], [1, 100])
    assert handle in listed.stdout.splitlines()
    assert (changed.returncode, removed.returncode, listed.returncode, deleted.returncode) == (0, 0, 0, 1)


def test_an_enterprise_lists_its_handles_with_a_key_that_was_made_here(started: StartedNode, tmp_path: Path) -> None:
    made = keygen("--type", "secret", str(tmp_path / "secret"))
    secret = json.loads(made.stdout)
    admin = {"handle": "0.NA/88.118.8", "index": 300, "permissions": "111111111111"}
    values = [secret, {"index": 100, "type": "HS_ADMIN", "data": {"format": "admin", "value": admin}}]
    file = tmp_path / "prefix.ndjson"
    file.write_text(json.dumps({"handle": "0.NA/88.118.8", "values": values}), encoding="utf-8")
    assert started.idnode("import", str(file)).returncode == 0
    server = ("--server", f"127.0.0.1:{started.handle_port}")
    own = started.idnode("register", "88.118.8/泵", "--value", "1:名称=泵")
    listed = started.idnode("list", "88.118.8", *server, *IDENTITY, "--secret-file", str(tmp_path / "secret"))
    nobody = started.idnode("list", "88.118.8", *server)
    assert (own.returncode, listed.returncode, listed.stdout.splitlines()) == (0, 0, ["88.118.8/泵"])
    assert (nobody.returncode, "the server wants to know who asks" in nobody.stderr) == (1, True)


@pytest.mark.parametrize("words", [(), ("--format", "handle")])
def test_a_key_that_was_made_is_read_again_and_never_overwritten(tmp_path: Path, words: tuple[str, ...]) -> None:
    file = tmp_path / "key"
    made = keygen(str(file), *words)
    again = keygen(str(file), *words)
    assert json.loads(made.stdout)["type"] == "HS_PUBKEY"
    assert read_private_key(file.read_bytes(), None).kind == "RSA"
    assert file.stat().st_mode & 0o777 == 0o600
    assert (again.returncode, "is there already" in again.stderr) == (1, True)


@pytest.mark.parametrize(
    "words",
    [
        ("set", "88.118.8/泵", "--value", "1:名称=泵", *IDENTITY),
        ("set", "88.118.8/泵", "--value", "1:名称=泵", "--server", "127.0.0.1:1", *IDENTITY),
        ("unset", "88.118.8/泵", "0"),
    ],
)
def test_what_does_not_fit_together_is_wrong_use(started: StartedNode, words: tuple[str, ...]) -> None:
    assert started.idnode(*words).returncode == 2


def test_a_key_that_the_format_cannot_hold_is_wrong_use_and_makes_no_file(tmp_path: Path) -> None:
    refused = keygen("--type", "sm2", "--format", "handle", str(tmp_path / "key"))
    assert (refused.returncode, list(tmp_path.iterdir())) == (2, [])
    assert "Handle.Net has no file for a key of type sm2" in refused.stderr
