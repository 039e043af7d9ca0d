"""Keys and certificates of handles that are not ours: asked of configured nodes, and of those we delegated to.

Nobody else is ever asked: neither a record nor a client can make this node speak to an address of its choice.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final

from cachetools import LRUCache

from handle_protocol.bodies.challenge import VerifyChallengeRequest, VerifyChallengeResponse
from handle_protocol.codes import ResponseCode
from handle_protocol.errors import ProtocolError
from handle_protocol.handle import Handle
from handle_protocol.predefined.site import InterfaceProtocol, Site
from handle_protocol.security.limits import PUBLIC_KEY_OCTETS
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

ASKED_OF_ONE_MAX: Final = 8
"""Ours: of one node that we delegated to, so that one that is silent keeps nobody from asking the others."""

REMEMBERED_SECONDS: Final = 60.0
REMEMBERED_OCTETS_MAX: Final = 4 * 2**20
"""Ours: some thousand handles with a key or two, as a rule."""

_ENTRY_OCTETS: Final = 500
"""What remembering the keys of one handle takes beside their octets."""

_WANTED: Final = (PUBLIC_KEY, CERTIFICATE_TYPE)

_Remembered = tuple[float, tuple[HandleValue, ...]]
"""When it is too old, and the values."""

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
        self._under_way: Counter[Address] = Counter()
        self._remembered: LRUCache[bytes, _Remembered] = LRUCache(REMEMBERED_OCTETS_MAX, _weight)

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
                return tuple(filter(_is_wanted, reply.record.values))
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
        of_one_max = ASKED_AT_ONCE_MAX if server in self._resolvers else ASKED_OF_ONE_MAX
        if self._under_way.total() >= ASKED_AT_ONCE_MAX or self._under_way[server] >= of_one_max:
            raise ConnectionError("too many keys are being asked for elsewhere")
        self._under_way[server] += 1
        try:
            async with connect(server, timeout_seconds=ASKING_SECONDS) as node:
                yield node
        except OSError as error:
            raise ConnectionError(str(error)) from error
        finally:
            self._under_way[server] -= 1
            self._under_way += Counter()  # Forgets whoever is asked for nothing more.


def _is_wanted(value: HandleValue) -> bool:
    """Tell whether a value is a key or a certificate; what is longer than any key is none."""
    return len(value.data) < PUBLIC_KEY_OCTETS.stop and any(map(value.has_type, _WANTED))


def _weight(remembered: _Remembered) -> int:
    return _ENTRY_OCTETS + sum(_ENTRY_OCTETS + len(value.data) for value in remembered[1])
