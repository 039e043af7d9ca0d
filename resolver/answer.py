"""What we can say to a query. Each of these is an ordinary outcome, none is an error.

The `outcome` of each is its word in metrics and logs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from handle_protocol.handle import Handle, Prefix
from handle_protocol.predefined.site import Site
from handle_protocol.record import HandleRecord


@dataclass(frozen=True, slots=True)
class Found:
    """The record, with just the values that were asked for and may be seen.

    Attributes:
        is_authoritative: False when the register could not be asked and the record is an older one we remember.
    """

    outcome: ClassVar[str] = "found"
    record: HandleRecord
    is_authoritative: bool = True


@dataclass(frozen=True, slots=True)
class NotFound:
    """A statement of fact: the register holds no such handle.

    Attributes:
        was_deleted: it held one before.
    """

    outcome: ClassVar[str] = "not_found"
    handle: Handle
    was_deleted: bool = False


@dataclass(frozen=True, slots=True)
class ValuesNotFound:
    """The handle exists, but has no value of those asked for that may be seen."""

    outcome: ClassVar[str] = "values_not_found"
    handle: Handle


@dataclass(frozen=True, slots=True)
class NotResponsible:
    """The prefix is none of ours."""

    outcome: ClassVar[str] = "not_responsible"
    handle: Handle


@dataclass(frozen=True, slots=True)
class Suspended:
    """The prefix is ours, but nothing below it resolves for now."""

    outcome: ClassVar[str] = "suspended"
    handle: Handle
    prefix: Prefix


@dataclass(frozen=True, slots=True)
class Referred:
    """The prefix is delegated: its enterprise's own node knows.

    Attributes:
        is_prefix_query: the question was for the record of a prefix derived from the delegated one.
    """

    outcome: ClassVar[str] = "referred"
    handle: Handle
    site: Site
    is_prefix_query: bool = False


@dataclass(frozen=True, slots=True)
class PermissionNeeded:
    """Some of what was asked for is not public, and the question insisted on it."""

    outcome: ClassVar[str] = "permission_needed"
    handle: Handle


@dataclass(frozen=True, slots=True)
class Busy:
    """Try later: the register cannot be reached, or too many questions are waiting."""

    outcome: ClassVar[str] = "busy"
    handle: Handle


Answer = Found | NotFound | ValuesNotFound | NotResponsible | Suspended | Referred | PermissionNeeded | Busy
