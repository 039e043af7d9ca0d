"""The commands that change records: upon the register as its operator, and upon a started node by the protocol."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from handle_protocol.codes import ResponseCode
from handle_protocol.security.private_keys import read_private_key
from tests.started_node import ROOT, StartedNode
from tests.terminals import open_terminal

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
    made = keygen("--type", "secret", "--index", "300", str(tmp_path / "secret"))
    secret = json.loads(made.stdout)
    file = tmp_path / "prefix.ndjson"
    file.write_text(json.dumps({"handle": "0.NA/88.118.8", "values": [secret, grant_to("88.118.8")]}), encoding="utf-8")
    assert started.idnode("import", str(file)).returncode == 0
    server = ("--server", f"127.0.0.1:{started.handle_port}")
    own = started.idnode("register", "88.118.8/泵", "--value", "1:名称=泵")
    listed = started.idnode("list", "88.118.8", *server, *IDENTITY, "--secret-file", str(tmp_path / "secret"))
    nobody = started.idnode("list", "88.118.8", *server)
    assert (own.returncode, listed.returncode, listed.stdout.splitlines()) == (0, 0, ["88.118.8/泵"])
    assert (nobody.returncode, "the server wants to know who asks" in nobody.stderr) == (1, True)
    assert "Traceback" not in nobody.stderr


@pytest.fixture(scope="module")
def enterprises(started: StartedNode) -> Path:
    """Return a folder with the private keys of two enterprises, each the administrator of its own prefix."""
    for prefix in ("88.118.9", "88.118.10"):
        made = keygen("--format", "handle", str(started.data_dir / prefix))
        file = started.data_dir / "prefix.ndjson"
        file.write_text(json.dumps({"handle": f"0.NA/{prefix}", "values": [json.loads(made.stdout), grant_to(prefix)]}))
        assert started.idnode("prefix", "add", prefix).returncode == 0
        assert started.idnode("import", str(file)).returncode == 0
    owned = {"handle": "88.118.9/泵", "values": [grant_to("88.118.9"), {"index": 1, "type": "名称", "data": "泵"}]}
    file.write_text(json.dumps(owned), encoding="utf-8")
    assert started.idnode("import", str(file)).returncode == 0
    return started.data_dir


def grant_to(prefix: str) -> dict:
    admin = {"handle": f"0.NA/{prefix}", "index": 300, "permissions": "111111111111"}
    return {"index": 100, "type": "HS_ADMIN", "data": {"format": "admin", "value": admin}}


def test_an_enterprise_sets_unsets_and_deletes_with_its_private_key(started: StartedNode, enterprises: Path) -> None:
    def asked(command: str, *words: str, identity: str, key: str) -> int:
        server = ("--server", f"127.0.0.1:{started.handle_port}", "--identity", f"300:0.NA/{identity}")
        done = started.idnode(command, "88.118.9/泵", *words, *server, "--key", str(enterprises / key), "--json")
        (code,) = codes(done.stdout)
        assert done.returncode == (0 if code == ResponseCode.SUCCESS else 1)
        return code

    changes = (("set", "--value", "2:型号=甲"), ("unset", "1"), ("delete",))
    stranger = [asked(*words, identity="88.118.10", key="88.118.10") for words in changes]
    forger = [asked(*words, identity="88.118.9", key="88.118.10") for words in changes]
    owner = [asked(*words, identity="88.118.9", key="88.118.9") for words in changes]
    assert stranger == [ResponseCode.INVALID_ADMIN] * 3
    assert forger == [ResponseCode.AUTHENTICATION_FAILED] * 3
    assert owner == [ResponseCode.SUCCESS] * 3


def test_a_list_for_programs_is_one_object_also_when_it_is_empty_or_refused(started: StartedNode) -> None:
    assert started.idnode("prefix", "add", "88.118.11").returncode == 0
    empty = started.idnode("list", "88.118.11", "--json")
    for name in ("甲", "乙"):
        assert started.idnode("register", f"88.118.11/{name}", "--value", f"名称={name}").returncode == 0
    two = started.idnode("list", "88.118.11", "--json")
    refused = started.idnode("list", "88.118.11", "--server", f"127.0.0.1:{started.handle_port}", "--json")
    done = {"prefix": "88.118.11", "responseCode": 1, "message": ""}
    assert json.loads(empty.stdout) == {**done, "handles": []}
    assert json.loads(two.stdout) == {**done, "handles": ["88.118.11/乙", "88.118.11/甲"]}
    assert json.loads(refused.stdout) == {**done, "responseCode": 402, "handles": []}
    assert [empty.returncode, two.returncode, refused.returncode] == [0, 0, 1]


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


@pytest.mark.parametrize(("typed", "said"), [("口令 pass\n", "does not answer"), ("falsch\n", "does not open")])
def test_at_a_terminal_the_passphrase_of_a_key_is_asked_for(tmp_path: Path, typed: str, said: str) -> None:
    environment = {**os.environ, "IDNODE_KEY_PASSPHRASE": "口令 pass", "LC_ALL": "C.UTF-8"}
    key = str(tmp_path / "私钥")
    subprocess.run(
        (sys.executable, "-m", "node", "keygen", key), cwd=ROOT, env=environment, check=True, capture_output=True
    )
    del environment["IDNODE_KEY_PASSPHRASE"]
    ours, theirs = open_terminal()
    words = ("list", "88.118.8", "--server", "127.0.0.1:1", *IDENTITY, "--key", key)
    with subprocess.Popen(
        (sys.executable, "-m", "node", *words),
        cwd=ROOT,
        env=environment,
        stdin=theirs,
        stderr=subprocess.PIPE,
        start_new_session=True,  # Without a terminal of its own it asks the one that it was given.
    ) as asked:
        assert asked.stderr is not None
        prompt = asked.stderr.read(len("Passphrase: "))  # What is typed before is thrown away.
        os.write(ours, typed.encode())
        _, rest = asked.communicate(timeout=30)
    os.close(ours)
    os.close(theirs)
    assert (asked.returncode, prompt, said in rest.decode()) == (1, b"Passphrase: ", True), rest
