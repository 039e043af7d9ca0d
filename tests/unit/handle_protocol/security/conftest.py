"""What the tests of security share: the vectors by name, and the keys of vector files 10 and 15."""

import json
from typing import Any

import pytest

from handle_protocol.security.private_keys import SigningKey, read_private_key
from tests.unit.handle_protocol.conftest import DIRECTORY, read_vectors

TELEINFO_KEYS = json.loads((DIRECTORY / "15-teleinfo.json").read_text())["keys"]


def cases(number: str, field: str, part_of_name: str = "") -> Any:
    """Return the vectors of a file that have a field, as parameters."""
    found = [vector for vector in read_vectors(number, field) if part_of_name in vector["name"]]
    assert found
    return pytest.mark.parametrize("vector", found, ids=[vector["name"] for vector in found])


def vector_named(number: str, name: str) -> dict[str, Any]:
    return next(vector for vector in read_vectors(number, "name") if vector["name"] == name)


def reference_key(name: str) -> SigningKey:
    """Return a private key of the reference: "server RSA", "admin RSA" or "admin DSA"."""
    content = bytes.fromhex(vector_named("10", f"key {name}")["private_hex"])
    return read_private_key(b"\0\0\0\1" + content, None)


def sm2_key() -> SigningKey:
    """Return the private key with which Teleinfo's SDK logged in."""
    return read_private_key(TELEINFO_KEYS["sm2_private_pkcs8_pem"].encode(), None)
