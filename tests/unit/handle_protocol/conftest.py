"""The golden vectors: octets that other implementations wrote, and what they say (files under tests/vectors).

A test that takes one of the arguments below runs once for each vector of its kind.
"""

import json
from pathlib import Path
from typing import Any

import pytest

DIRECTORY = Path(__file__).parents[2] / "vectors" / "handle"

KINDS = {
    # argument: (number of the file, or none for every file; the field that the vector must have)
    "message_vector": ("", "wire_hex"),
    "datagram_vector": ("08", "packets_hex"),
    "value_vector": ("04", "value_hex"),
    "envelope_vector": ("13", "envelope_hex"),
    "site_hash_vector": ("09", "by_prefix"),
    "name_vector": ("09", "prefix_part"),
    "type_query_vector": ("12", "query"),
    "reference_vector": ("12", "text"),
    "admin_match_vector": ("12", "listed_handle"),
    "key_vector": ("10", "public_jwk"),
}


def read_vectors(number: str, field: str) -> list[dict[str, Any]]:
    return [
        vector
        for path in sorted(DIRECTORY.glob(f"{number}*-*.json"))
        for vector in json.loads(path.read_text()).get("vectors", [])
        if field in vector
    ]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    for argument in KINDS.keys() & set(metafunc.fixturenames):
        vectors = read_vectors(*KINDS[argument])
        metafunc.parametrize(
            argument, vectors, ids=[f"{number}: {vector['name']}" for number, vector in enumerate(vectors)]
        )
