# ruff: noqa: INP001 - a script beside the locks it installs, no package
"""Install locked requirements into the virtual environment whose Python runs this: `install.py run` or `test`.

uv does it in a fraction of the time, so pip installs uv first; where that fails, pip installs everything. Hashes are
required either way. uv does not read pip's configuration, so what pip is set up for (index, mirror, certificates,
proxy) is handed to it. Nothing but the standard library is here: nothing else is installed yet.
"""

from __future__ import annotations

import ast
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

FOLDER = Path(__file__).resolve().parent
PROJECT = FOLDER.parent
BIN = Path(sys.prefix) / "bin"

UV_OPTIONS = {
    "index-url": "--default-index",
    "extra-index-url": "--index",
    "find-links": "--find-links",
    "trusted-host": "--allow-insecure-host",
}
"""pip's settings that may hold several values separated by blanks, and uv's options for one of them."""

UV_VARIABLES = {
    "cert": "SSL_CERT_FILE",
    "client-cert": "SSL_CLIENT_CERT",
    "proxy": "ALL_PROXY",
    "timeout": "UV_HTTP_TIMEOUT",
}
"""pip's settings that uv takes from the environment."""

COMMAND = """\
#!/bin/sh
'''exec' {python} -P "$0" "$@"
' '''
from node.cli import main

main()
"""
"""The command `idnode`: its second line is for the shell, what follows for Python. So its path may hold blanks."""

SYSTEM_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")


def main() -> int:
    """Install, make the command `idnode`, and return an exit status."""
    requirements = FOLDER / f"{sys.argv[1]}.txt"
    if not install(requirements):
        print("error: the dependencies could not be installed, see above", file=sys.stderr)  # noqa: T201
        print("hint: behind a mirror, set PIP_INDEX_URL or pip.conf", file=sys.stderr)  # noqa: T201
        return 1
    if can_compile() and os.access(PROJECT / "resolver" / "fast_path", os.W_OK):
        build_fast_path()
    make_command()
    return 0


def can_compile() -> bool:
    """Tell whether there is a C compiler, and Python's headers for it."""
    headers = Path(sysconfig.get_paths()["include"])
    return shutil.which("cc") is not None and (headers / "Python.h").exists()


def build_fast_path() -> None:
    """Compile what answers plain questions; should that fail, its twin in Python serves."""
    with TemporaryDirectory() as tools:
        if install(FOLDER / "build.txt", "--target", tools):
            command = [sys.executable, "setup.py", "--quiet", "build_ext", "--inplace", "--build-temp", tools]
            succeeds(command, os.environ | {"PYTHONPATH": tools}, folder=PROJECT)


def install(requirements: Path, *options: str) -> bool:
    """Tell whether `requirements` were installed, by uv or else by pip; both take `options`."""
    return install_with_uv(requirements, *options) or install_with_pip(requirements, *options)


def install_with_uv(requirements: Path, *options: str) -> bool:
    """Tell whether uv could be installed and has installed `requirements`."""
    uv = BIN / "uv"
    if not succeeds([*PIP, "install", "--require-hashes", "-r", str(FOLDER / "uv.txt")]) or not uv.exists():
        return False
    settings = pip_settings()
    command = [str(uv), "pip", "install", "--quiet", "--python", sys.executable, "--require-hashes"]
    command += ["--index-strategy", "unsafe-best-match", *uv_options(settings), *options, "-r", str(requirements)]
    return succeeds(command, uv_variables(settings))


def install_with_pip(requirements: Path, *options: str) -> bool:
    """Tell whether pip has installed `requirements`."""
    return succeeds([*PIP, "install", "--require-hashes", *options, "-r", str(requirements)])


def pip_settings() -> dict[str, str]:
    """Return pip's own settings by name; the environment wins over [install], that over [global]."""
    listed = subprocess.run([*PIP, "config", "list"], capture_output=True, text=True, check=False)  # noqa: S603
    found: dict[str, dict[str, str]] = {}
    for line in listed.stdout.splitlines():
        name, equals, value = line.partition("=")
        section, dot, key = name.rpartition(".")
        if equals and dot:
            found.setdefault(section, {})[key.replace("default-timeout", "timeout")] = str(ast.literal_eval(value))
    return found.get("global", {}) | found.get("install", {}) | found.get(":env:", {})


def uv_options(settings: dict[str, str]) -> Iterator[str]:
    """Yield uv's options that say what `settings` say. Hashes are pinned, so any index may serve any package."""
    for name, option in UV_OPTIONS.items():
        for value in settings.get(name, "").split():
            yield from (option, value)
    if settings.get("no-index", "").lower() in {"1", "true", "yes", "on"}:
        yield "--no-index"


def uv_variables(settings: dict[str, str]) -> dict[str, str]:
    """Return the environment for uv. What the user has set for uv wins."""
    ours = {variable: settings[name] for name, variable in UV_VARIABLES.items() if name in settings}
    ours["UV_PYTHON_DOWNLOADS"] = "never"
    if SYSTEM_CERTIFICATES.exists():  # otherwise uv's own, as pip has its own
        ours["UV_SYSTEM_CERTS"] = "1"
    return ours | dict(os.environ)


def succeeds(command: list[str], environment: dict[str, str] | None = None, folder: Path | None = None) -> bool:
    """Run `command` and tell whether it ended well."""
    return subprocess.run(command, env=environment, cwd=folder, check=False).returncode == 0  # noqa: S603


def make_command() -> None:
    """Let the environment find the project's packages, and make bin/idnode."""
    site = next(Path(folder) for folder in sys.path if folder.endswith("site-packages"))
    (site / "idnode.pth").write_text(f"{PROJECT}\n")
    command = BIN / "idnode"
    command.write_text(COMMAND.format(python=shlex.quote(sys.executable)))
    command.chmod(0o755)


if __name__ == "__main__":
    sys.exit(main())
