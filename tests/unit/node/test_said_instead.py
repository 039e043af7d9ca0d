"""What `idnode resolve` says when there are no values."""

from __future__ import annotations

import pytest

from handle_protocol.codes import ResponseCode
from handle_protocol.handle import Handle
from handle_protocol.record import HandleRecord
from node.cli.resolve_command import said_instead
from resolver.client import Reply


@pytest.mark.parametrize(
    ("response_code", "text", "said"),
    [
        (ResponseCode.SERVER_NOT_RESPONSIBLE, "prefix suspended / 前缀已暂停", "prefix suspended / 前缀已暂停"),
        (ResponseCode.SERVER_NOT_RESPONSIBLE, "", "this server is not responsible for it"),
        (ResponseCode.ERROR, "甲\x1b[2J", "甲\\x1b[2J"),
        (999, "", "response code 999"),
    ],
)
def test_the_servers_own_words_stand_alone(
    monkeypatch: pytest.MonkeyPatch, response_code: int, text: str, said: str
) -> None:
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    record = HandleRecord.of(Handle("88.118.9/轴承"), ())
    assert said_instead(Reply(response_code, record, text, "udp", is_authoritative=False)) == said
