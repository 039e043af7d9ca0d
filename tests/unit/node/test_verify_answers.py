"""What `idnode verify` makes of the record that a server shows."""

from __future__ import annotations

import pytest

from handle_protocol.handle import Handle
from node.cli.verify_command import verify_at
from node.errors import NodeError
from tests.builders import text_value
from tests.fakes.scripted_server import Conversation, found, scripted_server

ASKED, OTHER = Handle("88.118.8/ABC"), Handle("88.118.8/abc")


@pytest.mark.parametrize("shown", [ASKED, OTHER], ids=["the same", "another case"])
async def test_a_record_vouches_for_the_handle_that_was_asked_alone(shown: Handle) -> None:
    """Below a case-sensitive prefix, ABC and abc are two products."""

    async def show(conversation: Conversation) -> None:
        conversation.say(found(await conversation.listen(), text_value(1, "URL", "https://例.cn"), handle=shown))

    async with scripted_server(show) as (address, _):
        if shown == ASKED:
            assert not (await verify_at(address, ASKED, {}, accepts_weak=False)).is_whole
        else:
            with pytest.raises(NodeError, match="instead of"):
                await verify_at(address, ASKED, {}, accepts_weak=False)
