"""Row 54: health is answered within two seconds whatever Postgres does, and a frozen one kills no process."""

from __future__ import annotations

import time
from itertools import product

from tests.reliability.test_row_41_database_gone import frozen
from tests.started_node import StartedNode

HEALTH_SECONDS = 2.0
ROUNDS = 10


def test_health_is_answered_while_postgres_stands_still(fragile: StartedNode) -> None:
    workers = fragile.workers
    with frozen(fragile):
        for _ in range(ROUNDS):
            for port, path in product((fragile.admin_port, fragile.http_port), ("/healthz/live", "/healthz/ready")):
                began_at = time.monotonic()
                status, _ = fragile.get(port, path, HEALTH_SECONDS)
                assert time.monotonic() - began_at <= HEALTH_SECONDS
                assert status == 200
            time.sleep(0.3)
    assert fragile.workers == workers
