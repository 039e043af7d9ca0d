"""Questions that the worker can answer from memory, over TCP: several on their way on each connection."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle
from typing import Final

from handle_protocol.limits import ENVELOPE_OCTETS
from load_tests import population, questions
from load_tests.figures import Line, described
from load_tests.questions import Examiner
from load_tests.rounds import by_turns, under
from load_tests.sample_node import SampleNode
from load_tests.stream_load import StreamLoad

RECORDS: Final = 10_000
CONNECTIONS: Final = 4
DEPTH: Final = 32

_LENGTH: Final = slice(16, 20)
"""Where a message says how much follows its envelope (handle_protocol.envelope)."""


def measure(seconds: float) -> Iterator[Line]:
    """Yield how many answers a second there are."""
    asked = questions.questions_for(population.rows(RECORDS))
    requests = [question.octets for question in asked]
    examiner = Examiner(asked)
    with SampleNode.start(RECORDS) as node, node.one_core_each():
        load = StreamLoad(node.program.native_address, message_end, connections=CONNECTIONS, depth=DEPTH)
        warm = load.run(requests)
        (rounds,) = by_turns((under(load, cycle(requests), lambda: [node.worker], examiner.count_wrong),), seconds)
    yield Line(
        "TCP, from memory",
        f"{described(rounds)}, {CONNECTIONS} connections, {DEPTH} questions each",
        wrong=examiner.count_wrong(warm.answers) + sum(each.wrong for each in rounds),
        lost=warm.lost + sum(each.lost for each in rounds),
    )


def message_end(octets: bytes, start: int) -> int:
    """Return where the message ends that begins at `start`, -1 if the octets end before."""
    length = octets[start + _LENGTH.start : start + _LENGTH.stop]
    end = start + ENVELOPE_OCTETS + int.from_bytes(length, "big")
    return end if len(length) == len(octets[_LENGTH]) and end <= len(octets) else -1
