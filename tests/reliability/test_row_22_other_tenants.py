"""Row 22: one enterprise tries 23 ways to change, list or read what is another's, through every door, and fifteen whose
names look like the other's try, too: all are refused, and the victim's rows stay as they are, octet for octet."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from urllib.parse import quote

import pytest
import pytest_asyncio

from handle_protocol.bodies.administration import HandleRequest
from handle_protocol.codes import OpCode, ResponseCode
from handle_protocol.flags import OpFlag
from handle_protocol.handle import Handle, Prefix
from handle_protocol.json_form import value_to_json
from handle_protocol.message import OP_FLAGS_USUAL
from handle_protocol.record import ChangeResult, RecordChange, encode_value_list
from handle_protocol.security.private_keys import make_key
from handle_protocol.security.public_keys import KeyKind
from handle_protocol.value import HandleValue
from registry.changing import RecordWriter
from registry.database import Database
from registry.records import RecordReader
from tests.builders import text_value
from tests.conformance.rest_speaking import WebQuestion
from tests.reliability.claimant import (
    Wish,
    addition,
    answer_to_challenge,
    challenge_for,
    creation,
    deletion,
    exchange,
    listing,
    modification,
    reading,
    removal,
    stream,
)
from tests.reliability.conftest import place, wait_until_known
from tests.reliability.doors import DOORS, over_rest, over_tcp
from tests.reliability.enterprises import CONFIDENTIAL, SECRET_INDEX, Enterprise, admin_value
from tests.reliability.scale import IS_LONG
from tests.reliability.web_client import ask_web
from tests.started_node import LOOPBACK, StartedNode

VICTIM, ATTACKER = "88.111.1", "88.111.10"
KEY = make_key(KeyKind.RSA)
"""Every enterprise here signs with the same key: that two have one gives neither the other's rights."""

OVERWRITING = OP_FLAGS_USUAL | OpFlag.OVERWRITE
MINTING = OP_FLAGS_USUAL | OpFlag.MINT_SUFFIX
REFUSED, NOT_THERE = ResponseCode.INVALID_ADMIN, ResponseCode.HANDLE_NOT_FOUND
IS_THERE = {f"{VICTIM}/水泵", f"0.NA/{VICTIM}"}

LOOK_ALIKES = {
    "a digit more": ATTACKER,
    "a digit twice": "88.111.11",
    "the parent": "88.111",
    "derived": "88.111.1.1",
    "a leading zero": "88.111.01",
    "another leading zero": "088.111.1",
    "a full-width digit": "88.111.１",
    "an Arabic digit": "88.111.١",
    "a letter for a digit": "88.111.l",
    "a full-width dot": "88.111．1",
    "a full-width slash": "88.111.1／水泵",
    "NUL": "88.111.1\0",
    "an escaped slash": "88.111.1%2F",
    "a space of no width": "88.111.1\u200b",
    "an inner space": "88.111. 1",
}

SPELLINGS = {
    "as registered": "88.111.1/水泵",
    "a slash more": "88.111.1//水泵",
    "NUL behind": "88.111.1/水泵\0",
    "a dot behind the prefix": "88.111.1./水泵",
    "the prefix handle": "0.NA/88.111.1",
    "the prefix handle in small letters": "0.na/88.111.1",
    "the prefix handle without its prefix": "88.111.1",
    "the prefix handle with a slash behind": "0.NA/88.111.1/",
}
"""How the victim's own names can be spelled: they are the victim's under every spelling."""


@dataclass(frozen=True)
class Tenants:
    """Who is attacked, and who attacks."""

    victim: Enterprise
    attackers: dict[str, Enterprise]

    @property
    def attacker(self) -> Enterprise:
        return self.attackers["a digit more"]


@pytest_asyncio.fixture(scope="module")
async def tenants(node: StartedNode) -> Tenants:
    victim = Enterprise.of(VICTIM, KEY)
    attackers = {name: Enterprise.of(prefix, KEY) for name, prefix in LOOK_ALIKES.items()}
    async with Database.open(node.database_url) as database:
        for each in (victim, *attackers.values()):
            await place(database, each)
    await wait_until_known(node, victim, *attackers.values())
    return Tenants(victim, attackers)


Row = tuple[object, ...]


async def rows_of_victim(register: Database) -> list[Row]:
    """Return what the register holds of the victim: its prefix, records and what is remembered of their changes."""
    return [
        (table, *row)
        for table in ("prefix", "record", "history")
        for row in await register.fetch(f"select * from {table} order by key")  # noqa: S608 - words of our own
        if owner_of(row["key"].decode()) == VICTIM
    ]


