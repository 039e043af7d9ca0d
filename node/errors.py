"""What can go wrong with a node as a whole, said to its operator in two languages.

NodeError                what happened, and what to do about it
├── SettingsError        settings that cannot be used: every mistake at once
├── WrongUse             a command that was called in a way it does not offer
└── EmbeddedServerError  a bundled Postgres or Valkey that does not start or stay
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple


class ExitStatus(IntEnum):
    """What a command tells the shell. Scripts depend on these numbers."""

    OK = 0
    FAILED = 1
    WRONG_USE = 2
    WRONG_SETTINGS = 78
    """EX_CONFIG of sysexits.h; systemd names it so too."""


class Text(NamedTuple):
    """One sentence for people, in English and in Chinese."""

    english: str
    chinese: str


class NodeError(Exception):
    """A failure that an operator can act on.

    Attributes:
        message: what happened.
        solve: what to do about it.
    """

    exit_status = ExitStatus.FAILED

    def __init__(self, message: Text, solve: Text) -> None:
        super().__init__(message.english)
        self.message = message
        self.solve = solve


class WrongUse(NodeError):
    """A command was called in a way that it does not offer."""

    exit_status = ExitStatus.WRONG_USE


class EmbeddedServerError(NodeError):
    """A bundled Postgres or Valkey does not start, or belongs to another version."""
