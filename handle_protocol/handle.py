"""Handles and prefixes: how a name is split, compared and derived (RFC 3650 §3, RFC 3651 §2).

A handle is prefix "/" suffix; the first slash splits, so a suffix may hold slashes, dots and any UTF-8. A name
without a slash stands for the prefix handle 0.NA/name. Only ASCII letters fold, and they fold upwards as in the
reference implementation: always in the prefix and in every handle below a prefix that starts with "0.", in other
suffixes only where the prefix says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from handle_protocol.errors import InvalidHandle
from handle_protocol.limits import HANDLE_OCTETS_MAX

PREFIX_HANDLE_PREFIX: Final = "0.NA"
"""The prefix under which prefixes themselves are handles."""


def fold(name: str) -> str:
    """Return `name` with ASCII letters in upper case and every other character as it is."""
    return name.upper() if name.isascii() else name.encode().upper().decode()


@dataclass(frozen=True, slots=True)
class Prefix:
    """The owner's half of a handle, such as 88.118.8, in folded form.

    Segments are text, never numbers: 88.101.0042 is not 88.101.42.
    """

    name: str

    @classmethod
    def parse(cls, spelling: str) -> Prefix:
        """Read a prefix, or a prefix handle (0.NA/88.118.8), as a person writes it.

        Raises:
            InvalidHandle: it is empty, too long, or has a slash or an empty segment.
        """
        name = fold(spelling.strip())
        name = name.removeprefix(f"{PREFIX_HANDLE_PREFIX}/")
        if len(name.encode()) > HANDLE_OCTETS_MAX:
            raise InvalidHandle(f"expected a prefix of at most {HANDLE_OCTETS_MAX} octets")
        if "/" in name or not all(name.split(".")):
            raise InvalidHandle(f"expected a prefix such as 88.118.8, not {spelling!r}")
        return cls(name)

    @property
    def handle(self) -> Handle:
        """The handle whose record describes this prefix."""
        return Handle(f"{PREFIX_HANDLE_PREFIX}/{self.name}")

    @property
    def key(self) -> bytes:
        """The octets under which registers and caches keep this prefix."""
        return self.name.encode()

    @property
    def parent(self) -> Prefix | None:
        """The prefix one segment shorter, or None for a single segment."""
        shorter, dot, _ = self.name.rpartition(".")
        return Prefix(shorter) if dot else None

    def lineage(self) -> Iterator[Prefix]:
        """Yield this prefix and its ancestors, longest first."""
        prefix: Prefix | None = self
        while prefix is not None:
            yield prefix
            prefix = prefix.parent

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Handle:
    """A handle as it was spelled. Compare handles by `key`, which knows the case rules."""

    spelling: str

    @classmethod
    def parse(cls, spelling: str) -> Handle:
        """Read a handle.

        Raises:
            InvalidHandle: it is empty, longer than 2 048 octets or not encodable as UTF-8.
        """
        try:
            size = len(spelling.encode())
        except UnicodeEncodeError:
            raise InvalidHandle("expected a handle in UTF-8") from None
        _check_size(size)
        return cls(spelling)

    @classmethod
    def decode(cls, octets: bytes) -> Handle:
        """Read a handle from its octets.

        Raises:
            InvalidHandle: as for `parse`, or the octets are not UTF-8.
        """
        _check_size(len(octets))
        try:
            return cls(octets.decode())
        except UnicodeDecodeError:
            raise InvalidHandle("expected a handle in UTF-8") from None

    @property
    def prefix_spelling(self) -> str:
        """The half before the first slash as it was written; 0.NA when there is no slash."""
        before, slash, _ = self.spelling.partition("/")
        return before if slash else PREFIX_HANDLE_PREFIX

    @property
    def suffix(self) -> str:
        """The half after the first slash; the whole name when there is no slash."""
        before, slash, after = self.spelling.partition("/")
        return after if slash else before

    @property
    def prefix(self) -> Prefix:
        """Who is responsible for this handle."""
        return Prefix(fold(self.prefix_spelling))

    @property
    def described_prefix(self) -> Prefix | None:
        """The prefix this handle describes, when it is a prefix handle (0.NA/88.118.8 or just 88.118.8)."""
        if fold(self.prefix_spelling) == PREFIX_HANDLE_PREFIX and self.suffix:
            return Prefix(fold(self.suffix))
        return None

    def key(self, *, folds_suffix: bool = False) -> bytes:
        """Return the octets under which registers and caches keep this handle."""
        # Every record that is read, stored or resolved passes here: half the time of using the properties above.
        prefix, slash, suffix = self.spelling.partition("/")
        if not slash:
            prefix, suffix = PREFIX_HANDLE_PREFIX, prefix
        prefix = fold(prefix)
        if folds_suffix or prefix.startswith("0."):
            suffix = fold(suffix)
        return f"{prefix}/{suffix}".encode()

    def __str__(self) -> str:
        return self.spelling


def _check_size(octets: int) -> None:
    if not 0 < octets <= HANDLE_OCTETS_MAX:
        raise InvalidHandle(f"expected a handle of 1 to {HANDLE_OCTETS_MAX} octets, not {octets}")
