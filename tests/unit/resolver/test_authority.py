"""Who answers for a handle, when a prefix between others was withdrawn."""

import pytest

from handle_protocol.handle import Handle, Prefix
from resolver.authority import Authority
from tests.fakes.memory_register import MemoryPrefix

PARENT, WITHDRAWN, CHILD = (
    MemoryPrefix(Prefix("88.118")),
    MemoryPrefix(Prefix("88.118.8"), is_withdrawn=True),
    MemoryPrefix(Prefix("88.118.8.1")),
)
AUTHORITY = Authority((PARENT, WITHDRAWN, CHILD))


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("88.118/泵", PARENT),
        ("88.118.80/泵", PARENT),
        ("88.118.8/泵", None),
        ("88.118.8.2/泵", None),
        ("0.NA/88.118.8", None),
        ("88.118.8.1/泵", CHILD),
        ("88.118.8.1.5/泵", CHILD),
    ],
)
def test_a_withdrawn_prefix_is_nobodys_though_those_above_and_below_are_ours(
    name: str, found: MemoryPrefix | None
) -> None:
    assert AUTHORITY.find(Handle(name)) == found


def test_the_short_way_and_the_lists_do_not_know_a_withdrawn_prefix() -> None:
    assert AUTHORITY.plain_prefixes == AUTHORITY.exact_prefixes == {b"88.118", b"88.118.8.1"}
    assert AUTHORITY.hosted_prefixes == (Prefix("88.118"), Prefix("88.118.8.1"))
    assert AUTHORITY.find_exactly(Prefix("88.118.8")) is None
