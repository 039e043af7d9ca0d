"""Workers whose clocks are wrong: a Python of its own asks a file what to add to the machine's clock.

The product reads the world's time by time.time alone; what the kernel counts since the start of the machine stays.
"""

from __future__ import annotations

import sys
import sysconfig
import venv
from dataclasses import dataclass
from pathlib import Path

_AT_START = """
import os, sys, time

_machine_time = time.time
_file = os.path.join({folder!r}, "offset-" + sys.orig_argv[-1])

def _wrong_time():
    try:
        with open(_file) as offset:
            return _machine_time() + float(offset.read())
    except FileNotFoundError:
        return _machine_time()

time.time = _wrong_time
"""


@dataclass(frozen=True)
class WrongClocks:
    """The clocks of one node's workers.

    Attributes:
        folder: of its Python.
    """

    folder: Path

    @classmethod
    def make(cls, folder: Path) -> WrongClocks:
        """Make a Python for the node, with the same libraries as ours."""
        venv.create(folder, symlinks=True)
        packages = folder / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
        (packages / "ours.pth").write_text(sysconfig.get_path("purelib") + "\n")
        (packages / "sitecustomize.py").write_text(_AT_START.format(folder=str(folder)))
        return cls(folder)

    @property
    def python(self) -> str:
        """What runs the node."""
        return str(self.folder / "bin" / "python")

    def set(self, *offsets: float) -> None:
        """Set the clock of each worker, in seconds that are added to the machine's."""
        for place, seconds in enumerate(offsets):
            arriving = self.folder / f"arriving-{place}"
            arriving.write_text(str(seconds))
            arriving.rename(self.folder / f"offset-{place}")
