"""How much is done in a run: IDNODE_TEST_LONG=1 takes the node's own deadlines and heavier loads.

That takes some twenty minutes, some tests several of them:
`IDNODE_TEST_LONG=1 ./test --timeout=1800 tests/reliability`.
"""

from __future__ import annotations

import os

IS_LONG = bool(os.environ.get("IDNODE_TEST_LONG"))

IDLE_SECONDS = 30.0 if IS_LONG else 8.0
MESSAGE_SECONDS = 10.0 if IS_LONG else 4.0
WRITE_SECONDS = 10.0 if IS_LONG else 4.0

DEADLINES = {
    "IDNODE_TCP_IDLE_SECONDS": str(IDLE_SECONDS),
    "IDNODE_TCP_MESSAGE_SECONDS": str(MESSAGE_SECONDS),
    "IDNODE_TCP_WRITE_SECONDS": str(WRITE_SECONDS),
}
"""The settings of the attacked node."""
