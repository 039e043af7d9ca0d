"""The time of a process: the machine's, but never going back."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from structlog.testing import capture_logs

from resolver.unix_clock import UnixClock

STARTED_AT = 1_700_000_000.0


@dataclass
class Machine:
    """A machine with a clock that can be set.

    Attributes:
        uptime: seconds of its monotonic clock.
        offset: how fast its clock is.
    """

    uptime: float = 500.0
    offset: float = 0.0

    def monotonic(self) -> float:
        return self.uptime

    def wall(self) -> float:
        return STARTED_AT - 500 + self.uptime + self.offset


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
def clock(machine: Machine) -> UnixClock:
    return UnixClock(machine.wall, machine.monotonic)


@pytest.mark.parametrize(("offset", "shown"), [(0, 10), (0.5, 10.5), (600, 610), (-0.5, 10), (-600, 10), (-3_600, 10)])
def test_it_follows_the_machine_forward_alone(machine: Machine, clock: UnixClock, offset: float, shown: float) -> None:
    machine.uptime, machine.offset = 510.0, offset
    assert clock() == STARTED_AT + shown


def test_a_clock_that_was_fast_for_a_while_leaves_no_trace(machine: Machine, clock: UnixClock) -> None:
    machine.offset = 86_400.0
    assert clock() == STARTED_AT + 86_400
    machine.uptime, machine.offset = 510.0, 0.0
    assert clock() == STARTED_AT + 10


@pytest.mark.parametrize(("offset", "told"), [(600, []), (0, []), (-60, []), (-3_600, [3_600])])
def test_a_clock_that_was_set_back_far_is_told_once(machine: Machine, clock: UnixClock, offset: float, told) -> None:
    machine.offset = offset
    with capture_logs() as lines:
        clock()
        clock()
    assert [(line["event"], line["seconds"]) for line in lines] == [("clock_set_back", seconds) for seconds in told]
