"""Every query has a name, one sentence that says what it does, and a user."""

from importlib import resources
from pathlib import Path

import pytest

from registry.queries import queries

FOLDER = Path(str(resources.files("registry")))
TOPICS = sorted(file.stem for file in (FOLDER / "sql").glob("*.sql"))


@pytest.mark.parametrize("topic", TOPICS)
def test_each_query_begins_with_a_sentence(topic: str) -> None:
    for name, query in queries(topic).items():
        comment, *_ = query.split("\n")
        assert comment.startswith("-- "), name
        assert query.isascii(), name


@pytest.mark.parametrize("topic", TOPICS)
def test_each_query_is_used(topic: str) -> None:
    code = "".join(file.read_text(encoding="utf-8") for file in FOLDER.glob("*.py"))
    assert [name for name in queries(topic) if f'"{name}"' not in code] == []
