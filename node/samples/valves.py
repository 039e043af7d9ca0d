"""Industrial valves, designated as in JB/T 308: Z41H-16C is a flanged wedge gate valve of carbon steel for PN 16."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Final

from node.samples.product import Product, day

_DIAMETERS: Final = (15, 20, 25, 32, 40, 50, 65, 80, 100, 125, 150, 200, 250, 300, 350, 400)
"""Nominal diameters (DN)."""

_PRESSURES: Final = (10, 16, 25, 40, 64)
"""Nominal pressures (PN), in bar."""

_MATERIALS: Final = {"C": "碳钢", "P": "304不锈钢", "R": "316不锈钢"}

_LENGTHS: Final = {
    1: (130, 150, 160, 180, 200, 230, 290, 310, 350, 400, 480, 600, 730, 850, 980, 1100),
    3: (108, 117, 127, 140, 165, 178, 190, 203, 229, 254, 267, 292, 330, 356, 381, 406),
    20: (33, 33, 33, 33, 33, 43, 46, 46, 52, 56, 56, 60, 68, 78, 78, 102),
}
"""Face-to-face lengths by basic series (GB/T 12221), in the order of the diameters."""


@dataclass(frozen=True, slots=True)
class _Design:
    code: str
    name: str
    english_name: str
    series: int


_DESIGNS: Final = (
    _Design("Z41H", "闸阀", "Gate valve", 3),
    _Design("Z41Y", "硬密封闸阀", "Hard-seated gate valve", 3),
    _Design("Z40H", "弹性闸阀", "Flexible wedge gate valve", 3),
    _Design("Z941H", "电动闸阀", "Electric gate valve", 3),
    _Design("J41H", "截止阀", "Globe valve", 1),
    _Design("J41W", "耐酸截止阀", "Acid-proof globe valve", 1),
    _Design("J641H", "气动截止阀", "Pneumatic globe valve", 1),
    _Design("Q41F", "浮动球阀", "Floating ball valve", 3),
    _Design("Q47F", "固定球阀", "Trunnion ball valve", 3),
    _Design("Q641F", "气动球阀", "Pneumatic ball valve", 3),
    _Design("Q941F", "电动球阀", "Electric ball valve", 3),
    _Design("D73H", "对夹蝶阀", "Wafer butterfly valve", 20),
    _Design("D373H", "蜗轮蝶阀", "Gear butterfly valve", 20),
    _Design("D673H", "气动蝶阀", "Pneumatic butterfly valve", 20),
    _Design("H41H", "升降式止回阀", "Lift check valve", 1),
    _Design("H44H", "旋启式止回阀", "Swing check valve", 1),
    _Design("GL41H", "过滤器", "Y strainer", 1),
)


def valves() -> Iterator[Product]:
    """Yield every valve of the catalogue, always in the same order."""
    choices = product(_DESIGNS, _PRESSURES, _MATERIALS, enumerate(_DIAMETERS))
    for number, (design, pressure, material, (size, diameter)) in enumerate(choices):
        model = f"{design.code}-{pressure}{material}"
        length = _LENGTHS[design.series][size]
        mass = round(diameter**1.6 * length**0.4 * (40 + pressure) / 14_000, 1)
        yield Product(
            suffix=f"{model}-DN{diameter}",
            name=f"{_MATERIALS[material]}{design.name}",
            english_name=design.english_name,
            model=model,
            measures={"DN": diameter, "PN": pressure, "L": length, "kg": mass},
            made_on=day(number),
        )
