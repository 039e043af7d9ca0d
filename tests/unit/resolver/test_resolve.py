"""Resolution as stories: a register, a question, the answer."""

from __future__ import annotations

import asyncio

import pytest

from handle_protocol.handle import Handle, Prefix
from handle_protocol.predefined.site import Site, encode_site
from handle_protocol.record import HandleRecord
from handle_protocol.value import HandleValue, Permissions, Ttl
from resolver.answer import (
    Busy,
    Found,
    NotFound,
    NotResponsible,
    PermissionNeeded,
    Referred,
    Suspended,
    ValuesNotFound,
)
from resolver.authority import Authority
from resolver.cache import STALE_SECONDS_MAX, TRUST_SECONDS, CacheLimits, RecordCache
from resolver.query import Query
from resolver.resolve import PROBE_SECONDS, Resolver
from tests.builders import OWN_SITE, text_value
from tests.fakes.memory_register import MemoryPrefix, MemoryRegister

URL = text_value(1, "URL", "https://example.cn/轴承")
NAME = text_value(2, "名称", "深沟球轴承")
ADMIN_ONLY = text_value(301, "HS_SECKEY", "s3cret", permissions=Permissions.ADMIN_READ | Permissions.ADMIN_WRITE)
THEIR_SITE = Site((), serial=7)


class Clock:
    """A clock that stands until it is set."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class World:
    """A resolver over a register in memory, told of every prefix and trusted for a minute."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.register = MemoryRegister()
        self.register.add_prefix("88.118.8")
        self.register.add_prefix("88.118.9", is_suspended=True)
        self.register.add_prefix("88.118.16", folds_suffix=True)
        self.register.add_prefix("88.200", delegated_to=THEIR_SITE)
        self.register.put("88.118.8/JXDY2106023", URL, NAME)
        self.register.put("88.118.8/保密", URL, ADMIN_ONLY)
        self.register.put("88.118.8/只有秘密", ADMIN_ONLY)
        self.register.put("88.118.8/空")
        self.register.put("88.118.9/X", URL)
        self.register.put("88.118.16/VALVE-阀", URL, folds_suffix=True)
        self.resolver = Resolver(
            self.register,
            RecordCache(CacheLimits()),
            OWN_SITE,
            clock=self.clock,
            unix_clock=lambda: 1_700_000_000.0,
        )
        self.learn_prefixes()

    def learn_prefixes(self) -> None:
        self.resolver.authority = Authority(self.register.prefixes.values())
        self.resolver.cache.trust(self.clock.now)

    async def ask(self, spelling: str, **fields: object) -> object:
        return await self.resolver.resolve(Query(Handle.parse(spelling), **fields))


@pytest.fixture
def world() -> World:
    return World()


def shown(answer: object) -> object:
    """Return an answer with the values of a found record spelled out."""
    if not isinstance(answer, Found):
        return answer
    return "found", answer.record.handle.spelling, answer.record.values


