"""Computed records through the resolver: whom they serve, what they cost the register, what an outage makes of them."""

from __future__ import annotations

import asyncio

import pytest

from handle_protocol.handle import Handle
from handle_protocol.predefined.namespace import decode_namespace
from resolver.answer import Busy, Found, NotFound, NotResponsible, ValuesNotFound
from resolver.resolve import PROBE_SECONDS
from tests.builders import text_value
from tests.unit.resolver.test_resolve import ADMIN_ONLY, THEIR_SITE, URL, World, shown

TEMPLATE = """<namespace><template delimiter="@">
  <if expression="没有"><notfound/></if>
  <if expression="别处"><value type="URL" data="https://example.cn/${base}"/></if>
  <foreach><value data="${data}?p=${extension}"/></foreach>
</template></namespace>"""
PRESSURE = text_value(1, "URL", "https://example.cn/轴承?p=压力")


@pytest.fixture
def world() -> World:
    world = World()
    world.register.put("88.118.8/泵", URL, ADMIN_ONLY)
    world.register.put("0.NA/88.118.8", text_value(1, "HS_NAMESPACE", TEMPLATE))
    return world


def keys(world: World) -> list[str]:
    return [key.decode() for batch in world.register.batches for key in batch]


STORIES = [
    ("88.118.8/泵@压力", {}, ("found", "88.118.8/泵@压力", (PRESSURE,))),
    ("88.118.8/泵@压力", {"types": ("URL",)}, ("found", "88.118.8/泵@压力", (PRESSURE,))),
    ("88.118.8/泵@压力", {"indexes": (2,)}, ValuesNotFound(Handle("88.118.8/泵@压力"))),
    ("88.118.8/泵@压力", {"is_public_only": False}, ("found", "88.118.8/泵@压力", (PRESSURE,))),
    ("88.118.8/泵@没有", {}, NotFound(Handle("88.118.8/泵@没有"))),
    ("88.118.8/没有@压力", {}, ValuesNotFound(Handle("88.118.8/没有@压力"))),
    (
        "88.118.8/没有@别处",
        {},
        ("found", "88.118.8/没有@别处", (text_value(1, "URL", "https://example.cn/88.118.8/没有"),)),
    ),
    ("88.118.8/没有", {}, NotFound(Handle("88.118.8/没有"))),
    ("88.118.16/阀@压力", {}, NotFound(Handle("88.118.16/阀@压力"))),
    ("10.1000/泵@压力", {}, NotResponsible(Handle("10.1000/泵@压力"))),
    ("0.NA/88.118.8.1@压力", {}, NotFound(Handle("0.NA/88.118.8.1@压力"))),
]


@pytest.mark.parametrize("is_authoritative", [False, True])
@pytest.mark.parametrize(("spelling", "fields", "expected"), STORIES)
async def test_a_computed_handle_answers_twice_alike(spelling, fields, expected, is_authoritative, world) -> None:
    for _ in range(2):
        assert shown(await world.ask(spelling, is_authoritative=is_authoritative, **fields)) == expected


async def test_a_record_goes_before_what_a_template_would_compute(world) -> None:
    await world.ask("88.118.8/泵@压力")
    world.register.put("88.118.8/泵@压力", URL)
    world.resolver.forget(("88.118.8/泵@压力".encode(),))
    assert shown(await world.ask("88.118.8/泵@压力")) == ("found", "88.118.8/泵@压力", (URL,))


async def test_unknown_names_cost_the_register_at_most_twice_as_much(world) -> None:
    await asyncio.gather(*(world.ask(f"88.118.8/无{number}@x") for number in range(100)))
    assert len(keys(world)) == 2 * 100 + 1
    await asyncio.gather(*(world.ask(f"88.118.8/泵@{number}") for number in range(100)))
    await asyncio.gather(*(world.ask(f"88.118.8/泵@{number}") for number in range(100)))
    assert len(keys(world)) == 3 * 100 + 2


async def test_names_without_the_delimiter_cost_nothing_more(world) -> None:
    await asyncio.gather(*(world.ask(f"88.118.8/无{number}") for number in range(100)))
    await asyncio.gather(*(world.ask(f"88.118.16/无{number}") for number in range(100)))
    assert len(keys(world)) == 200 + 2


async def test_a_name_that_is_known_to_be_absent_is_not_fetched_again_for_its_base(world) -> None:
    await world.resolver.fetch("88.118.8/泵@压力".encode())
    assert shown(await world.ask("88.118.8/泵@压力")) == ("found", "88.118.8/泵@压力", (PRESSURE,))
    assert keys(world) == ["88.118.8/泵@压力", "0.NA/88.118.8", "88.118.8/泵"]


async def test_a_change_of_the_base_or_of_the_template_shows(world) -> None:
    await world.ask("88.118.8/泵@压力")
    world.register.put("88.118.8/泵", text_value(1, "URL", "新"))
    world.resolver.forget(("88.118.8/泵".encode(),))
    changed = await world.ask("88.118.8/泵@压力")
    world.register.put("0.NA/88.118.8")
    world.resolver.forget((b"0.NA/88.118.8",))
    assert (shown(changed), await world.ask("88.118.8/泵@压力")) == (
        ("found", "88.118.8/泵@压力", (text_value(1, "URL", "新?p=压力"),)),
        NotFound(Handle("88.118.8/泵@压力")),
    )


async def test_an_outage_is_busy_and_never_not_found(world) -> None:
    await world.resolver.fetch("88.118.8/泵@压力".encode())
    world.register.outage = ConnectionError("gone")
    assert await world.ask("88.118.8/泵@压力") == Busy(Handle("88.118.8/泵@压力"))
    world.register.outage = None
    world.clock.now += PROBE_SECONDS
    assert isinstance(await world.ask("88.118.8/泵@压力"), Found)


async def test_what_a_prefix_says_of_its_handles_is_told(world) -> None:
    namespaces = [
        await world.resolver.namespace_of(Handle(spelling))
        for spelling in ("88.118.8/泵", "88.118.8/没有", "88.118.16/阀", "0.NA/88.118.8", "10.1000/X", "88.200/X")
    ]
    assert namespaces == [decode_namespace(TEMPLATE.encode())] * 2 + [None] * 4


async def test_a_prefix_whose_namespace_cannot_be_read_says_nothing(world) -> None:
    world.register.put("0.NA/88.118.16", text_value(1, "HS_NAMESPACE", "<namespace>"))
    assert await world.resolver.namespace_of(Handle("88.118.16/阀")) is None
    world.register.outage = ConnectionError("gone")
    assert await world.resolver.namespace_of(Handle("88.118.8/泵")) is None


@pytest.mark.parametrize(
    ("reference", "fields"),
    [
        ("7:88.118.9/模板", {"is_suspended": True}),
        ("7:88.200/模板", {"delegated_to": THEIR_SITE}),
        ("7:10.1/模板", None),
    ],
)
async def test_templates_are_read_only_where_we_answer(reference, fields, world) -> None:
    prefix, _, _ = reference.removeprefix("7:").partition("/")
    if fields is not None:
        world.register.add_prefix(prefix, **fields)
    world.register.put(
        reference.removeprefix("7:"), text_value(7, "XML", "<template><value type='a' data='b'/></template>")
    )
    xml = f'<namespace><template delimiter="@" ref="{reference}"/></namespace>'
    world.register.put("0.NA/88.118.8", text_value(1, "HS_NAMESPACE", xml))
    assert await world.ask("88.118.8/泵@压力") == NotFound(Handle("88.118.8/泵@压力"))
