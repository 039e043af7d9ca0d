"""`idnode check` says when clients would be sent to an address that only this machine knows."""

from __future__ import annotations

from pathlib import Path

import pytest

from node.checks import Verdict, run_checks
from node.settings import Settings


@pytest.mark.parametrize(
    ("bind", "public_address", "verdict"),
    [
        ("0.0.0.0", "", Verdict.NOTE),  # noqa: S104 - what the node binds to by itself
        ("0.0.0.0", "192.0.2.7", Verdict.GOOD),  # noqa: S104
        ("127.0.0.1", "", Verdict.GOOD),
        ("192.0.2.7", "127.0.0.1", Verdict.NOTE),
    ],
)
async def test_a_loopback_address_is_no_place_to_send_others(
    bind: str, public_address: str, verdict: Verdict, tmp_path: Path
) -> None:
    checks = await run_checks(Settings(data_dir=tmp_path, bind=bind, public_address=public_address), None)
    (announced,) = [each for each in checks if each.subject.english == "announced address"]
    assert announced.verdict is verdict
