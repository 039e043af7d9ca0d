"""The three sample manufacturers: who they are, which prefix is theirs, and what they make."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from node.samples.bearings import bearings
from node.samples.power_tools import power_tools
from node.samples.product import Product
from node.samples.valves import valves


@dataclass(frozen=True, slots=True)
class Manufacturer:
    """An invented enterprise.

    Attributes:
        name: its name in Chinese, marked as a sample.
        english_name: the same in English.
        prefix: whose handles are its products'.
        site: where its product pages would be.
        example: the suffix of a product worth showing.
        products: what it makes.
    """

    name: str
    english_name: str
    prefix: str
    site: str
    example: str
    products: Callable[[], Iterator[Product]]

    @property
    def file(self) -> Path:
        """The CSV file with all its products."""
        return Path(__file__).with_name(f"{self.products.__name__}.csv")

    @property
    def example_handle(self) -> str:
        """The handle of the product worth showing."""
        return f"{self.prefix}/{self.example}"


MANUFACTURERS: Final = (
    Manufacturer(
        "南通锂电工具有限公司（示例）",
        "Nantong Lithium Tools Co., Ltd. (sample)",
        "88.118.8",
        "https://tools.example.cn",
        "JXDY2106023",
        power_tools,
    ),
    Manufacturer(
        "常州轴承有限公司（示例）",
        "Changzhou Bearings Co., Ltd. (sample)",
        "88.118.9",
        "https://bearings.example.cn",
        "6205-2RS",
        bearings,
    ),
    Manufacturer(
        "盐城阀门有限公司（示例）",
        "Yancheng Valves Co., Ltd. (sample)",
        "88.118.16",
        "https://valves.example.cn",
        "Z41H-16C-DN50",
        valves,
    ),
)
