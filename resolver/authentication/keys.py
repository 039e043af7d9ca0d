"""Where keys are: in the register, or with the service of another handle."""

from __future__ import annotations

from typing import Protocol

from handle_protocol.handle import Handle
from handle_protocol.value import HandleValue, ValueReference
from resolver.answer import Answer, Busy, Found, NotResponsible, Referred
from resolver.authentication.evidence import SecretCode


class KeySource(Protocol):
    """The values of our own handles."""

    async def values(self, handle: Handle) -> tuple[HandleValue, ...] | None:
        """Return the values of `handle` as they are stored now; none when there is none; None when it is not ours.

        Raises:
            ConnectionError, TimeoutError: the register cannot be asked.
        """


class RemoteKeys(Protocol):
    """Keys of handles that are not ours. Asks configured nodes alone, each time with a deadline."""

    async def values(self, handle: Handle) -> tuple[HandleValue, ...]:
        """Return the public keys and certificates of `handle`, at most a minute old; none when there are none.

        Raises:
            ConnectionError, TimeoutError: nobody who knows can be asked.
            ProtocolError: the answer makes no sense.
        """

    async def verifies(self, identity: ValueReference, code: SecretCode) -> bool:
        """Ask the service of `identity` whether its secret key made the code (OC_VERIFY_CHALLENGE, RFC 3652 §3.5.4).

        Raises as `values`.
        """


class StoredRecords(Protocol):
    """What Resolver has."""

    async def stored(self, handle: Handle) -> Answer:
        """See Resolver.stored."""


class RegisterKeys:
    """Reads keys from the register. Whoever is suspended has no keys."""

    def __init__(self, records: StoredRecords) -> None:
        self._records = records

    async def values(self, handle: Handle) -> tuple[HandleValue, ...] | None:
        """See KeySource."""
        match await self._records.stored(handle):
            case Found(record):
                return record.values
            case NotResponsible() | Referred():
                return None
            case Busy():
                raise ConnectionError("the register cannot be asked")
            case _:
                return ()
