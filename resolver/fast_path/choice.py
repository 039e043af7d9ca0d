"""Which of the twins serves: the compiled module where it was built, else Python."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from resolver.fast_path import records as in_python, short_way

try:
    from resolver.fast_path import compiled
except ImportError:
    compiled = None  # type: ignore[assignment]

IS_COMPILED: Final = compiled is not None
"""Whether there is a compiled module; it is built at installation where there is a compiler."""


class FastPath(StrEnum):
    """How plain questions are answered."""

    COMPILED = "compiled"
    PYTHON = "python"
    OFF = "off"

    @classmethod
    def usual(cls) -> FastPath:
        """Return the fastest that there is."""
        return cls.available()[0]

    @classmethod
    def available(cls) -> tuple[FastPath, ...]:
        """Return the kinds that can be chosen here, the fastest first."""
        return tuple(each for each in cls if IS_COMPILED or each is not cls.COMPILED)


def open_records(fast_path: FastPath, octets_max: int) -> in_python.RecordTable:
    """Return an empty table of records.

    Raises:
        ModuleNotFoundError: the compiled one is wanted, and was not built.
    """
    if fast_path is not FastPath.COMPILED:
        return in_python.RecordTable(octets_max)
    if compiled is None:
        raise ModuleNotFoundError("the compiled fast path was not built")
    return compiled.RecordTable(octets_max)


def short_way_over(records: in_python.RecordTable) -> short_way.ShortWay:
    """Return what answers plain questions from `records`, of the same kind as they are."""
    if compiled is not None and isinstance(records, compiled.RecordTable):
        return compiled.ShortWay(records)
    return short_way.ShortWay(records)
