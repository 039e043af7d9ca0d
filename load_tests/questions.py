"""Questions for sample records, ready to be sent, and what must come back."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from handle_protocol.bodies.resolution import ResolutionRequest, ResolutionResponse
from handle_protocol.errors import ProtocolError
from handle_protocol.exchange import resolution_request
from handle_protocol.handle import Handle
from handle_protocol.message import decode_message, encode_message

REQUEST_ID: Final = slice(8, 12)
"""Where a message says which question it belongs to (handle_protocol.envelope)."""

EXPIRATION: Final = slice(36, 40)
"""Where an answer says until when it may be believed: all that may differ between two answers to one question."""


@dataclass(frozen=True, slots=True)
class Question:
    """One record and the request for it.

    Attributes:
        octets: the request, envelope included; one datagram.
        cells: the data of the record's values, in order.
    """

    handle: str
    octets: bytes
    cells: tuple[bytes, ...]

    def is_answered_by(self, answer: bytes) -> bool:
        """Tell whether `answer` is whole, repeats the handle and holds exactly the record's values."""
        try:
            body = decode_message(answer).body
        except ProtocolError:
            return False
        if not isinstance(body, ResolutionResponse) or body.handle.spelling != self.handle:
            return False
        return tuple(value.data for value in body.values) == self.cells


def questions_for(rows: Iterable[Sequence[str]], first_id: int = 1) -> list[Question]:
    """Return one question for each row of a sample file; request ids go on from `first_id`."""
    now = time.time()
    return [_question(row, number, now) for number, row in enumerate(rows, first_id)]


def _question(row: Sequence[str], request_id: int, now: float) -> Question:
    handle, *cells = row
    request = resolution_request(ResolutionRequest(Handle(handle)), request_id=request_id, now=now)
    return Question(handle, encode_message(request), tuple(cell.encode() for cell in cells if cell))


class Examiner:
    """Examines answers after the load has ended, so that examining costs no speed.

    The first answer to each question is read value by value, later ones must repeat it octet for octet.
    """

    def __init__(self, questions: Iterable[Question]) -> None:
        self._questions = {question.octets[REQUEST_ID]: question for question in questions}
        self._right: dict[bytes, bytes] = {}

    def count_wrong(self, answers: Iterable[bytes]) -> int:
        """Return how many of `answers` are none to any question, or not what its record says."""
        return sum(not self._is_right(answer) for answer in answers)

    def unanswered(self, answers: Iterable[bytes]) -> list[Question]:
        """Return the questions that none of `answers` belongs to."""
        answered = {answer[REQUEST_ID] for answer in answers}
        return [question for request_id, question in self._questions.items() if request_id not in answered]

    def _is_right(self, answer: bytes) -> bool:
        request_id = answer[REQUEST_ID]
        lasting = answer[: EXPIRATION.start] + answer[EXPIRATION.stop :]
        right = self._right.get(request_id)
        if right is not None:
            return lasting == right
        question = self._questions.get(request_id)
        if question is None or not question.is_answered_by(answer):
            return False
        self._right[request_id] = lasting
        return True
