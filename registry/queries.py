"""Named queries from registry/sql: each begins with a line "-- name: what it is called"."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from types import MappingProxyType


def queries(topic: str) -> Mapping[str, str]:
    """Return the queries of `registry/sql/{topic}.sql` by name."""
    text = (resources.files("registry") / "sql" / f"{topic}.sql").read_text(encoding="utf-8")
    _, *parts = text.split("-- name: ")
    named = (part.split("\n", 1) for part in parts)
    return MappingProxyType({name.strip(): query.strip().rstrip(";") for name, query in named})
