"""The table of response codes in DIVERGENCES.md says of idnode what the trials show, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from handle_protocol.codes import OpCode, ResponseCode
from tests.conformance.trials import TRIALS

DIVERGENCES: Final = Path(__file__).parents[2] / "DIVERGENCES.md"

CHANGES_AND_LISTS: Final = frozenset(range(100, 106)) | frozenset(range(300, 303)) | {1}
TRIED_ELSEWHERE: Final = frozenset(
    {
        (OpCode.RESOLUTION, ResponseCode.PREFIX_REFERRAL, "before"),
        (OpCode.RESOLUTION, ResponseCode.CREDENTIAL_NOT_VERIFIED, "before"),
        (OpCode.LIST_HANDLES, ResponseCode.SUCCESS, "after"),
        (OpCode.VERIFY_CHALLENGE, ResponseCode.AUTHENTICATION_ERROR, "before"),
        (OpCode.SESSION_SETUP, ResponseCode.SUCCESS, "before"),
        (OpCode.SESSION_TERMINATE, ResponseCode.SUCCESS, "before"),
    }
)
"""These need a prefix of their own, a signature, a session, or many wrong proofs."""

Told = tuple[int, int, str]
"""An operation, a response code, and whether it comes before a challenge or after it."""


def rows() -> Iterator[tuple[str, str, str]]:
    """Yield operation, codes, and what idnode does."""
    table = DIVERGENCES.read_text(encoding="utf-8").split("| Operation | Code |")[1]
    for line in table.splitlines()[2:]:
        operation, codes, _, ours, _ = (cell.strip() for cell in line.strip("|").split("|"))
        yield operation, codes, ours


def numbers_in(text: str) -> frozenset[int]:
    """Return the numbers in a cell: "replicate, back up (1000 to 1003)"."""
    ranges = re.findall(r"\b(\d+) to (\d+)\b", text)
    several = (number for first, last in ranges for number in range(int(first), int(last) + 1))
    return frozenset(several) | frozenset(map(int, re.findall(r"\b\d+\b", text)))


def moments_in(ours: str) -> tuple[str, ...]:
    return tuple(moment for moment in ("before", "after") if re.search(rf"\b{moment}\b", ours))


def written(*, is_general: bool) -> frozenset[Told]:
    """Return what the rows say of idnode: those of every operation, or those of single ones."""
    return frozenset(
        (operation, code, moment)
        for operations, codes, ours in rows()
        for operation in (numbers_in(operations) or CHANGES_AND_LISTS)
        if bool(numbers_in(operations)) is not is_general
        for code in numbers_in(codes)
        for moment in moments_in(ours)
    )


def tried() -> frozenset[Told]:
    return frozenset(
        (trial.op_code, trial.code, "after" if trial.is_challenged and trial.code != 402 else "before")
        for trial in TRIALS
    )


def test_every_code_that_a_trial_ends_with_is_in_the_table() -> None:
    assert tried() - written(is_general=False) - written(is_general=True) == frozenset()


def test_every_code_that_the_table_gives_for_an_operation_is_tried() -> None:
    tables = {told for told in written(is_general=False) if told[0] not in {OpCode.KEY_LOGIN, OpCode.PASSWORD_LOGIN}}
    assert tables - tried() == TRIED_ELSEWHERE


def test_every_operation_has_a_row() -> None:
    named = frozenset().union(*(numbers_in(operations) for operations, _, _ in rows()))
    assert {int(code) for code in OpCode} - {OpCode.NONE, OpCode.CHALLENGE_ANSWER} <= named


def test_every_response_code_has_a_row() -> None:
    told = frozenset().union(*(numbers_in(codes) for _, codes, _ in rows()))
    assert {int(code) for code in ResponseCode} - {0} <= told
