"""What a worker is made of, put together in one place: register, resolver, doors."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from typing import Final

import structlog

from handle_protocol.predefined.site import (
    Attribute,
    InterfaceProtocol,
    InterfacePurpose,
    ServerInterface,
    Site,
    SiteServer,
)
from node.administering import Administering, open_administering
from node.certificates import certificate_files
from node.server_key import read_server_key
from node.settings import Settings
from node.status_board import StatusBoard
from registry.changes import ChangeFeed
from registry.database import Database
from registry.prefixes import PrefixReader
from registry.records import RecordSource
from resolver import metrics
from resolver.cache import CacheLimits, RecordCache
from resolver.fast_path.choice import FastPath
from resolver.invalidation import Follower
from resolver.listeners.http import HttpDoor
from resolver.listeners.http_connection import HttpLimits
from resolver.listeners.http_tunnel import Tunnel
from resolver.listeners.sockets import open_tcp, open_udp
from resolver.listeners.tcp import TcpDoor, TcpLimits
from resolver.listeners.tls_certificate import ServerCertificate
from resolver.listeners.udp import UdpDoor, UdpLimits
from resolver.metrics import DoorTally
from resolver.operations.native import NativeService
from resolver.resolve import Resolver

METRICS_SECONDS: Final = 1.0
"""How often what was counted flows into Prometheus."""

log = structlog.get_logger()

Close = Callable[[float], Awaitable[None]]
Flush = Callable[[], None]


async def serve(settings: Settings, board: StatusBoard, place: int, stopping: asyncio.Event) -> None:
    """Serve until `stopping` is set, then finish what is in flight and return.

    The doors open at once and say "try later" until the register was heard; only then the worker is ready.
    """
    async with (
        Database.open(
            settings.database_url,
            is_read_only=True,
            connections_max=settings.database_connections,
            timeout_seconds=settings.query_timeout_seconds,
        ) as database,
        asyncio.TaskGroup() as tasks,
    ):
        resolver = Resolver(
            RecordSource(database), RecordCache(cache_limits(settings), FastPath(settings.fast_path)),
            own_site(settings, read_server_key(settings).public_data()),
            queries_max=settings.database_connections,
        )  # fmt: skip
        follower = Follower(resolver, ChangeFeed(database), PrefixReader(database))
        following = tasks.create_task(follower.run())
        async with open_administering(settings, resolver, place) as administering:
            closes, flushes = await _open_doors(settings, resolver, board, administering)
            counting = tasks.create_task(_count(resolver, follower, flushes))
            readying = tasks.create_task(_become_ready(follower, board, place))
            await stopping.wait()
            readying.cancel()
            await asyncio.gather(*(close(settings.drain_seconds) for close in closes))
            counting.cancel()
        following.cancel()


def cache_limits(settings: Settings) -> CacheLimits:
    """Return how much a worker remembers."""
    return CacheLimits(
        octets_max=settings.cache_octets,
        seconds_max=int(settings.cache_seconds_max),
        absent_max=settings.negative_cache_entries,
        absent_seconds=int(settings.negative_ttl_seconds),
    )


def own_site(settings: Settings, public_key: bytes) -> Site:
    """Return where this node tells the world that it is, and by which key its signatures are known.

    Clients administer over the first interface that offers it. Over UDP every change would cost them two exchanges
    of several datagrams with retries, so it is served there but not announced, as the reference does.
    """
    both = InterfacePurpose.ADMIN | InterfacePurpose.QUERY
    offered = (
        (both, InterfaceProtocol.TCP, settings.handle_port),
        (InterfacePurpose.QUERY, InterfaceProtocol.UDP, settings.handle_port),
        (both, InterfaceProtocol.HTTP, settings.http_port),
        (both, InterfaceProtocol.HTTPS, settings.http_port),
    )
    interfaces = tuple(ServerInterface(*each) for each in offered if each[-1])
    server = SiteServer(1, ip_address(settings.public_address), public_key, interfaces)
    return Site((server,), attributes=(Attribute("desc", "idnode secondary node 二级节点"),))


async def _open_doors(
    settings: Settings, resolver: Resolver, board: StatusBoard, administering: Administering
) -> tuple[list[Close], list[Flush]]:
    def native(door: str) -> NativeService:
        return NativeService(
            resolver,
            DoorTally(door),
            settings.queries_in_flight_max,
            operations=administering.operations,
            others=administering.others,
        )

    closes: list[Close] = []
    flushes: list[Flush] = [administering.authentication.flush]
    if settings.handle_port:
        udp, tcp = native("udp"), native("tcp")
        udp_door = UdpDoor(open_udp(settings.bind, settings.handle_port), udp, udp_limits(settings))
        tcp_door = TcpDoor(open_tcp(settings.bind, settings.handle_port), tcp, tcp_limits(settings))
        udp_door.open()
        await tcp_door.open()
        closes += (udp_door.close, tcp_door.close)
        flushes += (udp.flush, tcp.flush)
    if settings.http_port:
        tally = DoorTally("http")
        tunnelled = native("tunnel")
        http_door = HttpDoor(
            open_tcp(settings.bind, settings.http_port),
            resolver,
            board.are_all_ready,
            http_limits(settings),
            tally,
            certificate=ServerCertificate(*certificate_files(settings)),
            tunnel=Tunnel(tunnelled),
            rest=administering.rest,
        )
        await http_door.open()
        closes.append(http_door.close)
        flushes += (tally.flush, tunnelled.flush)
    return closes, flushes


def udp_limits(settings: Settings) -> UdpLimits:
    """Return the bounds of the UDP door."""
    return UdpLimits(
        answer_packets_max=settings.udp_answer_packets_max,
        fragments_max=settings.udp_fragments_max,
        fragments_octets_max=settings.udp_fragments_octets_max,
        fragments_per_peer_max=settings.udp_fragments_per_peer_max,
    )


def tcp_limits(settings: Settings) -> TcpLimits:
    """Return the bounds of the TCP door."""
    return TcpLimits(
        connections_max=settings.tcp_connections_max,
        per_address_max=settings.tcp_connections_per_address_max,
        idle_seconds=settings.tcp_idle_seconds,
        message_seconds=settings.tcp_message_seconds,
        write_seconds=settings.tcp_write_seconds,
        pipeline_max=settings.tcp_pipeline_max,
    )


def http_limits(settings: Settings) -> HttpLimits:
    """Return the bounds of the HTTP door."""
    return HttpLimits(
        connections_max=settings.tcp_connections_max,
        per_address_max=settings.tcp_connections_per_address_max,
        idle_seconds=settings.tcp_idle_seconds,
        head_seconds=settings.tcp_message_seconds,
        body_seconds=settings.tcp_message_seconds,
        write_seconds=settings.tcp_write_seconds,
    )


async def _become_ready(follower: Follower, board: StatusBoard, place: int) -> None:
    await follower.became_current.wait()
    # What was made until now lives as long as the process: the collector need not look at it again.
    gc.collect()
    gc.freeze()
    board.set_ready(place)
    log.info("worker_ready", place=place)


async def _count(resolver: Resolver, follower: Follower, flushes: list[Flush]) -> None:
    invalidations = evictions = 0
    while True:
        await asyncio.sleep(METRICS_SECONDS)
        for flush in flushes:
            flush()
        metrics.CACHE_RECORDS.set(len(resolver.cache))
        metrics.CACHE_OCTETS.set(resolver.cache.octets)
        metrics.CACHE_INVALIDATIONS.inc(resolver.cache.invalidations - invalidations)
        metrics.CACHE_EVICTIONS.inc(resolver.cache.records.evictions - evictions)
        metrics.FEED_AGE.set(resolver.clock() - follower.heard_at)
        invalidations, evictions = resolver.cache.invalidations, resolver.cache.records.evictions