def owner_of(key: str) -> str | None:
    """Return the enterprise of this test that a prefix or a handle belongs to: the one with the longest prefix."""
    handle = Handle(key)
    lineage = (handle.described_prefix or handle.prefix).lineage()
    return next((prefix.name for prefix in lineage if prefix.name in {VICTIM, *LOOK_ALIKES.values()}), None)


def attacks(victim: Enterprise, attacker: Enterprise) -> dict[str, Wish]:
    """Return what an attacker wants from a victim, 23 things."""
    product, described = victim.handle("水泵"), victim.prefix.handle
    url = text_value(1, "URL", "https://attacker.example.cn/")
    mine = admin_value(100, attacker.secret.identity)
    key = HandleValue(SECRET_INDEX, "HS_SECKEY", attacker.secret.secret, permissions=CONFIDENTIAL)
    return {
        "make a record": creation(victim.handle("新品"), url, mine),
        "make a record of any name": creation(victim.handle(""), url, mine, op_flags=MINTING),
        "make a derived prefix": creation(Prefix(f"{victim.prefix}.7").handle, mine),
        "replace a record": creation(product, url, mine, op_flags=OVERWRITING),
        "replace the prefix record": creation(described, mine, key, op_flags=OVERWRITING),
        "delete a record": deletion(product),
        "delete the prefix record": deletion(described),
        "add a value": addition(product, text_value(7, "备注", "篡改")),
        "add an administrator": addition(product, replace(mine, index=107)),
        "add a key": addition(described, replace(key, index=307)),
        "change a value": modification(product, url),
        "change a confidential value": modification(product, text_value(6, "出厂价", "0", permissions=CONFIDENTIAL)),
        "change an administrator": modification(product, mine),
        "change a key": modification(described, key),
        "remove a value": removal(product, 1),
        "remove administrators": removal(product, 100, 101),
        "remove a key": removal(described, SECRET_INDEX),
        "read a confidential value": reading(product, 6),
        "read a key": reading(described, SECRET_INDEX),
        "list handles": listing(victim.prefix),
        "home the prefix": Wish(OpCode.HOME_PREFIX, HandleRequest(described)),
        "unhome the prefix": Wish(OpCode.UNHOME_PREFIX, HandleRequest(described)),
        "list prefixes": Wish(OpCode.LIST_HOMED_PREFIXES, HandleRequest(Handle("/"))),
    }


@pytest.mark.parametrize("name", DOORS)
async def test_nothing_of_another_is_changed_listed_or_read_through_any_door(
    node: StartedNode, register: Database, tenants: Tenants, name: str
) -> None:
    before = await rows_of_victim(register)
    wishes = attacks(tenants.victim, tenants.attacker)
    codes = {wish: await DOORS[name](node, wishes[wish], tenants.attacker, LOOPBACK) for wish in wishes}
    assert codes == dict.fromkeys(wishes, REFUSED)
    assert len(codes) == 23
    assert await rows_of_victim(register) == before
    assert len(before) == 3


@pytest.mark.parametrize("name", LOOK_ALIKES)
async def test_whose_name_looks_like_anothers_may_do_nothing_more(
    node: StartedNode, register: Database, tenants: Tenants, name: str
) -> None:
    attacker = tenants.attackers[name]
    before = await rows_of_victim(register)
    wishes = attacks(tenants.victim, attacker)
    codes = {wish: await over_tcp(node, wishes[wish], attacker, LOOPBACK) for wish in wishes}
    assert codes == dict.fromkeys(wishes, REFUSED)
    assert await rows_of_victim(register) == before
    assert await over_tcp(node, listing(attacker.prefix), attacker, LOOPBACK) == ResponseCode.SUCCESS
    own = creation(attacker.handle("自有"), *attacker.product_values("自有"))
    assert await over_tcp(node, own, attacker, LOOPBACK) == ResponseCode.SUCCESS
    assert await rows_of_victim(register) == before


@pytest.mark.parametrize("name", LOOK_ALIKES if IS_LONG else ["a full-width slash", "NUL", "an escaped slash"])
async def test_whose_name_looks_like_anothers_may_do_nothing_more_over_rest(
    node: StartedNode, register: Database, tenants: Tenants, name: str
) -> None:
    before = await rows_of_victim(register)
    wishes = attacks(tenants.victim, tenants.attackers[name])
    codes = {wish: await over_rest(node, wishes[wish], tenants.attackers[name], LOOPBACK) for wish in wishes}
    assert codes == dict.fromkeys(wishes, REFUSED)
    assert await rows_of_victim(register) == before


def test_there_are_fifteen_names_that_look_alike() -> None:
    assert len(set(LOOK_ALIKES.values())) == 15


