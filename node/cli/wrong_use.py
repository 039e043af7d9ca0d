"""How click's complaints about the use of a command are said in Chinese."""

from __future__ import annotations

from collections.abc import Sequence

import click
from click.exceptions import NoSuchCommand


def in_chinese(error: click.ClickException) -> str:
    """Return the sentence of `error`; the rarer ones stay in English, and so does what click says of a value."""
    match error:
        case NoSuchCommand():
            return f"没有此命令:{error.command_name}{_meant(error.possibilities)}"
        case click.NoSuchOption():
            return f"没有此选项:{error.option_name}{_meant(error.possibilities)}"
        case click.MissingParameter():
            return f"缺少参数 {_parameter(error)}"
        case click.BadParameter():
            return f"{_parameter(error)} 值无效:{error.message}".strip()
        case _:
            return error.format_message()


def _meant(possibilities: Sequence[str] | None) -> str:
    return f"(是否指 {'、'.join(possibilities)}?)" if possibilities else ""


def _parameter(error: click.BadParameter) -> str:
    return error.param.get_error_hint(error.ctx) if error.param else ""
