"""Which handles a file has already named, and in which row."""

from hashlib import blake2b
from typing import Final

from node.input.limits import ROWS_MAX
from node.input.problems import Problem, UnreadableFile

_DIGEST_OCTETS: Final = 16
"""Two different handles with the same digest are not to be expected in the life of the universe."""
_ROW_OCTETS: Final = 5
_ENTRY_OCTETS: Final = _DIGEST_OCTETS + _ROW_OCTETS
_BUCKETS: Final = 65_536


class SeenHandles:
    """Digests of the handles seen so far, about 25 octets each where a dictionary needs 140.

    A bucket is a run of entries, each a digest and a row number; the digest's first octets choose the bucket.
    """

    def __init__(self) -> None:
        self._buckets = [bytearray() for _ in range(_BUCKETS)]
        self._count = 0

    def first_row(self, key: bytes, row: int) -> int | None:
        """Return the row in which the handle with this key stood before, or None and remember `row`.

        Raises:
            UnreadableFile: the file has more than 50 million rows.
        """
        digest = blake2b(key, digest_size=_DIGEST_OCTETS).digest()
        bucket = self._buckets[digest[0] << 8 | digest[1]]
        found = bucket.find(digest)
        while found >= 0:
            if found % _ENTRY_OCTETS == 0:
                return int.from_bytes(bucket[found + _DIGEST_OCTETS : found + _ENTRY_OCTETS], "big")
            found = bucket.find(digest, found + 1)
        if self._count == ROWS_MAX:
            raise UnreadableFile(Problem.TOO_MANY_ROWS, limit=ROWS_MAX)
        self._count += 1
        bucket += digest + row.to_bytes(_ROW_OCTETS, "big")
        return None
