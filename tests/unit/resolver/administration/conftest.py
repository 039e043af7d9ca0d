"""A world that most tests of administration begin with."""

from __future__ import annotations

import pytest

from tests.builders import text_value
from tests.unit.resolver.administration.administered_world import OWNER, THEIR_SITE, AdministeredWorld, admin_value


@pytest.fixture
def world() -> AdministeredWorld:
    """A prefix whose administrator is OWNER, one without a record, a suspended and a delegated one."""
    world = AdministeredWorld()
    world.register_prefix("88.300.15907")
    world.register_prefix("88.300.2", is_suspended=True)
    world.register_prefix("88.300.3", delegated_to=THEIR_SITE)
    world.register_prefix("88.300.4")
    world.register.put("0.NA/88.300.15907", admin_value(OWNER))
    world.register.put("88.300.15907/水泵-001", text_value(1, "URL", "https://泵.cn"), admin_value(OWNER))
    return world
