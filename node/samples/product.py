"""A product, and how it stands in a row of a CSV file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

HEADER: Final = ("handle", "url", "2000:名称", "2001:NAME", "2002:型号", "2003:规格", "2004:生产日期")


@dataclass(frozen=True, slots=True)
class Product:
    """A product of one of the sample manufacturers.

    Attributes:
        suffix: the half of its handle after the slash.
        name: what it is, in Chinese.
        english_name: the same in English.
        model: the maker's designation.
        measures: what a buyer asks for; lengths in millimetres, masses (kg) in kilograms.
        made_on: the day it was made, YYYY-MM-DD.
    """

    suffix: str
    name: str
    english_name: str
    model: str
    measures: Mapping[str, float]
    made_on: str

    def row(self, prefix: str, site: str) -> tuple[str, ...]:
        """Return the cells of its row, in the order of HEADER; `site` is where its maker's pages are."""
        return (
            f"{prefix}/{self.suffix}",
            f"{site}/{self.suffix.replace('/', '-')}",
            self.name,
            self.english_name,
            self.model,
            json.dumps(self.measures, separators=(",", ":")),
            self.made_on,
        )


def day(number: int, year: int = 2026) -> str:
    """Return one of 336 days of a year, the same for the same number."""
    return f"{year}-{number // 28 % 12 + 1:02d}-{number % 28 + 1:02d}"
