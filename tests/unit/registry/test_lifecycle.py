"""The table of a prefix's states covers every step from every state."""

import pytest

from handle_protocol.handle import Prefix
from registry import lifecycle
from registry.errors import TransitionForbidden
from registry.lifecycle import PrefixStatus, Step

PREFIX = Prefix("88.118.8")


@pytest.mark.parametrize("status", PrefixStatus)
def test_a_step_leads_to_the_same_state_from_everywhere(status: PrefixStatus) -> None:
    assert lifecycle.after(PREFIX, status, Step.SUSPEND) is PrefixStatus.SUSPENDED
    assert lifecycle.after(PREFIX, status, Step.RESUME) is PrefixStatus.ACTIVE


def test_a_step_that_the_table_lacks_is_forbidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifecycle, "TRANSITIONS", {})
    with pytest.raises(TransitionForbidden) as refused:
        lifecycle.after(PREFIX, PrefixStatus.ACTIVE, Step.SUSPEND)
    assert (refused.value.prefix, refused.value.status, refused.value.step) == (PREFIX, "active", "suspend")
