"""Answers are cut out of streams wherever the octets break."""

from __future__ import annotations

import json

from load_tests import population, questions
from load_tests.benchmarks.http_json import JsonExaminer, response_end
from load_tests.benchmarks.tcp_pipelined import message_end

(ROW,) = population.rows(1)


def response(handle: str, cells: list[str], status: str = "200 OK") -> bytes:
    values = [
        {"index": n, "type": "名称", "data": {"format": "string", "value": cell}} for n, cell in enumerate(cells, 1)
    ]
    body = json.dumps({"responseCode": 1, "handle": handle, "values": values}, ensure_ascii=False).encode()
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def test_a_message_ends_where_its_envelope_says() -> None:
    (question,) = questions.questions_for([ROW])
    size = len(question.octets)
    stream = question.octets * 2
    assert message_end(stream, 0) == size
    assert message_end(stream, size) == 2 * size
    assert all(message_end(stream[:end], 0) == -1 for end in range(size))


def test_a_response_ends_where_its_head_says() -> None:
    one = response(ROW[0], list(ROW[1:]))
    assert response_end(one * 2, 0) == len(one)
    assert response_end(one * 2, len(one)) == 2 * len(one)
    assert all(response_end(one[:end], 0) == -1 for end in range(len(one)))


def test_wrong_responses_are_counted() -> None:
    handle, *cells = ROW
    right = response(handle, cells)
    wrong = [response(handle, cells[1:]), response("88.118.8/别的", cells), response(handle, cells, "404 Not Found")]
    assert JsonExaminer([ROW]).count_wrong([right, *wrong, right]) == len(wrong)
