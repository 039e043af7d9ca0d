"""How a child process is started so that it cannot outlive this one.

The kernel sends a child its chosen signal when the thread that started it ends (PR_SET_PDEATHSIG, prctl(2)), even
after kill -9. So children are started from the main thread. Changing the user id clears the setting: it is set after.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from signal import Signals
from typing import Any, Final

PR_SET_PDEATHSIG: Final = 1
"""linux/prctl.h."""

_prctl = ctypes.CDLL(None, use_errno=True).prctl
"""Looked up before the fork: nothing may be loaded between fork and exec."""


@dataclass(frozen=True, slots=True)
class Identity:
    """The user and group a child process becomes."""

    uid: int
    gid: int

    def popen_options(self) -> dict[str, Any]:
        """Return the arguments of subprocess.Popen that say so; supplementary groups are dropped."""
        return {"user": self.uid, "group": self.gid, "extra_groups": ()}


async def start_child(
    command: Sequence[str | Path],
    *,
    on_parent_death: Signals,
    identity: Identity | None = None,
    environment: Mapping[str, str] | None = None,
    stdin: int = asyncio.subprocess.DEVNULL,
    output: int | None = None,
) -> asyncio.subprocess.Process:
    """Start `command` in a session of its own, so that Ctrl-C in a terminal reaches only this process.

    Args:
        command: the program and its arguments.
        on_parent_death: the signal that the child gets when this process is gone.
        identity: whom the child becomes; None = as this process.
        environment: its whole environment; None = as this process.
        stdin: as for subprocess.Popen; nothing to read unless said otherwise.
        output: the file descriptor for its standard output and error; None = as this process.

    Raises:
        OSError: the program cannot be executed.
    """
    return await asyncio.create_subprocess_exec(
        *map(str, command),
        stdin=stdin,
        stdout=output,
        stderr=output,
        env=environment,
        cwd="/" if identity else None,
        start_new_session=True,
        preexec_fn=dies_with(os.getpid(), on_parent_death),
        **(identity.popen_options() if identity else {}),
    )


async def end_child(process: asyncio.subprocess.Process, steps: Sequence[tuple[Signals, float]]) -> int | None:
    """Send each signal in turn and give the child its seconds. Return its exit status, None = it is still there."""
    for signal_number, seconds in steps:
        if process.returncode is not None:
            break
        process.send_signal(signal_number)
        try:
            await asyncio.wait_for(process.wait(), seconds)
        except TimeoutError:
            continue
    return process.returncode


def dies_with(parent: int, on_parent_death: Signals) -> Callable[[], None]:
    """Return what a child runs between fork and exec to be signalled when process `parent` dies."""

    def prepare() -> None:
        _prctl(PR_SET_PDEATHSIG, int(on_parent_death))
        if os.getppid() != parent:  # it died before the line above
            os._exit(1)

    return prepare
