"""Who answers for a handle: we, an enterprise's own node, or somebody else."""

from __future__ import annotations

from collections.abc import Iterable

from handle_protocol.handle import Handle, Prefix
from resolver.sources import RegisteredPrefix


class Authority:
    """The registered prefixes of one moment; a change makes a new one.

    Attributes:
        is_known: False until the prefixes were read for the first time; nothing can be said before.
        plain_prefixes: keys of the prefixes whose handles may be answered from the cache without a further look:
            hosted here, not suspended, and no prefix handles below them.
        exact_prefixes: those of them below which a handle is its own key, if its prefix is one of these.
    """

    def __init__(self, registered: Iterable[RegisteredPrefix] | None = None) -> None:
        self.is_known = registered is not None
        everything = tuple(registered or ())
        self._registered = {each.prefix: each for each in everything if not each.is_withdrawn}
        self._withdrawn = frozenset(each.prefix for each in everything if each.is_withdrawn)
        self.plain_prefixes = frozenset(
            each.prefix.key
            for each in self._registered.values()
            if each.delegated_to is None and not each.is_suspended and not each.prefix.name.startswith("0.")
        )
        self.exact_prefixes = self.plain_prefixes - {
            each.prefix.key for each in self._registered.values() if each.folds_suffix
        }

    def find(self, handle: Handle) -> RegisteredPrefix | None:
        """Return the longest registered prefix that `handle` belongs to, segment by segment, or None.

        A prefix handle (0.NA/88.118.8) belongs to the prefix that it describes. What was withdrawn belongs to nobody,
        not to the prefix above it either.
        """
        for prefix in (handle.described_prefix or handle.prefix).lineage():
            if prefix in self._withdrawn:
                return None
            if prefix in self._registered:
                return self._registered[prefix]
        return None

    @property
    def hosted_prefixes(self) -> tuple[Prefix, ...]:
        """The prefixes that are answered for here, suspended ones too, in the order of their keys."""
        hosted = (each.prefix for each in self._registered.values() if each.delegated_to is None)
        return tuple(sorted(hosted, key=lambda prefix: prefix.key))

    def find_exactly(self, prefix: Prefix) -> RegisteredPrefix | None:
        """Return the registration of just this prefix, or None."""
        return self._registered.get(prefix)
