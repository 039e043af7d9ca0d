"""What `idnode sign` says when a server shows it no record."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from handle_protocol.codes import ResponseCode
from node.cli.frame import run
from node.errors import ExitStatus
from tests.fakes.scripted_server import Conversation, refused, scripted_server


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (ResponseCode.SERVER_TOO_BUSY, "too busy"),
        (ResponseCode.SERVER_NOT_RESPONSIBLE, "not responsible"),
        (ResponseCode.HANDLE_NOT_FOUND, "is not there"),
    ],
)
async def test_an_outage_is_not_told_as_a_missing_record(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    code: ResponseCode,
    said: str,
) -> None:
    async def refuse(conversation: Conversation) -> None:
        conversation.say(refused(await conversation.listen(), code))

    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.delenv("IDNODE_KEY_PASSPHRASE", raising=False)
    key = str(tmp_path / "私钥.pem")
    assert run(["keygen", key]) == ExitStatus.OK
    async with scripted_server(refuse) as ((host, port), _):
        words = ["sign", "88.118.8/泵", "--identity", "300:0.NA/88.118.8", "--key", key, "--server", f"{host}:{port}"]
        status = await asyncio.to_thread(run, words)
    assert (status, said in capsys.readouterr().err) == (ExitStatus.FAILED, True)
