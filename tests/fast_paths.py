"""The kinds of fast path that tests run with: both twins, wherever the compiled one can be built."""

from __future__ import annotations

import shutil
import sysconfig
from pathlib import Path
from typing import Final

import pytest

from resolver.fast_path.choice import IS_COMPILED, FastPath

CAN_BE_BUILT: Final = shutil.which("cc") is not None and Path(sysconfig.get_paths()["include"], "Python.h").exists()
"""Whether there is all that building it takes; then it must be there."""

FAST_PATHS: Final = (
    FastPath.PYTHON,
    pytest.param(FastPath.COMPILED, marks=pytest.mark.skipif(not IS_COMPILED, reason="it was not built")),
)
