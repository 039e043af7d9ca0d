"""A million records: imported with the command line, resolved at random, then all remembered by one worker.

Every answer is read value by value. A question without an answer is asked twice more before it counts as lost.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from itertools import islice
from typing import Final

from load_tests import population, processes, questions
from load_tests.datagram_load import DatagramLoad
from load_tests.figures import Line, Load
from load_tests.questions import Examiner, Question
from load_tests.sample_node import SampleNode

RECORDS: Final = 1_000_000
RANDOM_QUESTIONS: Final = 200_000
RETRIES: Final = 2
PART: Final = 100_000
"""Questions that are made at a time: a million at once would take more memory than the node."""

SETTINGS: Final = {"IDNODE_CACHE_OCTETS": "4GiB", "IDNODE_CACHE_SECONDS_MAX": "24h"}
GOAL_OCTETS: Final = 900
SEED: Final = 2641
METRICS_SECONDS: Final = 2.5
"""A worker counts once a second."""


def measure(seconds: float) -> Iterator[Line]:  # noqa: ARG001 - a million is a million
    """Yield how fast the import was, what random resolution gave, and what a remembered record weighs."""
    began_at = time.perf_counter()
    with SampleNode.start(RECORDS, SETTINGS) as node:
        yield Line("a million, import", f"{RECORDS / node.import_seconds:.0f} rows/s, {node.import_seconds:.1f} s")
        with node.one_core_each():
            before = processes.resident_octets(node.worker)
            yield _resolve_at_random(node)
            yield _remember_all(node, before)
    yield Line("a million, in all", f"{time.perf_counter() - began_at:.0f} s")


def _resolve_at_random(node: SampleNode) -> Line:
    chosen = random.Random(SEED).sample(range(RECORDS), RANDOM_QUESTIONS)
    numbers = set(chosen)
    asked = questions.questions_for(row for number, row in enumerate(population.rows(RECORDS)) if number in numbers)
    random.Random(SEED).shuffle(asked)
    load, wrong, retried, unanswered = _ask(node, asked)
    figure = f"{len(load.answers) / load.seconds:.0f} /s, {len(asked)} questions, {retried} asked again"
    return Line("a million, random", figure, wrong=wrong, lost=unanswered)


def _remember_all(node: SampleNode, before: int) -> Line:
    wrong = lost = 0
    rows = population.rows(RECORDS)
    for first in range(1, RECORDS, PART):
        part = questions.questions_for(islice(rows, PART), first)
        _, part_wrong, _, part_lost = _ask(node, part)
        wrong, lost = wrong + part_wrong, lost + part_lost
    time.sleep(METRICS_SECONDS)
    remembered = node.program.metric("idnode_cache_records")
    grown = processes.resident_octets(node.worker) - before
    figure = f"{grown / 1e6:.0f} MB for {remembered:.0f} records in the cache"
    return Line(
        "a million, memory", figure, "", grown / remembered, GOAL_OCTETS, is_upper_bound=True, wrong=wrong, lost=lost
    )


def _ask(node: SampleNode, asked: list[Question]) -> tuple[Load, int, int, int]:
    """Ask everything, what got no answer again; return the first load, and how many were wrong, retried and lost."""
    generator = DatagramLoad(node.program.native_address)
    examiner = Examiner(asked)
    first = generator.run(question.octets for question in asked)
    wrong = examiner.count_wrong(first.answers)
    unanswered = examiner.unanswered(first.answers)
    retried = len(unanswered)
    for _ in range(RETRIES):
        again = generator.run(question.octets for question in unanswered)
        examiner = Examiner(unanswered)
        wrong += examiner.count_wrong(again.answers)
        unanswered = examiner.unanswered(again.answers)
    generator.close()
    return first, wrong, retried, len(unanswered)
