"""The sample manufacturers: what is in the repository, and whether it could be real."""

import csv
import json
from itertools import pairwise
from pathlib import Path

import pytest

from load_tests.population import rows, write
from node.input.batch import Batch
from node.input.input_file import InputFile
from node.samples.manufacturers import MANUFACTURERS, Manufacturer
from node.samples.product import HEADER

SAMPLES_OCTETS_MAX = 2_500_000
each_manufacturer = pytest.mark.parametrize("manufacturer", MANUFACTURERS, ids=lambda each: each.prefix)


def read(path: Path) -> Batch:
    whole = Batch()
    for batch in InputFile.open(path).batches(10_000):
        whole.extend(batch)
    return whole


@each_manufacturer
def test_the_files_are_what_the_catalogues_say(manufacturer: Manufacturer) -> None:
    with manufacturer.file.open(encoding="utf-8", newline="") as file:
        header, *products = map(tuple, csv.reader(file))
    assert header == HEADER
    assert products == [product.row(manufacturer.prefix, manufacturer.site) for product in manufacturer.products()]


@each_manufacturer
def test_every_row_can_be_imported(manufacturer: Manufacturer) -> None:
    batch = read(manufacturer.file)
    assert batch.errors == []
    assert 2_500 <= len(batch.records) <= 5_500
    assert manufacturer.example_handle in {record.handle.spelling for record in batch.records}
    lengths = [len(record.value_list) for record in batch.records]
    assert 250 <= sum(lengths) / len(lengths) <= 360


def test_all_files_together_are_small() -> None:
    assert sum(manufacturer.file.stat().st_size for manufacturer in MANUFACTURERS) <= SAMPLES_OCTETS_MAX


@each_manufacturer
def test_nobody_real_is_meant(manufacturer: Manufacturer) -> None:
    assert manufacturer.name.endswith("（示例）")
    assert manufacturer.site.endswith(".example.cn")


@pytest.mark.parametrize(
    ("handle", "name", "measures"),
    [
        ("88.118.8/JXDY2106023", "锂电冲击扳手", {"V": 21, "Nm": 380, "rpm": 2600, "Ah": 4.0, "kg": 2.3}),
        ("88.118.9/6205-2RS", "深沟球轴承", {"d": 25, "D": 52, "B": 15, "kg": 0.129}),
        ("88.118.9/NU2308EM", "圆柱滚子轴承", {"d": 40, "D": 90, "B": 33, "kg": 1.06}),
        ("88.118.16/Z41H-16C-DN50", "碳钢闸阀", {"DN": 50, "PN": 16, "L": 178, "kg": 16.6}),
    ],
)
def test_known_products_are_as_they_are_in_the_catalogues_of_the_trade(
    handle: str, name: str, measures: dict[str, float]
) -> None:
    (manufacturer,) = (each for each in MANUFACTURERS if handle.startswith(f"{each.prefix}/"))
    (product,) = (each for each in manufacturer.products() if handle == f"{manufacturer.prefix}/{each.suffix}")
    assert (product.name, product.measures) == (name, measures)


def test_any_number_of_records_can_be_made_and_each_is_another() -> None:
    handles = [cells[0] for cells in rows(30_000)]
    assert len(set(handles)) == 30_000
    assert {handle.partition("/")[0] for handle in handles} == {each.prefix for each in MANUFACTURERS}
    assert handles[:10] == [cells[0] for cells in rows(10)]
    assert all(int(one[-9:]) + 1 == int(next_one[-9:]) for one, next_one in pairwise(handles))


def test_the_same_records_come_as_csv_and_as_ndjson(tmp_path: Path) -> None:
    for name in ("records.csv", "records.ndjson"):
        write(1_000, tmp_path / name)
    assert read(tmp_path / "records.csv").records == read(tmp_path / "records.ndjson").records
    first = json.loads((tmp_path / "records.ndjson").read_text(encoding="utf-8").partition("\n")[0])
    assert set(first) == {"handle", "values"}