STORIES = [
    ("88.118.8/JXDY2106023", {}, ("found", "88.118.8/JXDY2106023", (URL, NAME))),
    ("88.118.8/JXDY2106023", {"indexes": (2,)}, ("found", "88.118.8/JXDY2106023", (NAME,))),
    ("88.118.8/JXDY2106023", {"types": ("url",)}, ("found", "88.118.8/JXDY2106023", (URL,))),
    ("88.118.8/JXDY2106023", {"types": ("名称",), "indexes": (1,)}, ("found", "88.118.8/JXDY2106023", (URL, NAME))),
    ("88.118.8/JXDY2106023", {"types": ("EMAIL",)}, ValuesNotFound(Handle("88.118.8/JXDY2106023"))),
    ("88.118.8/jxdy2106023", {}, NotFound(Handle("88.118.8/jxdy2106023"))),
    ("88.118.8/保密", {}, ("found", "88.118.8/保密", (URL,))),
    ("88.118.8/保密", {"is_public_only": False}, PermissionNeeded(Handle("88.118.8/保密"))),
    ("88.118.8/保密", {"is_public_only": False, "indexes": (1,)}, ("found", "88.118.8/保密", (URL,))),
    ("88.118.8/保密", {"indexes": (301,)}, ValuesNotFound(Handle("88.118.8/保密"))),
    ("88.118.8/只有秘密", {}, ValuesNotFound(Handle("88.118.8/只有秘密"))),
    ("88.118.8/空", {}, ValuesNotFound(Handle("88.118.8/空"))),
    ("88.118.8/没有", {}, NotFound(Handle("88.118.8/没有"))),
    ("88.118.8.1/下级", {}, NotFound(Handle("88.118.8.1/下级"))),
    ("88.118.9/X", {}, Suspended(Handle("88.118.9/X"), Prefix("88.118.9"))),
    ("0.NA/88.118.9", {}, Suspended(Handle("0.NA/88.118.9"), Prefix("88.118.9"))),
    ("88.118.16/valve-阀", {}, ("found", "88.118.16/valve-阀", (URL,))),
    ("88.118/X", {}, NotResponsible(Handle("88.118/X"))),
    ("88.118.80/X", {}, NotResponsible(Handle("88.118.80/X"))),
    ("10.1000/X", {}, NotResponsible(Handle("10.1000/X"))),
    ("0.NA/10.1000", {}, NotResponsible(Handle("0.NA/10.1000"))),
    ("0.TYPE/URL", {}, NotResponsible(Handle("0.TYPE/URL"))),
    ("88.200/X", {}, Referred(Handle("88.200/X"), THEIR_SITE)),
    ("88.200.1/X", {}, Referred(Handle("88.200.1/X"), THEIR_SITE)),
    ("88.200/X", {"may_refer": False}, NotResponsible(Handle("88.200/X"))),
    ("0.NA/88.200.1", {}, Referred(Handle("0.NA/88.200.1"), THEIR_SITE, is_prefix_query=True)),
    ("0.NA/88.118.8.1", {}, NotFound(Handle("0.NA/88.118.8.1"))),
]


@pytest.mark.parametrize("is_authoritative", [False, True])
@pytest.mark.parametrize(("spelling", "fields", "expected"), STORIES)
async def test_a_question_gets_its_answer_twice_alike(spelling, fields, expected, is_authoritative, world) -> None:
    for _ in range(2):  # The second time from memory, unless the register itself is wanted.
        assert shown(await world.ask(spelling, is_authoritative=is_authoritative, **fields)) == expected


@pytest.mark.parametrize(
    ("spelling", "site"),
    [
        ("0.NA/88.118.8", OWN_SITE),
        ("0.na/88.118.8", OWN_SITE),
        ("88.118.8", OWN_SITE),
        ("0.NA/88.200", THEIR_SITE),
        ("88.200", THEIR_SITE),
    ],
)
async def test_a_prefix_answers_with_the_site_of_its_handles(spelling, site, world) -> None:
    own = HandleValue(1, "HS_SITE", encode_site(site), modified_at=1_700_000_000)
    assert shown(await world.ask(spelling)) == ("found", spelling, (own,))
    assert shown(await world.ask(spelling, types=("HS_SITE",))) == ("found", spelling, (own,))


async def test_a_prefix_record_keeps_its_values_beside_the_site(world) -> None:
    world.register.put("0.NA/88.118.8", text_value(1, "DESC", "示例轴承"))
    site = HandleValue(2, "HS_SITE", encode_site(OWN_SITE), modified_at=1_700_000_000)
    assert shown(await world.ask("88.118.8")) == ("found", "88.118.8", (text_value(1, "DESC", "示例轴承"), site))


async def test_a_prefix_record_that_names_its_site_is_left_alone(world) -> None:
    given = text_value(3, "HS_SERV", "0.SERV/88.118")
    world.register.put("0.NA/88.118.8", given)
    assert shown(await world.ask("0.NA/88.118.8")) == ("found", "0.NA/88.118.8", (given,))


