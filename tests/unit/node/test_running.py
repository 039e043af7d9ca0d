"""How commands find the running node."""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from node.errors import NodeError
from node.layout import node_file
from node.running import (
    RunningNode,
    default_demo_data_dir,
    find_running_node,
    get_running_node,
    remove_running_node,
    start_ticks,
    write_running_node,
)


@pytest.fixture
def node(tmp_path: Path) -> RunningNode:
    data_dir = tmp_path / "数据"
    (data_dir / "run").mkdir(parents=True)
    return RunningNode(
        pid=os.getpid(),
        start_ticks=start_ticks(os.getpid()),
        data_dir=str(data_dir),
        database_url="postgresql://idnode:geheim@/idnode",
        redis_url="off",
        address="127.0.0.1",
        handle_port=2641,
        http_port=8000,
        admin_address="127.0.0.1",
        admin_port=8080,
    )


def test_a_running_node_is_found_in_its_directory(node: RunningNode) -> None:
    write_running_node(node)
    assert find_running_node(Path(node.data_dir)) == node


def test_only_the_nodes_own_account_may_read_where_its_database_is(node: RunningNode) -> None:
    write_running_node(node)
    assert stat.S_IMODE(node_file(Path(node.data_dir)).stat().st_mode) == 0o600


def test_a_stopped_node_is_not_found(node: RunningNode) -> None:
    write_running_node(node)
    remove_running_node(Path(node.data_dir))
    assert find_running_node(Path(node.data_dir)) is None


@pytest.mark.parametrize("changed", [{"pid": 2**22 + 1}, {"start_ticks": 1}])
def test_a_node_that_was_killed_is_not_found(node: RunningNode, changed: dict[str, int]) -> None:
    write_running_node(replace(node, **changed))  # type: ignore[arg-type]
    assert find_running_node(Path(node.data_dir)) is None


def test_a_damaged_file_is_no_node(node: RunningNode) -> None:
    node_file(Path(node.data_dir)).write_text("{")
    assert find_running_node(Path(node.data_dir)) is None


def test_without_a_directory_the_demonstrations_node_is_found(
    node: RunningNode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("node.running.default_data_dir", lambda: tmp_path / "idnode")
    demo = default_demo_data_dir()
    (demo / "run").mkdir(parents=True)
    demonstration = replace(node, data_dir=str(demo))
    write_running_node(demonstration)
    assert find_running_node() == demonstration


def test_no_node_is_an_error_with_a_hint(tmp_path: Path) -> None:
    with pytest.raises(NodeError) as missing:
        get_running_node(tmp_path)
    assert missing.value.message.english == f"no node runs here (looked in {tmp_path})"
    assert "idnode serve" in missing.value.solve.chinese
