"""How a failed command says what went wrong: one line, a hint, and an exit status; as JSON where that is wanted."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Final

import click

from handle_protocol.errors import InvalidHandle, ProtocolError
from node.cli.language import say, words
from node.cli.wrong_use import in_chinese
from node.errors import ExitStatus, NodeError, Text
from node.settings_sources import SettingsError


def show_error(error: Exception, *, is_json: bool) -> ExitStatus | None:
    """Print `error` on standard error and return the exit status; None when it is nothing that can be expected."""
    for kind, as_node_error in READINGS.items():
        if isinstance(error, kind):
            failure, status = as_node_error(error)
            _print(failure, is_json=is_json)
            return status
    return None


def _print(failure: NodeError, *, is_json: bool) -> None:
    if is_json:
        click.echo(json.dumps(_as_json(failure), ensure_ascii=False), err=True)
        return
    click.echo(f"{click.style(words('error:', '错误:'), fg='red')} {_one_line(say(failure.message))}", err=True)
    if isinstance(failure, SettingsError):
        for mistake in failure.mistakes:
            click.echo(f"  {say(mistake.sentence)}", err=True)
            if mistake.solve != failure.solve:  # It is said once, below.
                click.echo(f"      {say(mistake.solve)}", err=True)
    if say(failure.solve):
        click.echo(f"{click.style(words('hint:', '提示:'), fg='cyan')} {say(failure.solve)}", err=True)


def _as_json(failure: NodeError) -> dict[str, object]:
    form: dict[str, object] = {"error": say(failure.message), "solve": say(failure.solve)}
    if isinstance(failure, SettingsError):
        form["mistakes"] = [
            {
                "where": mistake.where,
                "found": mistake.found,
                "expected": say(mistake.expected),
                "solve": say(mistake.solve),
            }
            for mistake in failure.mistakes
        ]
    return form


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _of_node(error: Exception) -> tuple[NodeError, ExitStatus]:
    if not isinstance(error, NodeError):
        raise TypeError(type(error))
    return error, error.exit_status


def _of_use(error: Exception) -> tuple[NodeError, ExitStatus]:
    if not isinstance(error, click.ClickException):
        raise TypeError(type(error))
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "idnode"
    hint = Text(f"see: {command} --help", f"用法见:{command} --help")
    return NodeError(Text(error.format_message(), in_chinese(error)), hint), ExitStatus.WRONG_USE


def _of_name(error: Exception) -> tuple[NodeError, ExitStatus]:
    message = str(error)
    hint = Text("a handle is PREFIX/SUFFIX, such as 88.118.8/abc", "标识形如 前缀/后缀,例如 88.118.8/abc")
    return NodeError(Text(message, message), hint), ExitStatus.FAILED


def _of_key_or_text(error: Exception) -> tuple[NodeError, ExitStatus]:
    return NodeError(Text(str(error), str(error)), Text("", "")), ExitStatus.FAILED


def _of_system(error: Exception) -> tuple[NodeError, ExitStatus]:
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    file = getattr(error, "filename", None)
    message = f"{file}: {reason}" if file else reason
    return NodeError(Text(message, message), Text("", "")), ExitStatus.FAILED


READINGS: Final[Mapping[type[Exception], Callable[[Exception], tuple[NodeError, ExitStatus]]]] = {
    NodeError: _of_node,
    click.ClickException: _of_use,
    InvalidHandle: _of_name,
    ProtocolError: _of_key_or_text,
    OSError: _of_system,
}
"""What can be expected to go wrong, and how it is said: the first that fits. Whatever is not here is a bug."""
