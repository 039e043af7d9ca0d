"""Logs: events as past facts with fields, one line each, on standard error.

`structlog.get_logger().info("worker_started", place=0)`. Control characters in fields are escaped in both forms, so
that no peer can write lines of its own.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any, Final, TextIO

import msgspec
import structlog

FIELD_CHARACTERS_MAX: Final = 256
"""Longer texts are cut: a handle may have 2 048 octets, a flood of such lines must not fill a disk."""

LEVELS: Final[Mapping[str, int]] = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}

LEADING_FIELDS: Final = ("timestamp", "level", "process", "event")

TRACEBACK: Final = "exception"
"""The field that may be longer than others, and has line breaks on a console."""

Event = MutableMapping[str, Any]


def configure_logs(log_format: str, log_level: str, *, process: str, stream: TextIO | None = None) -> None:
    """Set up the logs of this process, those of libraries included.

    Args:
        log_format: auto, json or console.
        log_level: debug, info, warning or error.
        process: the name of this process in each line, such as supervisor or worker-3.
        stream: where to write; None = standard error.
    """
    out = stream or sys.stderr
    is_console = log_format == "console" or (log_format == "auto" and out.isatty())
    shared: list[Callable[[Any, str, Event], Any]] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        lambda _logger, _method, event: event.update(process=process) or event,
        structlog.processors.format_exc_info,
        _bounded,
    ]
    renderer = structlog.dev.ConsoleRenderer(colors=out.isatty(), pad_event_to=24) if is_console else _json_line
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[log_level]),
        logger_factory=structlog.PrintLoggerFactory(out),
        cache_logger_on_first_use=False,
    )
    _adopt_library_logs(shared, renderer, out, LEVELS[log_level])


def _adopt_library_logs(shared: list[Any], renderer: Any, out: TextIO, level: int) -> None:  # noqa: ANN401
    """Give the lines that libraries write with `logging` the same form. They speak up from warnings on."""
    form = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
    )
    output = logging.StreamHandler(out)
    output.setFormatter(form)
    root = logging.getLogger()
    root.handlers[:] = [output]
    root.setLevel(max(level, logging.WARNING))


def _bounded(_logger: object, _method: str, event: Event) -> Event:
    return {name: _plain(name, value) for name, value in event.items()}


def _plain(name: str, value: object) -> object:
    if not isinstance(value, str | bytes):
        return value
    text = value.decode(errors="backslashreplace") if isinstance(value, bytes) else value
    if name == TRACEBACK:
        return text
    if len(text) > FIELD_CHARACTERS_MAX:
        text = text[:FIELD_CHARACTERS_MAX] + "…"
    return text if text.isprintable() else "".join(map(_visible, text))


def _visible(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode()


def _json_line(_logger: object, _method: str, event: Event) -> str:
    ordered = {name: event.pop(name) for name in LEADING_FIELDS if name in event} | dict(event)
    return msgspec.json.encode(ordered, enc_hook=str).decode()
