"""What resolution needs from outside, as Protocols; `registry` fulfils them by shape.

An outage is said with the built-in ConnectionError or TimeoutError, never with an empty answer.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Protocol

from handle_protocol.handle import Prefix
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
