"""Keys and certificates of handles that are not ours: asked of configured nodes, and of those we delegated to.

Nobody else is ever asked: neither a record nor a client can make this node speak to an address of its choice.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final

from cachetools import LRUCache

from handle_protocol.bodies.challenge import VerifyChallengeRequest, VerifyChallengeResponse
from handle_protocol.codes import ResponseCode
from handle_protocol.errors import ProtocolError
from handle_protocol.handle import Handle
from handle_protocol.predefined.site import InterfaceProtocol, Site
from handle_protocol.security.record_trust import CERTIFICATE_TYPE
from handle_protocol.value import HandleValue, ValueReference
from resolver.asking.node import Node
from resolver.asking.reply import Address
from resolver.authentication.evidence import PUBLIC_KEY, SecretCode
from resolver.client import connect
from resolver.query import Query

ASKING_SECONDS: Final = 2.0
"""For one node; somebody waits to be let in meanwhile."""

ASKED_AT_ONCE_MAX: Final = 32
"""Ours: each costs a connection for up to two seconds, and anybody can claim to be somebody from elsewhere."""

REMEMBERED_SECONDS: Final = 60.0
REMEMBERED_MAX: Final = 1_000

_WANTED: Final = (PUBLIC_KEY, CERTIFICATE_TYPE)

_LATER: Final = frozenset({ResponseCode.SERVER_TOO_BUSY, ResponseCode.AUTHENTICATION_ERROR})
"""Reference and ours: a service that cannot verify now, or has seen too many wrong proofs for a while."""

_ABSENT: Final = frozenset({ResponseCode.HANDLE_NOT_FOUND, ResponseCode.VALUES_NOT_FOUND})


class AskedKeys:
    """Asks for keys; fulfils RemoteKeys.

    Args:
        resolvers: who is asked for handles below prefixes that are not ours, in this order.
        find_site: returns the enterprise's own node for a handle that we delegated, else None.
        clock: monotonic, seconds.
    """

    def __init__(
        self,
        resolvers: Sequence[Address],
        find_site: Callable[[Handle], Site | None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._resolvers = tuple(resolvers)
        self._find_site = find_site
        self._clock = clock
        self._under_way = 0
        self._remembered: LRUCache[bytes, tuple[float, tuple[HandleValue, ...]]] = LRUCache(REMEMBERED_MAX)

    async def values(self, handle: Handle) -> tuple[HandleValue, ...]:
        """See RemoteKeys."""
        key = handle.key()
        expires_at, values = self._remembered.get(key, (0.0, ()))
        if self._clock() < expires_at:
            return values
        values = await self._ask(handle)
        self._remembered[key] = (self._clock() + REMEMBERED_SECONDS, values)
        return values

    async def verifies(self, identity: ValueReference, code: SecretCode) -> bool:
        """See RemoteKeys. Only a node that we delegated to is asked: others would learn how a secret is used."""
        server = self._delegated(Handle.parse(identity.handle))
        if server is None:
            raise ProtocolError("nobody is known who keeps this secret key")
        digest_octets = bytes((code.digest.algorithm,)) + code.digest.octets
        asked = VerifyChallengeRequest(identity, code.nonce, digest_octets, code.octets)
        async with self._connected(server) as node:
            reply = await node.verify_challenge(asked)
        if isinstance(reply.body, VerifyChallengeResponse):
            return reply.body.is_valid
        if reply.response_code in _LATER:
            raise ConnectionError("the service of this secret key verifies nothing now")
        raise ProtocolError("the service of this secret key gives no verdict")

    async def _ask(self, handle: Handle) -> tuple[HandleValue, ...]:
        delegated = self._delegated(handle)
        for server in self._resolvers if delegated is None else (delegated,):
            try:
                async with self._connected(server) as node:
                    reply = await node.resolve(Query(handle, types=_WANTED))
            except (ConnectionError, TimeoutError):
                continue
            if reply.is_success:
                return tuple(value for value in reply.record.values if any(map(value.has_type, _WANTED)))
            if reply.response_code in _ABSENT:
                return ()
        raise ConnectionError("nobody who knows this handle can be asked")

    def _delegated(self, handle: Handle) -> Address | None:
        site = self._find_site(handle)
        server = None if site is None else site.server_for(handle)
        port = None if server is None else server.port(InterfaceProtocol.TCP)
        return None if server is None or port is None else (str(server.address), port)

    @asynccontextmanager
    async def _connected(self, server: Address) -> AsyncIterator[Node]:
        if self._under_way >= ASKED_AT_ONCE_MAX:
            raise ConnectionError("too many keys are being asked for elsewhere")
        self._under_way += 1
        try:
            async with connect(server, timeout_seconds=ASKING_SECONDS) as node:
                yield node
        except OSError as error:
            raise ConnectionError(str(error)) from error
        finally:
            self._under_way -= 1
