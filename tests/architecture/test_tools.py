"""The tools that check the whole project, as tests: their findings are failures like any other."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOLS = Path(sys.executable).parent
PACKAGES = ("handle_protocol", "registry", "resolver", "admin", "node", "load_tests")
CODE = (*PACKAGES, "tests", "requirements")

CALLED_FROM_OUTSIDE = (
    "[A-Z]*",  # tables of a specification are whole, used or not
    "contacts",  # the same
    "datagram_received",  # asyncio
    "error_received",
    "eof_received",
    "handle_error",  # aiohttp
    "output_size",
    "_next_keepalive_close_time",
    "source_address",  # http.client
    "list_commands",  # click
    "get_command",
    "format_commands",
    "formatter_class",
    "buffer_text",  # expat
    "pytest_*",
    "dns_port",  # a setting of a door that is closed yet
)
"""Names by which a library calls us, so that nothing here does."""

CHECKS = {
    "ruff check": ("ruff", "check", "--output-format=concise", *CODE),
    "ruff format": ("ruff", "format", "--check", *CODE),
    "mypy": ("mypy",),
    "lint-imports": ("lint-imports", "--no-cache"),
    "interrogate": ("interrogate", "-vv", "--config=pyproject.toml", *PACKAGES),
    "vulture": (
        "vulture",
        f"--ignore-names={','.join(CALLED_FROM_OUTSIDE)}",
        "--ignore-decorators=@*.command,@click.*,@pytest.fixture,@pytest_asyncio.fixture",
        *PACKAGES,
        "tests",
    ),
}
"""By name: the program and its arguments."""


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.timeout(300)
def test_the_project_is_clean(check: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    program, *arguments = CHECKS[check]
    caches = tmp_path_factory.getbasetemp()  # the project itself may be read-only
    environment = os.environ | {
        "MYPY_CACHE_DIR": os.environ.get("MYPY_CACHE_DIR", str(_cache(caches, "mypy"))),
        "RUFF_CACHE_DIR": str(_cache(caches, "ruff")),
        "COLUMNS": "160",
    }
    ran = subprocess.run(
        [TOOLS / program, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, f"{program} finds:\n{ran.stdout}{ran.stderr}"


def _cache(caches: Path, tool: str) -> Path:
    """Keep a tool's cache beside the code where that can be written, because the second run is far quicker."""
    return ROOT / f".{tool}_cache" if os.access(ROOT, os.W_OK) else caches / tool


def test_scripts_are_plain_sh() -> None:
    for script in ("run", "test", ".ci/run", "requirements/prepare.sh"):
        ran = subprocess.run(["sh", "-n", ROOT / script], capture_output=True, text=True, check=False)
        assert (ran.returncode, ran.stderr) == (0, "")


def test_locks_name_no_index_and_no_local_path() -> None:
    for lock in (ROOT / "requirements").glob("*.txt"):
        text = lock.read_text()
        assert "://" not in text
        assert " /" not in text
        assert all("==" in line for line in text.splitlines() if line and line[0] not in " #")
