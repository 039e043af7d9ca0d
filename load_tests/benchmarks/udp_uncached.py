"""Questions for handles that nobody has asked before, over UDP: the long way, in batches to Postgres and back.

Worker, Postgres and generator share two cores, as they would on the smallest machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from load_tests import population, questions
from load_tests.datagram_load import DatagramLoad
from load_tests.figures import MICRO, Line, described, rate
from load_tests.processes import cpu_seconds
from load_tests.questions import Examiner
from load_tests.rounds import ROUND_SECONDS, by_turns, under
from load_tests.sample_node import SampleNode

PER_SECOND_MOST: Final = 40_000
"""More than can be answered: so many records are there for each second of measuring."""

OUTSTANDING: Final = 256
GOAL: Final = 15_000


def measure(seconds: float) -> Iterator[Line]:
    """Yield how many records a second are fetched."""
    records = round(PER_SECOND_MOST * max(seconds, ROUND_SECONDS))
    asked = questions.questions_for(population.rows(records))
    examiner = Examiner(asked)
    fresh = (question.octets for question in asked)
    with SampleNode.start(records) as node, node.one_core_each():
        load = DatagramLoad(node.program.native_address, outstanding=OUTSTANDING)
        before = cpu_seconds(node.program.postgres)
        (rounds,) = by_turns((under(load, fresh, lambda: [node.worker], examiner.count_wrong),), seconds)
        answers = sum(each.per_second * ROUND_SECONDS for each in rounds)
        postgres = (cpu_seconds(node.program.postgres) - before) / answers * MICRO
    yield Line(
        "UDP, from Postgres",
        f"{described(rounds)} of the worker and {postgres:.3g} µs of Postgres",
        result=rate(rounds).median,
        goal=GOAL,
        wrong=sum(each.wrong for each in rounds),
        lost=sum(each.lost for each in rounds),
    )