@pytest.mark.parametrize("name", SPELLINGS)
@pytest.mark.parametrize("door", ["over_tcp", "over_udp", "over_rest"])
async def test_another_spelling_opens_nothing(
    node: StartedNode, register: Database, tenants: Tenants, name: str, door: str
) -> None:
    before = await rows_of_victim(register)
    handle, mine = Handle(SPELLINGS[name]), admin_value(100, tenants.attacker.secret.identity)
    wishes = (
        creation(handle, mine, op_flags=OVERWRITING),
        addition(handle, mine),
        modification(handle, mine),
        removal(handle, 100),
        deletion(handle),
        reading(handle, 6, SECRET_INDEX),
    )
    codes = {await DOORS[door](node, wish, tenants.attacker, LOOPBACK) for wish in wishes}
    assert codes == ({REFUSED} if handle.key().decode() in IS_THERE else {REFUSED, NOT_THERE})
    assert await rows_of_victim(register) == before


PATHS = {
    "up": f"{ATTACKER}/../{VICTIM}/水泵",
    "up, escaped": f"{ATTACKER}/%2e%2e/{VICTIM}/水泵",
    "up, and the slash too": f"{ATTACKER}%2F..%2F{VICTIM}%2F水泵",
    "escaped twice": f"{VICTIM}%252F水泵",
    "two slashes before": f"/{VICTIM}/水泵",
    "NUL": f"{VICTIM}%00/水泵",
    "an overlong slash": f"{VICTIM}%C0%AF水泵",
}


@pytest.mark.parametrize("name", PATHS)
async def test_no_path_leads_from_ones_own_prefix_to_another(
    node: StartedNode, register: Database, tenants: Tenants, name: str
) -> None:
    before = await rows_of_victim(register)
    content = json.dumps([value_to_json(text_value(1, "URL", "https://attacker.example.cn/"))]).encode()
    target = "/api/handles/" + quote(PATHS[name], safe="/%.")
    for question in (WebQuestion("PUT", f"{target}?overwrite=true", content), WebQuestion("DELETE", target)):
        reply = await ask_web(node, question, tenants.attacker.secret)
        if reply.status >= 300:
            assert reply.status in {400, 403}
        else:
            assert owner_of(reply.said["handle"]) == ATTACKER
    assert await rows_of_victim(register) == before


async def test_a_right_that_was_withdrawn_between_challenge_and_answer_is_none(
    node: StartedNode, register: Database, tenants: Tenants
) -> None:
    victim, attacker = tenants.victim, tenants.attacker
    shared = victim.handle("合作")
    grant = admin_value(102, attacker.secret.identity)
    assert await over_tcp(node, creation(shared, *victim.product_values("合作"), grant), victim, LOOPBACK) == 1
    wish = modification(shared, text_value(1, "URL", "https://attacker.example.cn/"))
    async with stream(node) as mine:
        challenge = await challenge_for(mine, wish)
        assert await over_tcp(node, removal(shared, 102), victim, LOOPBACK) == ResponseCode.SUCCESS
        before = await rows_of_victim(register)
        answer = answer_to_challenge(challenge, attacker.secret.answer(challenge))
        assert (await exchange(mine, answer)).response_code == REFUSED
    assert await rows_of_victim(register) == before
    assert await over_tcp(node, deletion(shared), victim, LOOPBACK) == ResponseCode.SUCCESS


async def test_the_register_changes_the_key_alone_that_a_change_names_as_it_was_decided_upon(
    node: StartedNode, register: Database, tenants: Tenants
) -> None:
    """The second fence: even a change that somebody decided wrongly touches one record, if nobody changed it since."""
    victim, attacker = tenants.victim, tenants.attacker
    own, foreign = attacker.handle("第二道"), victim.handle("水泵")
    found = await RecordReader(register).fetch([foreign.key()])
    revision = found[foreign.key()].revision
    values = encode_value_list(attacker.product_values("第二道"))
    assert (
        await over_tcp(node, modification(foreign, text_value(1, "URL", "https://example.cn/新")), victim, LOOPBACK)
        == 1
    )
    before = await rows_of_victim(register)
    changes = [RecordChange(own, values, 0, "301:甲")]
    changes += [
        RecordChange(foreign, each, expected, "301:甲") for each in (values, None) for expected in (0, revision)
    ]
    writer = RecordWriter(register)
    results = [(await writer.apply([change]))[0] for change in changes]
    assert results == [(ChangeResult.DONE, 1), *[(ChangeResult.CONFLICT, revision + 1)] * 4]
    assert await writer.apply([RecordChange(own, None, 1, "301:甲")]) == [(ChangeResult.DONE, 2)]
    assert await rows_of_victim(register) == before
