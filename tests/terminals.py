"""Terminals for commands that behave otherwise at one."""

from __future__ import annotations

import pty

import pytest


def open_terminal() -> tuple[int, int]:
    """Return our end and the command's end; skip the test on a machine that has no terminals to give."""
    try:
        return pty.openpty()
    except OSError as error:
        pytest.skip(f"no terminal can be opened here (is /dev/pts mounted?): {error}")
