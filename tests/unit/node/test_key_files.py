"""Key files of commands: which passphrase opens them, and what is said when none does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from handle_protocol.security.private_keys import read_private_key
from node.cli.frame import run
from node.cli.remote import PASSPHRASE_VARIABLE, read_key_file
from node.errors import ExitStatus, NodeError

PASSPHRASE = "口令 pass"  # noqa: S105 - of keys that are made here


def made(monkeypatch: pytest.MonkeyPatch, file: Path, file_format: str) -> Path:
    """Make a key that is encrypted."""
    monkeypatch.setenv(PASSPHRASE_VARIABLE, PASSPHRASE)
    assert run(["keygen", str(file), "--format", file_format]) == ExitStatus.OK
    return file


@pytest.mark.parametrize("file_format", ["pem", "handle"])
def test_the_right_passphrase_opens_a_key_that_was_made_with_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str], file_format: str
) -> None:
    key = read_key_file(made(monkeypatch, tmp_path / "私钥", file_format))
    value = json.loads(capsys.readouterr().out)
    assert (value["type"], key.public_key()) == (
        "HS_PUBKEY",
        read_private_key((tmp_path / "私钥").read_bytes(), PASSPHRASE.encode()).public_key(),
    )


@pytest.mark.parametrize("file_format", ["pem", "handle"])
@pytest.mark.parametrize(("passphrase", "said"), [("falsch", "does not open"), ("", "needs a passphrase")])
def test_another_passphrase_and_none_are_refused_with_a_hint(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, file_format: str, passphrase: str, said: str
) -> None:
    file = made(monkeypatch, tmp_path / "私钥", file_format)
    monkeypatch.setenv(PASSPHRASE_VARIABLE, passphrase)
    with pytest.raises(NodeError) as refused:
        read_key_file(file)
    assert said in refused.value.message.english
    assert "口令" in refused.value.message.chinese
    assert PASSPHRASE_VARIABLE in refused.value.solve.english


def test_what_is_no_private_key_is_told_with_its_name(tmp_path: Path) -> None:
    file = tmp_path / "不是私钥"
    file.write_bytes(b"not a key at all")
    with pytest.raises(NodeError, match="不是私钥: expected a private key") as refused:
        read_key_file(file)
    assert "idnode keygen" in refused.value.solve.english


@pytest.mark.parametrize("kind", ["secret", "sm2"])
def test_a_passphrase_for_a_key_that_cannot_be_encrypted_is_wrong_use_and_makes_no_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    monkeypatch.setenv(PASSPHRASE_VARIABLE, PASSPHRASE)
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    refused = run(["keygen", "--type", kind, str(tmp_path / "私钥")])
    assert (refused, list(tmp_path.iterdir())) == (ExitStatus.WRONG_USE, [])
    assert f"{kind} 密钥文件无法加密" in capsys.readouterr().err


def test_the_value_of_a_key_that_is_there_is_printed_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = str(tmp_path / "私钥")
    assert run(["keygen", file, "--index", "302"]) == ExitStatus.OK
    printed = capsys.readouterr().out
    assert json.loads(printed)["index"] == 302
    assert run(["keygen", "--public", file, "--index", "302"]) == ExitStatus.OK
    assert capsys.readouterr().out == printed
    assert run(["keygen", file]) == ExitStatus.FAILED
    assert f"idnode keygen --public {file}" in capsys.readouterr().err


@pytest.mark.parametrize(("kind", "index"), [("rsa", 300), ("secret", 301)])
def test_a_public_and_a_secret_key_fit_into_one_record(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str, index: int
) -> None:
    assert run(["keygen", "--type", kind, str(tmp_path / "密钥")]) == ExitStatus.OK
    assert json.loads(capsys.readouterr().out)["index"] == index
