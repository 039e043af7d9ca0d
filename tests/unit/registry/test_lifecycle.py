"""The table of a prefix's states covers every step from every state."""

import pytest

from handle_protocol.handle import Prefix
from registry import lifecycle
from registry.errors import TransitionForbidden
from registry.lifecycle import PrefixStatus, Step

PREFIX = Prefix("88.118.8")


ACTIVE, SUSPENDED, WITHDRAWN = PrefixStatus
FOLLOWING = {
    Step.SUSPEND: {ACTIVE: SUSPENDED, SUSPENDED: SUSPENDED, WITHDRAWN: None},
    Step.RESUME: {ACTIVE: ACTIVE, SUSPENDED: ACTIVE, WITHDRAWN: None},
    Step.WITHDRAW: {ACTIVE: WITHDRAWN, SUSPENDED: None, WITHDRAWN: WITHDRAWN},
    Step.RETURN: {ACTIVE: ACTIVE, SUSPENDED: SUSPENDED, WITHDRAWN: ACTIVE},
}


@pytest.mark.parametrize("status", PrefixStatus)
@pytest.mark.parametrize("step", Step)
def test_each_step_from_each_state_leads_where_the_table_says(status: PrefixStatus, step: Step) -> None:
    following = FOLLOWING[step][status]
    if following is not None:
        assert lifecycle.after(PREFIX, status, step) is following
        return
    with pytest.raises(TransitionForbidden) as refused:
        lifecycle.after(PREFIX, status, step)
    assert (refused.value.prefix, refused.value.status, refused.value.step) == (PREFIX, status, step)
