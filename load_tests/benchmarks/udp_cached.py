"""Questions that the worker can answer from memory, over UDP: the short way, beside a uvloop echo of the same sizes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import cycle
from typing import Final

from load_tests import population, processes, questions
from load_tests.datagram_load import Address, DatagramLoad
from load_tests.figures import Line, described
from load_tests.node_program import CODE_FOLDER, LOOPBACK
from load_tests.questions import Examiner
from load_tests.rounds import by_turns, ratio, under
from load_tests.sample_node import SampleNode

RECORDS: Final = 10_000
GOAL: Final = 0.6
"""Of the echo's speed, in processor time."""

STOP_SECONDS: Final = 10.0


def measure(seconds: float) -> Iterator[Line]:
    """Yield how the node compares with the echo."""
    asked = questions.questions_for(population.rows(RECORDS))
    datagrams = [question.octets for question in asked]
    examiner = Examiner(asked)
    with SampleNode.start(RECORDS) as node, node.one_core_each():
        node_load = DatagramLoad(node.program.native_address)
        warm = node_load.run(datagrams)
        request, answer = len(datagrams[0]), len(warm.answers[0])
        with _echo(answer - request) as (address, echo):
            rounds = by_turns(
                (
                    under(DatagramLoad(address), cycle(datagrams), lambda: [echo], _Echoes(datagrams).count_wrong),
                    under(node_load, cycle(datagrams), lambda: [node.worker], examiner.count_wrong),
                ),
                seconds,
            )
    echoed, resolved = rounds
    every = [*echoed, *resolved]
    yield Line(
        "UDP, from memory",
        f"{described(resolved)}, {request} → {answer} octets",
        f"echo {described(echoed)}",
        ratio((each.cpu_microseconds for each in echoed), (each.cpu_microseconds for each in resolved)),
        GOAL,
        wrong=examiner.count_wrong(warm.answers) + sum(each.wrong for each in every),
        lost=warm.lost + sum(each.lost for each in every),
    )


@contextmanager
def _echo(tail_octets: int) -> Iterator[tuple[Address, int]]:
    """Run the echo beside the node's worker; give its address and process."""
    process = subprocess.Popen(
        (sys.executable, "-m", "load_tests.echo", str(tail_octets)),
        cwd=CODE_FOLDER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None, "it is a pipe"
    try:
        port = int(process.stdout.readline())
        processes.pin(process.pid, processes.server_core())
        yield (LOOPBACK, port), process.pid
    finally:
        process.communicate(timeout=STOP_SECONDS)


class _Echoes:
    def __init__(self, datagrams: Iterable[bytes]) -> None:
        self._sent = {datagram[questions.REQUEST_ID]: datagram for datagram in datagrams}

    def count_wrong(self, answers: Iterable[bytes]) -> int:
        return sum(not answer.startswith(self._sent[answer[questions.REQUEST_ID]]) for answer in answers)
