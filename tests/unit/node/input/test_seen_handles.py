"""Which handles were seen."""

import pytest

from node.input import seen_handles
from node.input.problems import Problem, UnreadableFile
from node.input.seen_handles import SeenHandles


def test_the_first_row_of_every_handle_is_known() -> None:
    seen = SeenHandles()
    keys = [f"88.118.9/{number}".encode() for number in range(200_000)]
    assert all(seen.first_row(key, row) is None for row, key in enumerate(keys, 2))
    assert all(seen.first_row(key, 9_999_999) == row for row, key in enumerate(keys, 2))


def test_a_row_number_may_be_as_large_as_a_file_of_blank_lines_makes_it() -> None:
    seen = SeenHandles()
    seen.first_row(b"88.118.9/1", 2**32 + 1)
    assert seen.first_row(b"88.118.9/1", 2**32 + 2) == 2**32 + 1


def test_an_entry_is_found_only_where_an_entry_starts() -> None:
    """Octets that look like a digest may stand across two entries; whoever takes them for one accuses good rows."""
    seen = SeenHandles()
    missing = b"88.118.9/missing"
    digest = seen_handles.blake2b(missing, digest_size=12).digest()
    bucket = seen._buckets[digest[0] << 8 | digest[1]]  # noqa: SLF001
    bucket += b"\0" * 3 + digest[2:] + b"\0" * 2
    assert seen.first_row(missing, 5) is None
    assert seen.first_row(missing, 6) == 5


def test_memory_is_bounded_by_a_number_of_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seen_handles, "ROWS_MAX", 2)
    seen = SeenHandles()
    seen.first_row(b"88.118.9/1", 2)
    seen.first_row(b"88.118.9/2", 3)
    with pytest.raises(UnreadableFile) as caught:
        seen.first_row(b"88.118.9/3", 4)
    assert caught.value.problem is Problem.TOO_MANY_ROWS
