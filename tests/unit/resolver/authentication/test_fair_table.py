"""Whose entry goes when there is no room."""

from __future__ import annotations

import pytest

from resolver.authentication.fair_table import FairTable
from resolver.authentication.networks import network_of

HONEST = "192.0.2"
FLOOD = "198.51.100"


def keys_of(table: FairTable[object, object]) -> set[object]:
    keys = set()
    while (oldest := table.oldest()) is not None:
        keys.add(oldest[0])
        table.pop(oldest[0])
    return keys


def test_what_was_put_is_there_until_it_is_popped_once() -> None:
    table: FairTable[int, str] = FairTable(10)
    table.put(1, "阀", HONEST)
    assert (table.get(1), 1 in table, len(table)) == ("阀", True, 1)
    assert [table.pop(1), table.pop(1), table.get(1)] == ["阀", None, None]


def test_a_key_that_is_put_again_counts_once() -> None:
    table: FairTable[int, str] = FairTable(10, octets_max=100)
    table.put(1, "旧", HONEST, 60)
    table.put(1, "新", FLOOD, 70)
    assert (table.get(1), len(table), table.octets) == ("新", 1, 70)


def test_without_greed_the_oldest_of_all_goes() -> None:
    table: FairTable[int, str] = FairTable(20)
    for number in range(21):
        table.put(number, "", f"203.0.{number}")
    assert keys_of(table) == set(range(1, 21))


def test_a_replaced_entry_is_the_newest() -> None:
    table: FairTable[int, str] = FairTable(20)
    for number in range(20):
        table.put(number, "", f"203.0.{number}")
    table.replace(0, "再来")
    table.put(20, "", "203.0.20")
    assert keys_of(table) == {0, *range(2, 21)}


def test_a_flood_displaces_itself() -> None:
    table: FairTable[object, str] = FairTable(100)
    for number in range(5):
        table.put(f"诚{number}", "", HONEST)
    for number in range(1_000):
        table.put(number, "", FLOOD)
    assert keys_of(table) == {*(f"诚{number}" for number in range(5)), *range(905, 1_000)}


def test_honest_peers_find_room_in_a_table_full_of_a_flood() -> None:
    table: FairTable[object, str] = FairTable(100)
    for number in range(1_000):
        table.put(number, "", FLOOD)
    for number in range(80):
        table.put(f"诚{number}", "", f"203.0.{number}")
    assert keys_of(table) == {*(f"诚{number}" for number in range(80)), *range(980, 1_000)}


def test_of_two_floods_the_larger_one_goes() -> None:
    table: FairTable[object, str] = FairTable(100)
    for number in range(100):
        table.put(("大", number), "", FLOOD)
    for number in range(30):
        table.put(("小", number), "", HONEST)
    kept = keys_of(table)
    assert kept == {("小", number) for number in range(30)} | {("大", number) for number in range(30, 100)}


def test_octets_are_bounded_and_shared_out_like_entries() -> None:
    table: FairTable[object, str] = FairTable(1_000, octets_max=1_000)
    table.put("诚", "", HONEST, 20)
    for number in range(50):
        table.put(number, "", FLOOD, 100)
    assert table.octets == 920
    assert keys_of(table) == {"诚", *range(41, 50)}
    assert table.octets == 0


def test_what_is_heavier_than_the_table_is_not_kept() -> None:
    table: FairTable[int, str] = FairTable(10, octets_max=100)
    table.put(1, "轻", HONEST, 10)
    table.put(2, "重", FLOOD, 101)
    assert (keys_of(table), table.octets) == ({1}, 0)


def test_a_flood_of_heavy_entries_from_everywhere_displaces_no_light_one() -> None:
    table: FairTable[object, str] = FairTable(100, octets_max=1_000)
    for number in range(10):
        table.put(f"诚{number}", "", HONEST if number < 5 else f"192.0.{number}", 10)
    for number in range(1_000):
        table.put(number, "", f"203.0.{number}", 90)
    assert keys_of(table) == {*(f"诚{number}" for number in range(10)), *range(990, 1_000)}


def test_of_heavy_entries_one_that_was_replaced_is_the_newest() -> None:
    table: FairTable[int, str] = FairTable(100, octets_max=1_000)
    for number in range(11):
        table.put(number, "", f"203.0.{number}", 90)
    table.replace(0, "再来")
    table.put(11, "", "203.0.11", 90)
    assert keys_of(table) == {0, *range(2, 12)}


def test_with_light_entries_alone_the_oldest_goes() -> None:
    table: FairTable[int, str] = FairTable(100, octets_max=1_000)
    for number in range(101):
        table.put(number, "", f"203.0.{number}", 10)
    assert keys_of(table) == set(range(1, 101))


def test_the_smallest_table_keeps_the_newest() -> None:
    table: FairTable[int, str] = FairTable(1)
    for number in range(3):
        table.put(number, "", HONEST)
    assert keys_of(table) == {2}


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2"),
        ("192.0.2.255", "192.0.2"),
        ("::ffff:192.0.2.7", "192.0.2"),
        ("2001:db8:1:2ff::1", "20010db8000102:"),
        ("2001:db8:1:200:ffff::9", "20010db8000102:"),
        ("2001:db8:1:300::1", "20010db8000103:"),
        ("fe80::1%eth0", "fe800000000000:"),
        ("::1", "0:"),
        ("", ""),
        ("无:地址", "无:地址"),
    ],
)
def test_an_address_belongs_to_a_network(address: str, network: str) -> None:
    assert network_of(address) == network
