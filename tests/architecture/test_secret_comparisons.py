"""Secrets are compared in constant time: where proofs are made and judged, == touches none (reliability row 28)."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("handle_protocol/security", "resolver/authentication")

SECRET = re.compile(
    r"(^|_)(code|digest|fingerprint|mac|nonce|passphrase|password|proof|secret|signature|tag)(_octets|_bytes|s)?$"
)
"""Names of what somebody could guess octet by octet, if the time of a comparison told how many were right."""


def leaking_comparisons(source: str) -> Iterator[int]:
    """Yield the lines on which something that is called like a secret is compared by == or !=."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Compare) or not any(isinstance(each, ast.Eq | ast.NotEq) for each in node.ops):
            continue
        if any(map(is_secret, (node.left, *node.comparators))):
            yield node.lineno


def is_secret(side: ast.expr) -> bool:
    """Tell whether an operand is called like a secret: a name, a member, an item, or what a call or a method gives."""
    match side:
        case ast.Name(name) | ast.Attribute(attr=name):
            return SECRET.search(name) is not None
        case ast.Call(ast.Name("len"), _, _):
            return False
        case ast.Call(ast.Attribute(inner, name), _, _):
            return SECRET.search(name) is not None or is_secret(inner)
        case ast.Call(function, _, _):
            return is_secret(function)
        case ast.Subscript(inner, _):
            return is_secret(inner)
        case _:
            return False


SOURCES = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_secret_is_compared_by_its_octets(path: Path) -> None:
    assert list(leaking_comparisons(path.read_text())) == []


@pytest.mark.parametrize(
    "line",
    [
        "expected == credential.signature",
        "code != self.code",
        "hmac.digest(key, octets, 'sha256') == fingerprint",
        "sha256(key).digest() == other",
        "self.secret == given[0]",
        "proofs[0] == other",
        "a < b == request_digest",
        "not mac == other",
    ],
)
def test_a_leak_is_found(line: str) -> None:
    assert list(leaking_comparisons(line)) == [1]


@pytest.mark.parametrize(
    "line",
    [
        "digest_name == other",
        "len(self.code) != expected",
        "code is None",
        "kind == SECRET_KEY",
        "index == other.index",
    ],
)
def test_nothing_else_is_taken_for_one(line: str) -> None:
    assert list(leaking_comparisons(line)) == []
