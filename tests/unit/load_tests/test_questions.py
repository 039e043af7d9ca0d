"""Wrong answers are found, whatever is wrong about them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from handle_protocol.bodies.error import ErrorBody
from handle_protocol.bodies.resolution import ResolutionResponse
from handle_protocol.codes import ResponseCode
from handle_protocol.handle import Handle
from handle_protocol.message import answer_to, decode_message, encode_message
from handle_protocol.record import encode_value_list
from load_tests import population
from load_tests.questions import Examiner, Question, questions_for
from tests.builders import text_value

NOW = 1_700_000_000.0
ROWS = list(population.rows(3))


def answer(question: Question, *, cells: tuple[bytes, ...] | None = None, handle: str = "", now: float = NOW) -> bytes:
    values = [text_value(n, "名称", cell.decode()) for n, cell in enumerate(cells or question.cells, 1)]
    body = ResolutionResponse(Handle(handle or question.handle), encode_value_list(tuple(values)))
    return encode_message(answer_to(decode_message(question.octets), ResponseCode.SUCCESS, body, now=now))


@pytest.fixture
def questions() -> list[Question]:
    return questions_for(ROWS)


@pytest.fixture
def examiner(questions) -> Examiner:
    return Examiner(questions)


def test_right_answers_are_right_at_any_time(questions, examiner) -> None:
    answers = [answer(question, now=NOW + n) for n in range(3) for question in questions]
    assert examiner.count_wrong(answers) == 0


def test_every_mistake_is_counted(questions, examiner) -> None:
    first, second, _ = questions
    request = decode_message(first.octets)
    mistakes = [
        answer(first, cells=(b"https://example.cn/", *first.cells[1:])),
        answer(first, cells=first.cells[:-1]),
        answer(first, handle=second.handle),
        answer(replace(first, octets=second.octets)),
        answer(first)[:-1],
        encode_message(answer_to(request, ResponseCode.HANDLE_NOT_FOUND, ErrorBody(), now=NOW)),
        first.octets,
        "不是应答".encode(),
    ]
    for mistake in mistakes:
        assert Examiner(questions).count_wrong([mistake]) == 1
    assert examiner.count_wrong([*mistakes, answer(first), *mistakes]) == 2 * len(mistakes)


def test_questions_without_an_answer_are_told(questions, examiner) -> None:
    first, second, third = questions
    assert examiner.unanswered([answer(second)]) == [first, third]


def test_request_ids_go_on(questions) -> None:
    assert questions_for(ROWS, 4)[0].octets != questions[0].octets
    assert Examiner([*questions, *questions_for(ROWS, 4)]).unanswered([]) == [*questions, *questions_for(ROWS, 4)]
