"""Logs: one line for each event, whatever a peer sends."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from node.logs import FIELD_CHARACTERS_MAX, configure_logs


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    handlers, level = logging.getLogger().handlers[:], logging.getLogger().level
    yield io.StringIO()
    logging.getLogger().handlers[:] = handlers
    logging.getLogger().setLevel(level)
    structlog.reset_defaults()


def test_an_event_is_one_line_of_json_with_its_fields(stream: io.StringIO) -> None:
    configure_logs("json", "info", process="worker-0", stream=stream)
    structlog.get_logger().info("record_stored", handle="88.118/扬州")
    line = json.loads(stream.getvalue())
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "record_stored", "level": "info", "process": "worker-0", "handle": "88.118/扬州"}


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_control_characters_make_no_lines_of_their_own(stream: io.StringIO, log_format: str) -> None:
    configure_logs(log_format, "info", process="worker-0", stream=stream)
    structlog.get_logger().info("packet_refused", peer="a\nb\x1b[2J\x00", octets=b"\xff\n")
    assert stream.getvalue().count("\n") == 1
    assert "\x1b[2J" not in stream.getvalue()
    assert "\x00" not in stream.getvalue()


def test_long_fields_are_cut(stream: io.StringIO) -> None:
    configure_logs("json", "info", process="worker-0", stream=stream)
    structlog.get_logger().info("packet_refused", handle="长" * 2_048)
    assert len(json.loads(stream.getvalue())["handle"]) == FIELD_CHARACTERS_MAX + 1


def test_less_severe_events_are_left_out(stream: io.StringIO) -> None:
    configure_logs("json", "warning", process="worker-0", stream=stream)
    structlog.get_logger().info("record_stored")
    assert stream.getvalue() == ""


def test_lines_of_libraries_have_the_same_form(stream: io.StringIO) -> None:
    configure_logs("json", "info", process="worker-0", stream=stream)
    logging.getLogger("asyncio").warning("slow %s", "callback")
    assert json.loads(stream.getvalue())["event"] == "slow callback"


def test_a_failure_carries_its_traceback(stream: io.StringIO) -> None:
    configure_logs("json", "info", process="worker-0", stream=stream)
    try:
        {}["x" * 1_000]
    except KeyError:
        structlog.get_logger().exception("worker_failed")
    assert "Traceback" in json.loads(stream.getvalue())["exception"]
