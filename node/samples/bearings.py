"""Rolling bearings, designated as in GB/T 272 and measured as in GB/T 273.3 (ISO 15): 6205-2RS is 25 × 52 × 15 mm."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Final

from node.samples.product import Product, day

_BORES: Final = (10, 12, 15, 17, *range(20, 105, 5))
"""Bore diameters of the bore codes 00 to 20."""

_OUTER: Final = {
    0: (26, 28, 32, 35, 42, 47, 55, 62, 68, 75, 80, 90, 95, 100, 110, 115, 125, 130, 140, 145, 150),
    2: (30, 32, 35, 40, 47, 52, 62, 72, 80, 85, 90, 100, 110, 120, 125, 130, 140, 150, 160, 170, 180),
    3: (35, 37, 42, 47, 52, 62, 72, 80, 90, 100, 110, 120, 130, 140, 150, 160, 170, 180, 190, 200, 215),
}
"""Outer diameters by diameter series, in the order of the bores."""

_WIDTHS: Final = {
    "10": (8, 8, 9, 10, 12, 12, 13, 14, 15, 16, 16, 18, 18, 18, 20, 20, 22, 22, 24, 24, 24),
    "02": (9, 10, 11, 12, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 28, 30, 32, 34),
    "03": (11, 12, 13, 14, 15, 17, 19, 21, 23, 25, 27, 29, 31, 33, 35, 37, 39, 41, 43, 45, 47),
    "22": (14, 14, 14, 16, 18, 18, 20, 23, 23, 23, 23, 25, 28, 31, 31, 31, 33, 36, 40, 43, 46),
    "23": (17, 17, 17, 19, 21, 24, 27, 31, 33, 36, 40, 43, 46, 48, 51, 55, 58, 60, 64, 67, 73),
}
"""Widths by dimension series (width series, diameter series), in the order of the bores."""

_STEEL_KG_PER_MM3: Final = 7.85e-6


@dataclass(frozen=True, slots=True)
class _Family:
    """Bearings of one design.

    Attributes:
        series: what stands before the bore code, with the dimension series.
        variants: what follows the bore code.
        smallest: the lowest bore code made.
        fill: how much of the space between bore and outer diameter is steel.
    """

    name: str
    english_name: str
    series: tuple[tuple[str, str], ...]
    variants: tuple[str, ...]
    smallest: int
    fill: float


def _each(*alternatives: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(map("".join, product(*alternatives)))


_FAMILIES: Final = (
    _Family(
        "深沟球轴承",
        "Deep groove ball bearing",
        (("60", "10"), ("62", "02"), ("63", "03")),
        _each(("", "-Z", "-2Z", "-RS", "-2RS"), ("", "/C3")),
        smallest=0,
        fill=0.67,
    ),
    _Family(
        "角接触球轴承",
        "Angular contact ball bearing",
        (("70", "10"), ("72", "02"), ("73", "03")),
        _each(("C", "AC", "B"), ("", "/P5")),
        smallest=0,
        fill=0.67,
    ),
    _Family(
        "调心球轴承",
        "Self-aligning ball bearing",
        (("12", "02"), ("13", "03"), ("22", "22"), ("23", "23")),
        _each(("", "K"), ("", "/C3")),
        smallest=4,
        fill=0.66,
    ),
    _Family(
        "圆柱滚子轴承",
        "Cylindrical roller bearing",
        tuple(
            (f"{design}{series}", dimensions)
            for design in ("NU", "NJ", "NUP", "N")
            for series, dimensions in (("10", "10"), ("2", "02"), ("3", "03"), ("22", "22"), ("23", "23"))
        ),
        _each(("E", "EM"), ("", "/C3")),
        smallest=4,
        fill=0.8,
    ),
    _Family(
        "调心滚子轴承",
        "Spherical roller bearing",
        (("222", "22"), ("223", "23")),
        _each(("CA", "CC"), ("", "K"), ("/W33", "/W33C3")),
        smallest=5,
        fill=0.82,
    ),
)


def bearings() -> Iterator[Product]:
    """Yield every bearing of the catalogue, always in the same order."""
    number = 0
    for family in _FAMILIES:
        for (series, dimensions), code in product(family.series, range(family.smallest, len(_BORES))):
            for variant in family.variants:
                yield _bearing(family, f"{series}{code:02d}{variant}", dimensions, code, day(number))
                number += 1


def _bearing(family: _Family, model: str, dimensions: str, code: int, made_on: str) -> Product:
    bore, width = _BORES[code], _WIDTHS[dimensions][code]
    outer = _OUTER[int(dimensions[1])][code]
    mass = math.pi / 4 * (outer**2 - bore**2) * width * _STEEL_KG_PER_MM3 * family.fill
    measures = {"d": bore, "D": outer, "B": width, "kg": round(mass, 3 if mass < 1 else 2)}
    return Product(model, family.name, family.english_name, model, measures, made_on)