async def test_nothing_is_said_before_the_prefixes_are_known(world) -> None:
    world.resolver.authority = Authority()
    assert await world.ask("88.118.8/JXDY2106023") == Busy(Handle("88.118.8/JXDY2106023"))


async def test_many_askers_share_one_flight(world) -> None:
    answers = await asyncio.gather(*(world.ask("88.118.8/JXDY2106023") for _ in range(500)))
    assert {answer.record.revision for answer in answers} == {1}
    assert world.register.batches == [(b"88.118.8/JXDY2106023",)]


async def test_what_arrives_during_a_flight_forms_the_next_batch(world) -> None:
    world.register.is_open.clear()
    asking = [asyncio.create_task(world.ask(f"88.118.8/{number}")) for number in range(3)]
    await asyncio.sleep(0.01)
    asking += [asyncio.create_task(world.ask(f"88.118.8/{number}")) for number in range(100, 700)]
    await asyncio.sleep(0.01)
    world.register.is_open.set()
    await asyncio.gather(*asking)
    assert len(world.register.batches) < 8
    assert {key for batch in world.register.batches for key in batch} == {
        b"0.NA/88.118.8",  # It might have a template.
        *(f"88.118.8/{number}".encode() for number in (*range(3), *range(100, 700))),
    }


@pytest.mark.parametrize("outage", [ConnectionError("gone"), TimeoutError("slow")])
async def test_an_outage_is_busy_never_not_found(outage, world) -> None:
    world.register.outage = outage
    assert await world.ask("88.118.8/没有") == Busy(Handle("88.118.8/没有"))
    world.register.outage = None
    world.clock.now += PROBE_SECONDS
    assert await world.ask("88.118.8/没有") == NotFound(Handle("88.118.8/没有"))


async def test_what_is_remembered_is_still_shown_during_an_outage_and_says_so(world) -> None:
    await world.ask("88.118.8/JXDY2106023")
    world.register.outage = ConnectionError("gone")
    fresh = await world.ask("88.118.8/JXDY2106023")
    world.clock.now += TRUST_SECONDS + 1
    stale = await world.ask("88.118.8/JXDY2106023")
    world.clock.now += 2 * STALE_SECONDS_MAX
    late = await world.ask("88.118.8/JXDY2106023")
    assert (fresh.is_authoritative, stale.is_authoritative, late) == (
        True,
        False,
        Busy(Handle("88.118.8/JXDY2106023")),
    )


async def test_an_absence_is_not_remembered_past_the_word_of_the_feed(world) -> None:
    await world.ask("88.118.8/新")
    world.register.put("88.118.8/新", URL)
    world.clock.now += 29
    assert await world.ask("88.118.8/新") == NotFound(Handle("88.118.8/新"))
    world.resolver.forget((b"88.118.8/\xe6\x96\xb0",))
    assert shown(await world.ask("88.118.8/新")) == ("found", "88.118.8/新", (URL,))


async def test_a_change_during_a_flight_is_neither_remembered_nor_shared(world) -> None:
    world.register.is_open.clear()
    early = asyncio.create_task(world.ask("88.118.8/JXDY2106023"))
    await asyncio.sleep(0.01)
    world.register.put("88.118.8/JXDY2106023", NAME)
    world.resolver.forget((b"88.118.8/JXDY2106023",))
    late = asyncio.create_task(world.ask("88.118.8/JXDY2106023"))
    await asyncio.sleep(0.01)
    world.register.is_open.set()
    assert shown(await early) == ("found", "88.118.8/JXDY2106023", (URL, NAME))
    assert shown(await late) == ("found", "88.118.8/JXDY2106023", (NAME,))
    assert shown(await world.ask("88.118.8/JXDY2106023")) == ("found", "88.118.8/JXDY2106023", (NAME,))


