"""The counters' folder is in shared memory where there is some, and nobody else's."""

from __future__ import annotations

from pathlib import Path

import pytest

from node.errors import NodeError
from node.layout import metrics_folder
from node.metrics_files import make_metrics_folder, remove_metrics_folder


def test_each_data_directory_has_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("node.layout.SHARED_MEMORY", tmp_path)
    assert metrics_folder(Path("/srv/一厂")) != metrics_folder(Path("/srv/二厂"))
    assert metrics_folder(Path("/srv/一厂")).parent == tmp_path


def test_without_shared_memory_it_is_below_the_data_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("node.layout.SHARED_MEMORY", tmp_path / "没有")
    assert metrics_folder(tmp_path) == tmp_path / "run" / "metrics"


def test_a_folder_that_somebody_else_put_there_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("node.layout.SHARED_MEMORY", tmp_path)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    metrics_folder(tmp_path).symlink_to(elsewhere)
    remove_metrics_folder(tmp_path)
    with pytest.raises(NodeError, match="belongs to somebody else"):
        make_metrics_folder(tmp_path)
