"""What resolution needs from outside, as Protocols; `registry` fulfils them by shape.

An outage is said with the built-in ConnectionError or TimeoutError, never with an empty answer.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Protocol

from handle_protocol.handle import Handle, Prefix
from handle_protocol.predefined.site import Site
from handle_protocol.record import ChangeResult, HandleRecord, RecordChange

__all__ = ("ChangeResult", "RecordChange")  # Of the seam too, though the register must know them.


class RegisteredPrefix(Protocol):
    """A prefix that is ours, and who answers for the handles below it."""

    @property
    def prefix(self) -> Prefix:
        """The prefix itself."""

    @property
    def is_suspended(self) -> bool:
        """Whether nothing below it resolves for now."""

    @property
    def is_withdrawn(self) -> bool:
        """Whether it is none of ours any more, though a prefix above it may be."""

    @property
    def folds_suffix(self) -> bool:
        """Whether suffixes below it are compared without regard to ASCII case."""

    @property
    def delegated_to(self) -> Site | None:
        """The enterprise's own node that answers for it; None = hosted here."""

    @property
    def changed_at(self) -> int:
        """When it last changed, Unix seconds."""


class RecordSource(Protocol):
    """The stored records."""

    async def fetch(self, keys: Sequence[bytes]) -> Mapping[bytes, HandleRecord]:
        """Return the records that exist, or were deleted, among `keys` (see Handle.key), in one query.

        Raises:
            ConnectionError: the store cannot be reached.
            TimeoutError: it did not answer within its deadline.
        """


class PrefixSource(Protocol):
    """The registered prefixes."""

    async def load(self) -> Sequence[RegisteredPrefix]:
        """Return every registered prefix, withdrawn ones too. Raises as RecordSource.fetch."""


class Change(Protocol):
    """What one committed transaction changed."""

    @property
    def record_keys(self) -> Sequence[bytes]:
        """Keys of the records it created, changed or deleted."""

    @property
    def has_prefixes(self) -> bool:
        """Whether it changed any registered prefix."""


class ChangeFeed(Protocol):
    """Committed changes, as they happen."""

    def follow(self) -> AsyncIterator[Sequence[Change]]:
        """Yield what was committed since the last look, at least once a second, an empty batch when nothing was.

        The first batch is yielded once the feed is connected and is empty: whatever is read after it arrived is
        covered by later batches. A change may come twice, never not at all.

        Raises:
            ConnectionError: the feed was lost; follow again to resume after the last batch.
            TimeoutError: the same.
            LookupError: too much time has passed to resume; following again starts afresh, and everything learned
                before must be forgotten.
        """


class RecordWriter(Protocol):
    """Where decided changes are stored."""

    async def apply(self, changes: Sequence[RecordChange]) -> Sequence[tuple[ChangeResult, int]]:
        """Store what still fits, in one transaction, and return for each change its result and the new revision.

        What is DONE is on disk. Each handle comes once. Raises as RecordSource.fetch; then nobody knows whether it
        was stored.
        """


class HandleList(Protocol):
    """The names of living records, in the order of their keys."""

    async def list_handles(self, prefix: Prefix, after: bytes, handles_max: int) -> Sequence[tuple[bytes, Handle]]:
        """Return keys and handles directly below `prefix`, after the key `after`. Raises as RecordSource.fetch."""

    async def count_handles(self, prefix: Prefix) -> int:
        """Return how many there are. Raises as RecordSource.fetch."""


class PrefixWriter(Protocol):
    """Where prefixes are homed and unhomed by a server administrator over the wire."""

    async def home(self, prefix: Prefix) -> bool:
        """Answer for `prefix` from now on; return False when it was so already. Raises as RecordSource.fetch.

        Raises:
            PermissionError: the register refuses it: too deep, or delegated.
        """

    async def unhome(self, prefix: Prefix) -> bool:
        """Answer for it no longer, and keep its records; return False when it is not answered for anyway.

        Raises the same; a suspended prefix cannot be unhomed.
        """