async def test_an_asker_that_gives_up_does_not_disturb_the_others(world) -> None:
    world.register.is_open.clear()
    impatient = asyncio.create_task(world.ask("88.118.8/JXDY2106023"))
    patient = asyncio.create_task(world.ask("88.118.8/JXDY2106023"))
    await asyncio.sleep(0.01)
    impatient.cancel()
    await asyncio.sleep(0.01)
    world.register.is_open.set()
    assert shown(await patient) == ("found", "88.118.8/JXDY2106023", (URL, NAME))


async def test_a_time_to_live_of_nothing_is_never_remembered(world) -> None:
    world.register.put("88.118.8/瞬间", text_value(1, "URL", "x", ttl=Ttl(0)))
    for _ in range(3):
        await world.ask("88.118.8/瞬间")
    assert len(world.register.batches) == 3


async def test_a_suspension_takes_effect_on_what_is_remembered(world) -> None:
    await world.ask("88.118.8/JXDY2106023")
    world.register.prefixes["88.118.8"] = MemoryPrefix(Prefix("88.118.8"), is_suspended=True)
    world.learn_prefixes()
    assert isinstance(await world.ask("88.118.8/JXDY2106023"), Suspended)
    assert b"88.118.8" not in world.resolver.authority.plain_prefixes


STORED = [
    ("88.118.8/保密", Found(HandleRecord.of(Handle("88.118.8/保密"), (URL, ADMIN_ONLY), 1))),
    ("88.118.8/空", Found(HandleRecord.of(Handle("88.118.8/空"), (), 1))),
    ("88.118.16/valve-阀", Found(HandleRecord.of(Handle("88.118.16/VALVE-阀"), (URL,), 1))),
    ("88.118.8/没有", NotFound(Handle("88.118.8/没有"))),
    ("0.NA/88.118.8", NotFound(Handle("0.NA/88.118.8"))),
    ("0.NA/88.118.8.1", NotFound(Handle("0.NA/88.118.8.1"))),
    ("0.NA/88.200", NotFound(Handle("0.NA/88.200"))),
    ("88.118.9/X", Suspended(Handle("88.118.9/X"), Prefix("88.118.9"))),
    ("88.200/X", Referred(Handle("88.200/X"), THEIR_SITE)),
    ("10.1000/X", NotResponsible(Handle("10.1000/X"))),
]


@pytest.mark.parametrize(("spelling", "expected"), STORED)
async def test_who_decides_upon_a_change_sees_the_record_as_it_is_stored(spelling, expected, world) -> None:
    assert await world.resolver.stored(Handle(spelling)) == expected


async def test_who_decides_upon_a_change_never_sees_a_remembered_record(world) -> None:
    await world.ask("88.118.8/保密")
    changed = world.register.put("88.118.8/保密", NAME)  # The feed has not told yet.
    assert await world.resolver.stored(Handle("88.118.8/保密")) == Found(changed)
    world.register.outage = ConnectionError()
    for _ in range(2):  # The second time the register is left alone.
        assert await world.resolver.stored(Handle("88.118.8/保密")) == Busy(Handle("88.118.8/保密"))


async def test_nothing_is_stored_for_sure_before_the_prefixes_are_known(world) -> None:
    world.resolver.authority = Authority()
    assert await world.resolver.stored(Handle("88.118.8/保密")) == Busy(Handle("88.118.8/保密"))


async def test_the_record_of_a_derived_prefix_is_found_before_the_prefix_itself_is_homed(world) -> None:
    site = HandleValue(2, "HS_SITE", encode_site(OWN_SITE), modified_at=1_700_000_000)
    record = world.register.put("0.NA/88.118.8.1", text_value(1, "DESC", "分厂"))
    expected = ("found", "0.NA/88.118.8.1", (text_value(1, "DESC", "分厂"), site))
    assert shown(await world.ask("0.NA/88.118.8.1")) == expected
    assert world.resolver.with_site(record.handle, record).values == expected[2]
    assert world.resolver.with_site(record.handle, None) is None
