"""In which language a command speaks: Chinese where the locale says so, else English."""

from __future__ import annotations

import os
from typing import Final

from node.errors import Text

LOCALE_VARIABLES: Final = ("LC_ALL", "LC_MESSAGES", "LANG")
"""The first that is set decides (locale(7))."""


def speaks_chinese() -> bool:
    """Tell whether the user reads Chinese."""
    locale = next((os.environ[name] for name in LOCALE_VARIABLES if os.environ.get(name)), "")
    return locale.lower().startswith("zh")


def say(text: Text) -> str:
    """Return `text` in the user's language."""
    return text.chinese if speaks_chinese() else text.english


def words(english: str, chinese: str) -> str:
    """Return one of two wordings, for help texts and short output."""
    return say(Text(english, chinese))
