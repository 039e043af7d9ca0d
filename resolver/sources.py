"""What resolution needs from outside, as Protocols; `registry` fulfils them by shape.

An outage is said with the built-in ConnectionError or TimeoutError, never with an empty answer.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from handle_protocol.handle import Handle, Prefix
from handle_protocol.predefined.site import Site
from handle_protocol.record import HandleRecord


class RegisteredPrefix(Protocol):
    """A prefix that is ours, and who answers for the handles below it."""

    @property
    def prefix(self) -> Prefix:
        """The prefix itself."""

    @property
    def is_suspended(self) -> bool:
        """Whether nothing below it resolves for now."""

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
        """Return the records that exist among `keys` (see Handle.key), in one query.

        Raises:
            ConnectionError: the store cannot be reached.
            TimeoutError: it did not answer within its deadline.
        """


class PrefixSource(Protocol):
    """The registered prefixes."""

    async def load(self) -> Sequence[RegisteredPrefix]:
        """Return every registered prefix. Raises as RecordSource.fetch."""


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


@dataclass(frozen=True, slots=True)
class RecordChange:
    """One record as somebody decided it should be from now on.

    Attributes:
        handle: whose record; a record that lives already keeps its spelling.
        value_list: the new values in wire form, stamped; None = the record is deleted.
        expected_revision: of the living record that the decision was made upon; 0 = there was none.
        identity: who decided, as "300:0.NA/88.118.8"; empty for a value that anybody may write.
    """

    handle: Handle
    value_list: bytes | None
    expected_revision: int
    identity: str


class ChangeResult(Enum):
    """What became of a RecordChange."""

    DONE = "done"
    CONFLICT = "conflict"
    """The record has another revision meanwhile: look again, decide again."""
    NOT_OURS = "not_ours"
    SUSPENDED = "suspended"
    DELEGATED = "delegated"
    TOO_LONG = "too_long"


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
            PermissionError: the register refuses it: too deep, delegated, or its case rule would hide records.
        """

    async def unhome(self, prefix: Prefix) -> bool:
        """Answer for it no longer, and keep its records; return False when it is not registered. Raises the same."""
