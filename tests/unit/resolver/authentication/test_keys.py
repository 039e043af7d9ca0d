"""Which keys the register has, and which it leaves to others."""

from __future__ import annotations

import asyncio

import pytest

from handle_protocol.handle import Handle, Prefix
from handle_protocol.record import HandleRecord
from resolver.answer import Answer, Busy, Found, NotFound, NotResponsible, Referred, Suspended
from resolver.authentication.keys import RegisterKeys
from tests.builders import OWN_SITE
from tests.unit.resolver.authentication.conftest import secret_value

HANDLE = Handle("88.118.8/管理员")
KEY = secret_value(301)


class Records:
    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    async def stored(self, handle: Handle) -> Answer:
        assert handle == HANDLE
        await asyncio.sleep(0)
        return self.answer


@pytest.mark.parametrize(
    ("answer", "values"),
    [
        (Found(HandleRecord.of(HANDLE, (KEY,))), (KEY,)),
        (NotFound(HANDLE), ()),
        (Suspended(HANDLE, Prefix("88.118.8")), ()),
        (NotResponsible(HANDLE), None),
        (Referred(HANDLE, OWN_SITE), None),
    ],
)
async def test_keys_are_ours_nobodys_or_elsewhere(answer, values) -> None:
    assert await RegisterKeys(Records(answer)).values(HANDLE) == values


async def test_an_outage_is_no_missing_key() -> None:
    with pytest.raises(ConnectionError):
        await RegisterKeys(Records(Busy(HANDLE))).values(HANDLE)
