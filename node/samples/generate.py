"""Writes the sample manufacturers' CSV files: `python -m node.samples.generate`."""

import csv

from node.samples.manufacturers import MANUFACTURERS, Manufacturer
from node.samples.product import HEADER


def write_sample(manufacturer: Manufacturer) -> None:
    """Write all products of a manufacturer to its file."""
    with manufacturer.file.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEADER)
        writer.writerows(product.row(manufacturer.prefix, manufacturer.site) for product in manufacturer.products())


if __name__ == "__main__":
    for each in MANUFACTURERS:
        write_sample(each)
