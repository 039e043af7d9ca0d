# ruff: noqa: INP001 - a script beside the locks it writes, no package
"""Lock the dependencies of pyproject.toml: every version pinned, every file with its hash, no index named."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
PROJECT = FOLDER.parent
OPTIONS = ("--generate-hashes", "--no-header", "--python-version=3.11", "--index-strategy=unsafe-best-match", "--quiet")

LOCKS = {
    "run.txt": ("pyproject.toml",),
    "test.txt": ("pyproject.toml", "--group=test"),
    "build.txt": ("cython>=3.3,<4", "setuptools>=77"),
    "uv.txt": ("uv==0.13.9",),
}
"""What each lock is made from: a file, or requirements as they stand."""


def main() -> None:
    """Write every lock, keeping the versions that still fit."""
    for name, sources in LOCKS.items():
        has_file = "pyproject.toml" in sources
        subprocess.run(  # noqa: S603 - our own installer
            [
                Path(sys.executable).with_name("uv"),
                *("pip", "compile", *(sources if has_file else ["-"]), *OPTIONS, "-o", FOLDER / name),
            ],
            cwd=PROJECT,
            input=None if has_file else "\n".join(sources),
            text=True,
            check=True,
            stdout=subprocess.DEVNULL,
        )


if __name__ == "__main__":
    main()
