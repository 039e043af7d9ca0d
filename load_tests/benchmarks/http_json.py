"""Records that the worker can answer from memory, as JSON over HTTP: one question on its way on each connection."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import cycle
from typing import Final
from urllib.parse import quote

from load_tests import population
from load_tests.figures import Line, described
from load_tests.rounds import by_turns, under
from load_tests.sample_node import SampleNode
from load_tests.stream_load import StreamLoad

RECORDS: Final = 10_000
CONNECTIONS: Final = 32

_END_OF_HEAD: Final = b"\r\n\r\n"
_CONTENT_LENGTH: Final = b"content-length:"


def measure(seconds: float) -> Iterator[Line]:
    """Yield how many answers a second there are."""
    rows = list(population.rows(RECORDS))
    requests = [_request(handle) for handle, *_ in rows]
    examiner = JsonExaminer(rows)
    with SampleNode.start(RECORDS) as node, node.one_core_each():
        load = StreamLoad(node.program.http_address, response_end, connections=CONNECTIONS, depth=1)
        warm = load.run(requests)
        (rounds,) = by_turns((under(load, cycle(requests), lambda: [node.worker], examiner.count_wrong),), seconds)
    yield Line(
        "HTTP, from memory",
        f"{described(rounds)}, {CONNECTIONS} connections, {len(warm.answers[0])} octets",
        wrong=examiner.count_wrong(warm.answers) + sum(each.wrong for each in rounds),
        lost=warm.lost + sum(each.lost for each in rounds),
    )


def response_end(octets: bytes, start: int) -> int:
    """Return where the response ends that begins at `start`, -1 if the octets end before."""
    body = octets.find(_END_OF_HEAD, start) + len(_END_OF_HEAD)
    if body < start + len(_END_OF_HEAD):
        return -1
    lines = octets[start:body].lower().splitlines()
    length = next(int(line[len(_CONTENT_LENGTH) :]) for line in lines if line.startswith(_CONTENT_LENGTH))
    return body + length if body + length <= len(octets) else -1


class JsonExaminer:
    """Examines responses after the load has ended: status, handle, and the data of every value."""

    def __init__(self, rows: Iterable[Iterable[str]]) -> None:
        self._cells = {handle: [cell for cell in cells if cell] for handle, *cells in rows}
        self._right: set[bytes] = set()

    def count_wrong(self, responses: Iterable[bytes]) -> int:
        """Return how many of `responses` are not what a record says."""
        return sum(not self._is_right(response) for response in responses)

    def _is_right(self, response: bytes) -> bool:
        head, _, body = response.partition(_END_OF_HEAD)
        if not head.startswith(b"HTTP/1.1 200 "):
            return False
        if body not in self._right:
            record = json.loads(body)
            if [value["data"]["value"] for value in record["values"]] != self._cells.get(record["handle"]):
                return False
            self._right.add(body)
        return True


def _request(handle: str) -> bytes:
    return f"GET /api/handles/{quote(handle)} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
