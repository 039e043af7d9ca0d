"""An administrator's keys, in a place that can be changed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from handle_protocol.handle import Handle
from handle_protocol.value import HandleValue, Permissions, ValueReference
from resolver.authentication.authentication import Authentication, AuthenticationLimits
from resolver.authentication.evidence import SecretCode
from resolver.authentication.session_ids import SessionIds
from resolver.authentication.verification import VerificationLimits

VECTORS = Path(__file__).parents[4] / "tests/vectors/handle"

ADMINISTRATOR = "0.NA/88.300.15907"
SECRET = b"s3cret-key"
FAILURES_MAX = 10


def secret_value(index: int, secret: bytes = SECRET, value_type: str = "HS_SECKEY") -> HandleValue:
    return HandleValue(index, value_type, secret, permissions=Permissions.ADMIN_WRITE)


@dataclass
class FakeKeys:
    """Keys of our own handles and of others.

    Attributes:
        ours: values by the handle's spelling.
        elsewhere: values of handles that are not ours.
        outage: raised instead of answering, when set.
        asked: what the service of another handle was asked to verify.
    """

    ours: dict[str, tuple[HandleValue, ...]] = field(default_factory=dict)
    elsewhere: dict[str, tuple[HandleValue, ...]] = field(default_factory=dict)
    outage: Exception | None = None
    asked: list[tuple[ValueReference, SecretCode]] = field(default_factory=list)

    async def values(self, handle: Handle) -> tuple[HandleValue, ...] | None:
        await asyncio.sleep(0)
        if self.outage is not None:
            raise self.outage
        return None if handle.spelling in self.elsewhere else self.ours.get(handle.spelling, ())


@dataclass
class FakeRemoteKeys:
    """The same, as somebody else's service answers."""

    keys: FakeKeys

    async def values(self, handle: Handle) -> tuple[HandleValue, ...]:
        await asyncio.sleep(0)
        return tuple(each for each in self.keys.elsewhere[handle.spelling] if each.is_public)

    async def verifies(self, identity: ValueReference, code: SecretCode) -> bool:
        await asyncio.sleep(0)
        self.keys.asked.append((identity, code))
        return any(code.fits(value.data, "") for value in self.keys.elsewhere[identity.handle])


@pytest.fixture
def keys() -> FakeKeys:
    return FakeKeys({ADMINISTRATOR: (secret_value(301),)})


def guard(keys: FakeKeys, *, accepts_legacy: bool = False) -> Authentication:
    limits = AuthenticationLimits(
        verification=VerificationLimits(accepts_legacy=accepts_legacy), failures_max=FAILURES_MAX
    )
    return Authentication(keys, SessionIds(), limits, FakeRemoteKeys(keys))


@pytest.fixture
def authentication(keys) -> Iterator[Authentication]:
    authentication = guard(keys)
    yield authentication
    authentication.close()


@pytest.fixture
def lenient(keys) -> Iterator[Authentication]:
    authentication = guard(keys, accepts_legacy=True)
    yield authentication
    authentication.close()


def vectors(number: str) -> list[dict]:
    return json.loads((VECTORS / f"{number}.json").read_text())["vectors"]
