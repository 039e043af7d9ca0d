"""What a worker administers with, put together: who somebody is, what they may do, and the workers beside it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final

from cachetools import LRUCache

from handle_protocol.handle import Handle
from handle_protocol.predefined.site import Site
from handle_protocol.security.public_keys import VerificationKey
from handle_protocol.value import ValueReference
from node.errors import NodeError, Text
from node.layout import run_folder
from node.public_key_files import read_anchors
from node.server_key import read_server_key
from node.settings import Settings, available_cores
from node.status_board import PLACES
from registry.changing import RecordWriter
from registry.database import Database
from registry.handle_list import HandleList
from registry.prefixes import PrefixWriter
from resolver.administration.administration import Administration
from resolver.asking.remote_keys import AskedKeys
from resolver.asking.reply import Address
from resolver.authentication.authentication import Authentication, AuthenticationLimits
from resolver.authentication.challenges import ChallengeLimits
from resolver.authentication.keys import RegisterKeys
from resolver.authentication.session_ids import SessionIds
from resolver.authentication.sessions import SessionLimits
from resolver.authentication.verification import VerificationLimits
from resolver.authentication.web_logins import WEB_SESSION, WebLogins
from resolver.authentication.web_sessions import WEB_SESSION_SECONDS
from resolver.listeners.rest_api import RestApi
from resolver.metrics import DoorTally
from resolver.operations.administrative import Administrative
from resolver.operations.certification import Certifier
from resolver.operations.inquiries import Inquiries
from resolver.operations.logins import Logins
from resolver.operations.native import NativeService
from resolver.operations.other_workers import SESSION_MESSAGE, Answer, OtherWorkers, whole_answer
from resolver.operations.peers import Peer
from resolver.operations.sessions import SessionOperations
from resolver.operations.table import Operations
from resolver.operations.trust import TrustedQueries
from resolver.relay import Relay
from resolver.resolve import Resolver

WRITE_CONNECTIONS: Final = 2
"""Ours: one for the changes of a worker, which travel together, and one for prefixes."""


SESSION_PEERS_MAX: Final = 10_000
"""Sessions whose messages through other workers are done in their order."""

_SESSION_ID: Final = slice(4, 8)


@dataclass(frozen=True, slots=True)
class Administering:
    """What administration over every door of one worker is done with.

    Attributes:
        authentication: knows who asks.
        operations: of the Handle protocol.
        others: the other workers of this node.
        logins: of the REST API.
        rest: the REST API.
    """

    authentication: Authentication
    operations: Operations
    others: OtherWorkers
    logins: WebLogins
    rest: RestApi


@asynccontextmanager
async def open_administering(settings: Settings, resolver: Resolver, place: int) -> AsyncIterator[Administering]:
    """Put administration together for the worker at `place`, and answer the other workers meanwhile."""
    ids = SessionIds(place, PLACES)
    folder = run_folder(settings.data_dir)
    others = OtherWorkers(ids, Relay(folder, place), Relay(folder, place, name="session"))
    remote = AskedKeys([*map(_address, settings.identity_resolvers)], partial(_delegated_site, resolver))
    authentication = Authentication(
        RegisterKeys(resolver), ids, authentication_limits(settings), remote, tell=others.tell
    )
    with ThreadPoolExecutor(available_cores(), thread_name_prefix="signing") as threads:
        async with Database.open(settings.database_url, connections_max=WRITE_CONNECTIONS) as database:
            administering = _put_together(settings, resolver, database, authentication, others, threads, remote)
            others.answer_for(authentication)
            others.forget_for(resolver.forget)
            others.take_up(WEB_SESSION, administering.logins.answer)
            others.take_up(SESSION_MESSAGE, _serve_in_session(resolver, administering.operations))
            await others.open()
            try:
                yield administering
            finally:
                await others.close()
                authentication.close()


def authentication_limits(settings: Settings) -> AuthenticationLimits:
    """Return what a worker keeps and verifies."""
    # Every worker hears of the others' wrong proofs, so the number of failures holds for all of them together.
    return AuthenticationLimits(
        challenges=ChallengeLimits(settings.challenge_seconds, settings.challenges_max),
        sessions=SessionLimits(settings.session_seconds_max, settings.sessions_max),
        web_sessions=SessionLimits(min(WEB_SESSION_SECONDS, settings.session_seconds_max), settings.sessions_max),
        verification=VerificationLimits(available_cores(), accepts_legacy=settings.legacy_authentication),
        failures_max=settings.authentication_failures_max,
    )


def _address(text: str) -> Address:
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


def _delegated_site(resolver: Resolver, handle: Handle) -> Site | None:
    registered = resolver.authority.find(handle)
    return None if registered is None else registered.delegated_to


def trust_anchors(settings: Settings) -> Mapping[ValueReference, VerificationKey]:
    """Return the keys that certificates may lead to, by their references.

    Raises:
        NodeError: a file cannot be read, or holds no key.
    """
    try:
        return read_anchors(settings.trust_anchors)
    except NodeError as error:
        solve = Text("mend the setting trust_anchors: INDEX:HANDLE=FILE", "请修正设置项 trust_anchors:索引:标识=文件")
        raise NodeError(error.message, solve) from None


def _put_together(  # noqa: PLR0913, PLR0917 - every part once
    settings: Settings,
    resolver: Resolver,
    database: Database,
    authentication: Authentication,
    others: OtherWorkers,
    threads: ThreadPoolExecutor,
    remote: AskedKeys,
) -> Administering:
    clock, is_legacy = resolver.unix_clock, settings.legacy_authentication
    administration = Administration(
        resolver,
        RecordWriter(database),
        HandleList(database),
        PrefixWriter(database),
        map(ValueReference.parse, settings.server_admins),
        tell_others=others.forget,
    )
    administrative = Administrative(administration, authentication, others, clock)
    trusted_queries = TrustedQueries(
        resolver, trust_anchors(settings), RegisterKeys(resolver), remote, threads, accepts_legacy=is_legacy
    )
    certifier = Certifier(read_server_key(settings), threads)
    operations = Operations(
        administrative,
        Inquiries(resolver, administrative, authentication, trusted_queries, clock),
        Logins(authentication, clock, accepts_legacy=is_legacy),
        SessionOperations(authentication, threads, clock, accepts_legacy=is_legacy),
        certifier,
        authentication.new_login,
        clock,
    )
    logins = WebLogins(authentication, others.ask)
    rest = RestApi(resolver, administration, logins, certifier.sign)
    return Administering(authentication, operations, others, logins, rest)


def _serve_in_session(resolver: Resolver, operations: Operations) -> Answer:
    """Return how this worker serves what came in its sessions through another worker's door."""
    service = NativeService(resolver, DoorTally("session"), operations=operations)

    peers: LRUCache[tuple[str, bytes], Peer] = LRUCache(SESSION_PEERS_MAX)

    async def serve(address: str, message: bytes) -> bytes:
        session = (address, message[_SESSION_ID])
        is_open = operations.sessions.find(int.from_bytes(message[_SESSION_ID], "big"), address) is not None
        peer = Peer(address) if not is_open else peers.get(session) or peers.setdefault(session, Peer(address))
        answer = await whole_answer(service.serve(message, peer))
        service.flush()
        return answer

    return serve
