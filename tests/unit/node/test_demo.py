"""What the demonstration tells its visitor."""

from dataclasses import replace

from node.demo import what_to_try
from node.running import RunningNode, default_demo_data_dir

NODE = RunningNode(
    pid=1,
    start_ticks=1,
    data_dir=str(default_demo_data_dir()),
    database_url="postgresql://",
    redis_url="off",
    address="127.0.0.1",
    handle_port=12641,
    http_port=18000,
    admin_address="127.0.0.1",
    admin_port=18080,
)


def test_the_printed_example_of_the_national_documents_comes_first() -> None:
    assert "idnode resolve 88.118.8/JXDY2106023 --protocol udp\n" in what_to_try(NODE, "idnode")


def test_the_data_directory_is_named_only_when_it_is_not_the_usual_one() -> None:
    assert "--data-dir" not in what_to_try(NODE, "idnode")
    elsewhere = what_to_try(replace(NODE, data_dir="/srv/演示 1"), "idnode")
    assert "idnode import products.csv --data-dir '/srv/演示 1'\n" in elsewhere


def test_both_languages_and_the_real_ports_are_there() -> None:
    said = what_to_try(NODE, ".venv/bin/idnode")
    for expected in (
        "演示节点已就绪",
        "the node serves",
        "http://127.0.0.1:18000/",
        "127.0.0.1:12641",
        ".venv/bin/idnode",
    ):
        assert expected in said
