"""Lithium-battery power tools, one handle for each tool: maker's letters, year, month and number within the month.

88.118.8/JXDY2106023, a lithium impact wrench, is the example that the national documents print.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Final

from node.samples.product import Product

_YEAR: Final = 2021
_TOOLS_A_MONTH: Final = 417
_DAYS_OF_WORK: Final = 28


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of tool.

    Attributes:
        code: how its models begin.
        sizes: what distinguishes its models, the unit being `unit`.
        mass_kg: without the battery.
    """

    code: str
    name: str
    english_name: str
    unit: str
    sizes: tuple[int, ...]
    rpm: int
    mass_kg: float


_KINDS: Final = (
    _Kind("DY", "锂电冲击扳手", "Lithium impact wrench", "Nm", (220, 320, 380, 550), 2600, 1.6),
    _Kind("DQ", "锂电冲击起子", "Lithium impact driver", "Nm", (120, 160, 180), 3000, 1.1),
    _Kind("DZ", "锂电电钻", "Lithium drill driver", "Nm", (30, 45, 60, 80), 1800, 1.2),
    _Kind("DC", "锂电电锤", "Lithium rotary hammer", "mm", (20, 22, 26), 1200, 2.4),
    _Kind("JM", "锂电角磨机", "Lithium angle grinder", "mm", (100, 115, 125), 8500, 1.5),
    _Kind("YJ", "锂电圆锯", "Lithium circular saw", "mm", (140, 165, 190), 4200, 2.8),
    _Kind("WJ", "锂电往复锯", "Lithium reciprocating saw", "mm", (20, 28, 32), 2900, 2.1),
    _Kind("LJ", "锂电链锯", "Lithium chain saw", "mm", (150, 200, 300), 5000, 2.6),
)
_VOLTAGES: Final = (16, 21, 42)
_CHARGES: Final = (2.0, 4.0, 5.0)
"""Capacities of the batteries, in ampere hours."""

_MODELS: Final = [
    (kind, size, voltage, charge)
    for voltage, charge, kind in product(_VOLTAGES, _CHARGES, _KINDS)
    for size in kind.sizes
]
_FIRST_MODEL: Final = (_KINDS[0], 380, 21, 4.0)
"""What number 23 of a month is, as in the printed example."""


def power_tools() -> Iterator[Product]:
    """Yield a year of tools, always in the same order."""
    offset = _MODELS.index(_FIRST_MODEL) - 23
    for month, number in product(range(1, 13), range(1, _TOOLS_A_MONTH + 1)):
        kind, size, voltage, charge = _MODELS[(number + offset) % len(_MODELS)]
        yield Product(
            suffix=f"JXDY{_YEAR % 100}{month:02d}{number:03d}",
            name=kind.name,
            english_name=kind.english_name,
            model=f"{kind.code}{voltage}-{size}",
            measures={
                "V": voltage,
                kind.unit: size,
                "rpm": kind.rpm,
                "Ah": charge,
                "kg": round(kind.mass_kg + voltage * charge / 120, 2),
            },
            made_on=f"{_YEAR}-{month:02d}-{(number - 1) * _DAYS_OF_WORK // _TOOLS_A_MONTH + 1:02d}",
        )
