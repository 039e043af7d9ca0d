"""Keys of handles that are not ours: asked of those who are configured or delegated to, remembered for a minute."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from ipaddress import ip_address

import pytest

from handle_protocol.bodies.digest import DigestAlgorithm, RequestDigest
from handle_protocol.bodies.resolution import ResolutionRequest
from handle_protocol.codes import ResponseCode
from handle_protocol.envelope import VERSION_OURS
from handle_protocol.errors import ProtocolError
from handle_protocol.handle import Handle
from handle_protocol.predefined.site import (
    InterfaceProtocol,
    InterfacePurpose,
    ServerInterface,
    Site,
    SiteServer,
)
from handle_protocol.security.secret_proofs import make_secret_proof, read_secret_proof
from handle_protocol.value import HandleValue, ValueReference
from resolver.asking.remote_keys import (
    ASKED_AT_ONCE_MAX,
    ASKED_OF_ONE_MAX,
    REMEMBERED_OCTETS_MAX,
    REMEMBERED_SECONDS,
    AskedKeys,
)
from resolver.authentication.evidence import SecretCode
from tests.builders import text_value
from tests.fakes.scripted_server import Conversation, found, refused, scripted_server
from tests.started_node import free_ports

ALIEN = Handle("88.999.1/管理员")


async def test_who_cannot_be_asked_is_an_outage_and_not_an_absence() -> None:
    (port,) = free_ports(1)
    with pytest.raises(ConnectionError):
        await AskedKeys([("127.0.0.1", port)], lambda _: None).values(ALIEN)
    with pytest.raises(ConnectionError):
        await AskedKeys([], lambda _: None).values(ALIEN)


async def test_a_secret_that_nobody_keeps_for_us_proves_nothing() -> None:
    proof = make_secret_proof(b"s3cret", bytes(16), bytes(32), VERSION_OURS)
    code = SecretCode(
        read_secret_proof(proof, VERSION_OURS),
        bytes(16),
        RequestDigest(DigestAlgorithm.SHA256, bytes(32)),
        octets=proof,
    )
    with pytest.raises(ProtocolError):
        await AskedKeys([], lambda _: None).verifies(ValueReference(301, ALIEN.spelling), code)


async def test_keys_and_certificates_are_asked_for_and_remembered_for_a_minute() -> None:
    key, certificate = HandleValue(300, "HS_PUBKEY", b"key"), HandleValue(400, "HS_CERT", b"certificate")

    async def show(conversation: Conversation) -> None:
        conversation.say(found(await conversation.listen(), key, text_value(1, "名称", "泵"), certificate))

    now = 1_000.0
    async with scripted_server(show) as (address, conversations):
        keys = AskedKeys([address], lambda _: None, lambda: now)
        assert await keys.values(ALIEN) == (key, certificate)
        now += REMEMBERED_SECONDS - 1
        assert await keys.values(ALIEN) == (key, certificate)
        assert [each.heard[0].body for each in conversations] == [
            ResolutionRequest(ALIEN, types=("HS_PUBKEY", "HS_CERT"))
        ]
        now += 2
        assert await keys.values(ALIEN) == (key, certificate)
        assert len(conversations) == 2


async def test_while_one_resolver_is_down_the_next_is_asked_and_absence_is_an_answer() -> None:
    async def deny(conversation: Conversation) -> None:
        conversation.say(refused(await conversation.listen(), ResponseCode.HANDLE_NOT_FOUND))

    (down,) = free_ports(1)
    async with scripted_server(deny) as (address, _):
        assert await AskedKeys([("127.0.0.1", down), address], lambda _: None).values(ALIEN) == ()


async def test_values_of_another_handle_are_not_believed() -> None:
    async def show_another(conversation: Conversation) -> None:
        asked = await conversation.listen()
        other = replace(asked, body=ResolutionRequest(Handle("88.999.1/别人")))
        conversation.say(found(other, HandleValue(300, "HS_PUBKEY", b"key")))
        await conversation.listen()

    async with scripted_server(show_another) as (address, _):
        with pytest.raises(ConnectionError):
            await AskedKeys([address], lambda _: None).values(ALIEN)


async def test_no_more_than_so_many_are_asked_for_at_once() -> None:
    async def listen_only(conversation: Conversation) -> None:
        while True:
            await conversation.listen()

    async with scripted_server(listen_only) as (address, conversations):
        keys = AskedKeys([address], lambda _: None)
        asking = [keys.values(Handle(f"88.999.1/{number}")) for number in range(ASKED_AT_ONCE_MAX + 8)]
        outcomes = await asyncio.gather(*asking, return_exceptions=True)
        assert {type(outcome) for outcome in outcomes} == {ConnectionError}
        assert len(conversations) == ASKED_AT_ONCE_MAX


def site_at(address: tuple[str, int]) -> Site:
    """Return the site of an enterprise's own node."""
    interfaces = (ServerInterface(InterfacePurpose.QUERY, InterfaceProtocol.TCP, address[1]),)
    return Site((SiteServer(1, ip_address(address[0]), interfaces=interfaces),))


async def test_a_silent_node_keeps_nobody_from_asking_another() -> None:
    async def listen_only(conversation: Conversation) -> None:
        while True:
            await conversation.listen()

    async def show(conversation: Conversation) -> None:
        conversation.say(found(await conversation.listen(), HandleValue(300, "HS_PUBKEY", b"key")))

    async with scripted_server(listen_only) as (silent, _), scripted_server(show) as (healthy, _):
        sites = {"88.300.66": site_at(silent), "88.300.67": site_at(healthy)}
        keys = AskedKeys([], lambda handle: sites[handle.prefix.name])
        waiting = [
            asyncio.create_task(keys.values(Handle(f"88.300.66/{number}"))) for number in range(ASKED_AT_ONCE_MAX)
        ]
        await asyncio.sleep(0.1)
        assert sum(each.done() for each in waiting) == ASKED_AT_ONCE_MAX - ASKED_OF_ONE_MAX
        assert len(await keys.values(Handle("88.300.67/管理员"))) == 1
        await asyncio.gather(*waiting, return_exceptions=True)


async def test_what_is_remembered_is_bounded_in_octets_and_what_is_longer_than_a_key_is_none() -> None:
    large = [HandleValue(index, "HS_PUBKEY", bytes(16_000)) for index in range(1, 15)]

    async def show(conversation: Conversation) -> None:
        conversation.say(found(await conversation.listen(), *large, HandleValue(300, "HS_PUBKEY", bytes(20_000))))

    async with scripted_server(show) as (address, conversations):
        keys = AskedKeys([address], lambda _: None)
        fitting = REMEMBERED_OCTETS_MAX // (len(large) * 16_500) + 1
        for number in (*range(fitting + 5), 0, fitting + 4):
            assert len(await keys.values(Handle(f"88.999.1/{number}"))) == len(large)
        assert len(conversations) == fitting + 6, "the first was forgotten, the last was not"
