"""What reviewers would otherwise repeat: sizes, words, and who may use what."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import Counter, Gauge, Histogram

from resolver import metrics

ROOT = Path(__file__).parents[2]
PACKAGES = ("handle_protocol", "registry", "resolver", "admin", "node", "load_tests")

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 50
README_LINES_MAX = 150

EMPTY_WORDS = {"util", "utils", "helper", "helpers", "common", "misc", "shared", "base", "core", "manager", "info"}

ONE_PLACE = {
    "struct": {"handle_protocol/octets.py"},
    "unittest": set(),
    "mock": set(),
}
"""Modules that one file alone may import, or none."""


def sources() -> list[Path]:
    return [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_source_file_is_short_and_says_what_it_knows(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= FILE_LINES_MAX
    assert ast.get_docstring(ast.parse(text)), "the first sentence of a file says what it knows"
    too_long = [each.name for each in functions(path) if (each.end_lineno or 0) - each.lineno >= FUNCTION_LINES_MAX]
    assert not too_long


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_is_called_after_what_it_knows(path: Path) -> None:
    assert not EMPTY_WORDS & set(path.stem.split("_")) or path.stem == "shared_cache"


def test_handle_is_a_noun() -> None:
    verbs = [
        f"{path.relative_to(ROOT)}: {each.name}"
        for path in sources()
        for each in functions(path)
        if re.match(r"_*handle_(client|connection|data|datagram|error|event|message|query|re(quest|sponse))", each.name)
        and each.name != "handle_error"  # aiohttp calls it so.
    ]
    assert not verbs


@pytest.mark.parametrize(("module", "allowed"), ONE_PLACE.items())
def test_some_modules_have_one_place(module: str, allowed: set[str]) -> None:
    importers = {
        str(path.relative_to(ROOT))
        for path in sources()
        for node in ast.walk(ast.parse(path.read_text()))
        if (isinstance(node, ast.Import) and any(name.name.split(".")[0] == module for name in node.names))
        or (isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == module)
    }
    assert importers <= allowed


def test_tests_use_no_mocks() -> None:
    text = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("*.py") if path != Path(__file__))
    assert not re.search(r"\b(MagicMock|AsyncMock|unittest\.mock|mocker)\b", text)


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_a_readme_can_be_read_in_one_go(name: str) -> None:
    assert len((ROOT / name).read_text().splitlines()) <= README_LINES_MAX


def test_metrics_are_named_with_their_unit() -> None:
    for metric in vars(metrics).values():
        if isinstance(metric, Gauge | Histogram):
            assert re.search(r"_(octets|seconds|records|connections)$", metric.describe()[0].name)
        elif isinstance(metric, Counter):
            assert metric.describe()[0].name.startswith("idnode_")


def test_locked_requirements_name_no_host_and_no_path() -> None:
    for path in (ROOT / "requirements").glob("*.txt"):
        text = path.read_text()
        assert "--hash=sha256:" in text
        assert not re.search(r"https?://|file:|--(extra-)?index-url|--find-links", text)


def test_every_word_of_the_glossary_stands_once() -> None:
    rows = re.findall(r"^\| ([^|]+) \|", (ROOT / "GLOSSARY.md").read_text(), re.MULTILINE)
    assert len(rows) == len(set(rows))
