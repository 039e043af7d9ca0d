"""No recording lies idle: every file of vectors is read by a test, and so is every case, and everything a case says.

What tests read is found in their source: the loaders of vectors take the number of a file and the field that a case
must have, or a name. A case counts as read where nothing after the loader picks some and leaves others.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

from tests.unit.handle_protocol.conftest import KINDS

TESTS: Final = Path(__file__).parents[1]
FILES: Final = tuple(sorted((TESTS / "vectors" / "handle").glob("*.json")))

READ_FROM_END_TO_END: Final = {
    "14-rest": ("integration/resolver/test_rest_exchanges.py", "for name, exchange in EXCHANGES.items():"),
    "seed-handles": ("conformance/seeded.py", 'for each in vectors("seed-handles")["handles"]]'),
}
"""Files that one test goes through as a whole, and the words by which it does."""

NOT_READ: Final = {
    "message_hex": "the octets without the envelope, whose octets are there as well",
    "after_body_hex": "how the octets end",
    "op_flags_hex": "in the header as well",
    "packet_count": "how many packets there are",
    "challenge_message_hex": "nonce and digest stand beside it",
    "challenge_session_id": "in the octets of the answer",
    "salt_hex": "in the octets of the proof",
    "key_length_bits": "in the octets of the proof",
    "p_hex": "in the public key",
    "g_hex": "in the public key",
    "raw_shared_secret_hex": "what the session key is made of, which both halves make",
    "private_jwk": "the private key in another form, which nothing here reads",
    "sm3_hex": "a step on the way to the signature, which is verified",
    "sm2_user_id_hex": "a step on the way to the signature, which is verified",
    "jws_header": "the beginning of the signed text",
    **dict.fromkeys(
        ("note", "rule", "key_rule", "digest_rule", "mac_alg", "signed_octets", "mac_input", "input", "verified_with"),
        "in words what the octets are",
    ),
    "envelope_flag": "in words what the octets are",
    "reference_error": "the words of the reference",
    **dict.fromkeys(
        ("reencodes_equal", "json_round_trip_equal", "decrypts_equal"), "whether the reference gives back what it read"
    ),
    **dict.fromkeys(("reference_verifies", "sdk_verifies", "verified", "validates"), "that the maker verified it, too"),
}
"""Fields of cases that no test reads, and where else that is said."""


class Reading(NamedTuple):
    """What a loader is asked for: cases of files whose name starts so, with this field, and this in their name."""

    number: str
    field: str
    part_of_name: str = ""

    def finds(self, file: Path, case: dict[str, Any]) -> bool:
        """Tell whether a case is among what is asked for."""
        return file.stem.startswith(self.number) and self.field in case and self.part_of_name in case["name"]


def cases_of(file: Path) -> list[dict[str, Any]]:
    content: dict[str, list[dict[str, Any]]] = json.loads(file.read_text())
    return content["vectors"] if "vectors" in content else content["handles"]


@cache
def trees() -> tuple[ast.Module, ...]:
    """The sources of all tests but this one."""
    return tuple(ast.parse(path.read_text()) for path in TESTS.rglob("*.py") if path != Path(__file__))


@cache
def texts() -> frozenset[str]:
    """Every text that stands in a test."""
    nodes = (node for tree in trees() for node in ast.walk(tree))
    return frozenset(node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str))


@cache
def readings() -> frozenset[Reading]:
    """What is asked for in full."""
    return frozenset(KINDS_IN_USE) | frozenset(reading for tree in trees() for reading in _readings_in(tree))


def _readings_in(tree: ast.Module) -> Iterator[Reading]:
    picked = {id(call) for each in ast.walk(tree) for call in _picked_from(each)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and id(node) not in picked and _called(node) in {"read_vectors", "cases"}:
            words = [word.value for word in node.args if isinstance(word, ast.Constant)]
            if len(words) == len(node.args) >= 2 and "name" not in words[1:]:  # By name, some are picked later.
                yield Reading(*map(str, words))


def _picked_from(node: ast.AST) -> list[ast.expr]:
    """Return what a comprehension or a subscript takes only a part of."""
    match node:
        case ast.comprehension(iter=taken, ifs=[_, *_]) | ast.Subscript(value=taken):
            return [taken]
        case _:
            return []


def _called(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else ""


KINDS_IN_USE: Final = tuple(
    Reading(*asked)
    for argument, asked in KINDS.items()
    if any(isinstance(node, ast.arg) and node.arg == argument for tree in trees() for node in ast.walk(tree))
)
"""Arguments that make a test run once for each case."""


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_case_of_a_file_is_read_by_a_test(file: Path) -> None:
    whole = READ_FROM_END_TO_END.get(file.stem)
    if whole is not None:
        path, words = whole
        assert words in (TESTS / path).read_text()
        return
    idle = [
        case["name"]
        for case in cases_of(file)
        if case["name"] not in texts() and not any(reading.finds(file, case) for reading in readings())
    ]
    assert idle == []


def test_everything_that_cases_say_is_read_by_a_test_or_said_elsewhere() -> None:
    said = {field for file in FILES for case in cases_of(file) for field in case}
    assert said - texts() == set(NOT_READ)
