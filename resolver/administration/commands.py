"""What somebody wants done, whichever door they came through. Values are those that were sent, not yet looked at."""

from __future__ import annotations

from dataclasses import dataclass

from handle_protocol.handle import Handle, Prefix
from handle_protocol.value import HandleValue
from resolver.query import Query


@dataclass(frozen=True, slots=True)
class Create:
    """Make a record.

    Attributes:
        overwrites: replace the record that may be there already.
        mints_suffix: `handle` is the beginning of a name that we complete.
    """

    handle: Handle
    values: tuple[HandleValue, ...]
    overwrites: bool = False
    mints_suffix: bool = False


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete a record."""

    handle: Handle


@dataclass(frozen=True, slots=True)
class AddValues:
    """Add values to a record.

    Attributes:
        overwrites: replace values that have the same index.
    """

    handle: Handle
    values: tuple[HandleValue, ...]
    overwrites: bool = False


@dataclass(frozen=True, slots=True)
class ModifyValues:
    """Replace values of a record, by their indexes."""

    handle: Handle
    values: tuple[HandleValue, ...]


@dataclass(frozen=True, slots=True)
class RemoveValues:
    """Remove values from a record."""

    handle: Handle
    indexes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ReadValues:
    """Read values that not everybody may read. `query.is_public_only` is False."""

    query: Query


@dataclass(frozen=True, slots=True)
class ListHandles:
    """List the handles directly below a prefix.

    Attributes:
        after: the key to go on after; empty = from the beginning.
        handles_max: how many are wanted at most; 0 = just count them.
        is_counted: whether the number of all of them is wanted too.
    """

    prefix: Prefix
    after: bytes = b""
    handles_max: int = 1_000
    is_counted: bool = False


@dataclass(frozen=True, slots=True)
class HomePrefix:
    """Begin to answer for a prefix."""

    prefix: Prefix


@dataclass(frozen=True, slots=True)
class UnhomePrefix:
    """Answer for a prefix no longer; its records stay."""

    prefix: Prefix


@dataclass(frozen=True, slots=True)
class ListPrefixes:
    """List the prefixes that are answered for here."""


Command = (
    Create
    | Delete
    | AddValues
    | ModifyValues
    | RemoveValues
    | ReadValues
    | ListHandles
    | HomePrefix
    | UnhomePrefix
    | ListPrefixes
)
