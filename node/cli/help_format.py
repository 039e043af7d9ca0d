"""What click itself says on a page of help, in the user's language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import click

from node.cli.language import words

CHINESE: Final[Mapping[str, str]] = {
    "Options": "选项",
    "Positional arguments": "参数",
    "Show this message and exit.": "显示此帮助并退出。",
    "Show the version and exit.": "显示版本并退出。",
}


class HelpFormat(click.HelpFormatter):
    """Writes a page of help; what click does not know in Chinese is replaced."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        """Write the line that shows how the command is called."""
        super().write_usage(prog, args, prefix or words("Usage: ", "用法: "))

    def write_heading(self, heading: str) -> None:
        """Write the heading of a section."""
        super().write_heading(_say(heading))

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        """Write names and what they mean in two columns."""
        super().write_dl([(name, _say(meaning)) for name, meaning in rows], col_max, col_spacing)


def _say(english: str) -> str:
    return words(english, CHINESE.get(english, english))
