"""Which handles a file has already named, and in which row."""

from hashlib import blake2b
from typing import Final

from node.input.limits import ROWS_MAX
from node.input.problems import Problem, UnreadableFile

_DIGEST_OCTETS: Final = 12
"""Two of 50 million different handles have the same digest once in 60 million million files."""
_BUCKET_OCTETS: Final = 2
"""What of the digest chooses the bucket, and so need not be kept in it."""
_KEPT_OCTETS: Final = _DIGEST_OCTETS - _BUCKET_OCTETS
_ROW_OCTETS: Final = 5
_ENTRY_OCTETS: Final = _KEPT_OCTETS + _ROW_OCTETS


class SeenHandles:
    """Digests of the handles seen so far, about 18 octets each where a dictionary needs 140.

    A bucket is a run of entries, each the rest of a digest and a row number.
    """

    def __init__(self) -> None:
        self._buckets = [bytearray() for _ in range(256**_BUCKET_OCTETS)]
        self._count = 0

    def first_row(self, key: bytes, row: int) -> int | None:
        """Return the row in which the handle with this key stood before, or None and remember `row`.

        Raises:
            UnreadableFile: the file has more than 50 million rows.
        """
        digest = blake2b(key, digest_size=_DIGEST_OCTETS).digest()
        bucket, kept = self._buckets[digest[0] << 8 | digest[1]], digest[_BUCKET_OCTETS:]
        found = bucket.find(kept)
        while found >= 0:
            if found % _ENTRY_OCTETS == 0:
                return int.from_bytes(bucket[found + _KEPT_OCTETS : found + _ENTRY_OCTETS], "big")
            found = bucket.find(kept, found + 1)
        if self._count == ROWS_MAX:
            raise UnreadableFile(Problem.TOO_MANY_ROWS, limit=ROWS_MAX)
        self._count += 1
        bucket += kept + row.to_bytes(_ROW_OCTETS, "big")
        return None
