"""The status board: the node is ready when every worker that it should have is."""

from __future__ import annotations

from pathlib import Path

import pytest

from node.status_board import PLACES, StatusBoard, WorkerState


@pytest.fixture
def board(tmp_path: Path) -> StatusBoard:
    return StatusBoard.create(tmp_path / "board")


@pytest.mark.parametrize(
    ("states", "is_ready"),
    [
        ([], False),
        ([WorkerState.EXPECTED], False),
        ([WorkerState.READY, WorkerState.EXPECTED], False),
        ([WorkerState.READY, WorkerState.READY], True),
        ([WorkerState.READY, WorkerState.SPARE], True),
        ([WorkerState.READY, WorkerState.DRAINING], True),
        ([WorkerState.DRAINING, WorkerState.DRAINING], False),
    ],
)
def test_a_node_is_ready_with_every_worker_it_should_have(
    board: StatusBoard,
    states: list[WorkerState],
    is_ready: bool,  # noqa: FBT001 - a column of the table
) -> None:
    for state in states:
        board.claim(state)
    assert board.are_all_ready() is is_ready


def test_each_process_sees_what_another_says(tmp_path: Path) -> None:
    ours, theirs = StatusBoard.create(tmp_path / "board"), StatusBoard.open(tmp_path / "board")
    place = ours.claim(WorkerState.EXPECTED)
    theirs.set_ready(place)
    assert ours.are_all_ready()
    assert theirs.state(place) is WorkerState.READY


def test_a_place_is_free_again_when_its_process_is_absent(board: StatusBoard) -> None:
    assert [board.claim(WorkerState.READY), board.claim(WorkerState.READY)] == [0, 1]
    board.set_state(0, WorkerState.ABSENT)
    assert board.claim(WorkerState.READY) == 0


def test_places_end(board: StatusBoard) -> None:
    for _ in range(PLACES):
        board.claim(WorkerState.READY)
    with pytest.raises(LookupError):
        board.claim(WorkerState.READY)


def test_a_new_board_does_not_disturb_processes_of_an_earlier_run(tmp_path: Path) -> None:
    earlier = StatusBoard.create(tmp_path / "board")
    StatusBoard.create(tmp_path / "board")
    earlier.set_ready(0)
    assert not StatusBoard.open(tmp_path / "board").are_all_ready()
