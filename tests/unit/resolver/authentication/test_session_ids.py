"""Ids belong to one worker, fit the wire and cannot be guessed."""

from __future__ import annotations

from itertools import pairwise

import pytest

from resolver.authentication.session_ids import SESSION_ID_MAX, SessionIds

SAMPLES = 300


def never(_: int) -> bool:
    return False


@pytest.mark.parametrize(("place", "workers"), [(0, 1), (0, 2), (1, 2), (6, 7), (511, 512)])
def test_an_id_names_the_worker_that_drew_it(place: int, workers: int) -> None:
    ids = SessionIds(place, workers)
    drawn = [draw(never) for _ in range(200) for draw in (ids.draw_challenge_id, ids.draw_session_id)]
    assert {ids.owner(each) for each in drawn} == {place}
    assert all(1 <= each <= SESSION_ID_MAX for each in drawn)
    assert {ids.owner_of_web(ids.draw_web_id()) for _ in range(200)} == {place}


@pytest.mark.parametrize(("place", "workers"), [(0, 1), (1, 2), (511, 512)])
def test_the_largest_draw_fits_a_signed_number_of_32_bits(place: int, workers: int) -> None:
    ids = SessionIds(place, workers, draw=lambda below: below - 1)
    for draw in (ids.draw_challenge_id, ids.draw_session_id):
        assert SESSION_ID_MAX - 2 * workers < draw(never) <= SESSION_ID_MAX


def test_no_challenge_has_the_id_of_a_session() -> None:
    ids = SessionIds(1, 3, draw=lambda _: 0)
    assert [ids.draw_challenge_id(never), ids.draw_session_id(never)] == [1, 4]


def test_zero_is_no_id_and_what_is_taken_is_drawn_anew() -> None:
    draws = iter((0, 5, 5, 9))
    ids = SessionIds(draw=lambda _: next(draws))
    assert ids.draw_challenge_id(never) == 10
    assert ids.draw_challenge_id({10}.__contains__) == 18


def test_looking_for_a_free_id_ends() -> None:
    with pytest.raises(RuntimeError):
        SessionIds(draw=lambda _: 1).draw_session_id(lambda _: True)


def test_ids_do_not_repeat_and_have_no_steps() -> None:
    ids = SessionIds(1, 2)
    drawn = [ids.draw_challenge_id(never) for _ in range(SAMPLES)]
    steps = {after - before for before, after in pairwise(drawn)}
    assert len(set(drawn)) == SAMPLES
    assert len(steps) == SAMPLES - 1
    assert sum(after > before for before, after in pairwise(drawn)) in range(100, 200)
    assert len({ids.draw_web_id() for _ in range(SAMPLES)}) == SAMPLES


@pytest.mark.parametrize("text", ["", "阀", "ABC", "a_1", " 1", "-1", "+1", "٣", "1" * 33])
def test_a_text_that_is_no_web_id_has_no_owner(text: str) -> None:
    assert SessionIds(0, 2).owner_of_web(text) is None
