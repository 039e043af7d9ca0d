"""Handles computed by templates, as tables: a namespace, the values of the base, a name, what it comes to."""

from __future__ import annotations

import time

import pytest

from handle_protocol.handle import Handle, Prefix
from handle_protocol.value import HandleValue, ValueReference
from resolver.templates import (
    COMPUTED_VALUES_MAX,
    REFERENCES_MAX,
    TEMPLATE_STEPS_MAX,
    Values,
    compute,
)
from tests.builders import text_value
from tests.unit.handle_protocol.conftest import read_vectors

PREFIX = Prefix("88.118.8")
BASE = "88.118.8/泵"
URL = text_value(1, "URL", "https://example.cn/泵")
EMAIL = text_value(2, "EMAIL", "ops@example.cn")

SOON_SECONDS = 0.5
"""Of processor time. As a rule it takes a tenth of that; without a bound on steps it would take hours."""


def computed(
    records: dict[str, Values], spelling: str, *, ignores_case: bool = False, asked: list[str] | None = None
) -> Values | None:
    """Compute one handle with these public records."""
    computation = compute(Handle(spelling), PREFIX, ignores_case=ignores_case)
    try:
        wanted = next(computation)
        while True:
            if asked is not None:
                asked.append(wanted.spelling)
            wanted = computation.send(records.get(wanted.spelling))
    except StopIteration as end:
        return end.value


def namespace(template: str, index: int = 5, delimiter: str = "@") -> HandleValue:
    xml = f'<namespace><template delimiter="{delimiter}">{template}</template></namespace>'
    return text_value(index, "HS_NAMESPACE", xml)


def of_template(template: str, extension: str, *base: HandleValue, **fields: object) -> Values | None:
    records = {"0.NA/88.118.8": (namespace(template),), BASE: base}
    return computed(records, f"{BASE}@{extension}", **fields)


MANUAL = """
 <foreach>
  <if value="type" test="equals" expression="URL">
   <if value="extension" test="matches" expression="box\\(([^,]*),([^,]*),([^,]*),([^,]*)\\)" parameter="x">
    <value data="${data}?wh=${x[4]}&amp;ww=${x[3]}&amp;wy=${x[2]}&amp;wx=${x[1]}" />
   </if>
   <else><value data="${data}?${x}" /></else>
  </if>
  <else><value /></else>
 </foreach>"""


def urls(*texts: str) -> Values:
    return tuple(text_value(index, "URL", text) for index, text in enumerate(texts, 1))


def make(data: str) -> str:
    return f'<value type="URL" data="{data}"/>'


COMPUTED = {
    "the manual's example": (
        MANUAL,
        "box(10,20,30,40)",
        (text_value(1, "URL", "https://example.cn/泵?wh=40&ww=30&wy=20&wx=10"), EMAIL),
    ),
    "its other case": (MANUAL, "圆", (text_value(1, "URL", "https://example.cn/泵?圆"), EMAIL)),
    "all variables": (
        make("${handle} ${base} ${extension}"),
        "压力",
        urls("88.118.8/泵@压力 88.118.8/泵 压力"),
    ),
    "variables of a value": ("<foreach><value data='${index} ${type} ${data}'/></foreach>", "x", (
        text_value(1, "URL", "1 URL https://example.cn/泵"), text_value(2, "EMAIL", "2 EMAIL ops@example.cn"))),
    "extension with the delimiter": (make("${extension}"), "a@b", urls("a@b")),
    "empty extension": (make("[${extension}]"), "", urls("[]")),
    "escapes": (make(r"\${base} \\ $ $x [${unknown}] \中 ${"), "x", urls(r"${base} \ $ $x [] 中 ${")),
    "escape at the end": (make("a\\"), "x", urls("a\\")),
    "number without a match": (make("[$0][$1]"), "x", urls("[x][]")),
    "number with a match": (
        f'<if test="matches" expression="(.)(.)">{make("$2$1 $0 $3 ${2} ${extension[1]}")}</if>', "甲乙",
        urls("乙甲 甲乙  乙 甲")),
    "huge numbers": (make("[$99999999999999999999][${extension[99999999999999999999]}]"), "x", urls("[][]")),
    "own index": ('<value index="7" type="URL" data="x"/>', "x", (text_value(7, "URL", "x"),)),
    "taken index": ('<value index="7" type="URL" data="x"/><value index="7" type="URL" data="y"/>', "x", (
        text_value(7, "URL", "x"), text_value(8, "URL", "y"))),
    "index that is none": ('<value index="-1" type="URL" data="x"/>', "x", urls("x")),
    "last index, taken": ('<value index="4294967295" type="URL" data="x"/>' * 2, "x", (
        text_value(1, "URL", "x"), text_value(2**32 - 1, "URL", "x"))),
    "value without a type": ('<value data="x"/>', "x", ()),
    "value without data": ('<value type="URL"/>', "x", ()),
    "text as data": ('<value type="URL"> ${extension} </value>', "x", urls("x")),
    "XML as data": ('<value type="10320/loc"><locations><location href="https://a.cn/${extension}"/></locations></value>',
                    "x", (text_value(1, "10320/loc",
                                     '<locations><location href="https://a.cn/x"></location></locations>'),)),
    "equals by default": (f'<if expression="甲">{make("a")}</if><else>{make("b")}</else>', "甲", urls("a")),
    "else": (f'<if expression="甲">{make("a")}</if><else>{make("b")}</else>', "乙", urls("b")),
    "negated": (f'<if expression="甲" negate="true">{make("a")}</if><else>{make("b")}</else>', "乙", urls("a")),
    "without a question": (f'<if>{make("a")}</if><else>{make("b")}</else>', "x", urls("a")),
    "else without if": (f'<else>{make("b")}</else>', "x", ()),
    "test without an expression": (f'<if test="equals">{make("a")}</if><else>{make("b")}</else>', "x", ()),
    "unknown test": (f'<if test="like" expression="x">{make("a")}</if>', "x", ()),
    "subject is a group": (
        f'<if test="matches" expression="(.)-(.)" parameter="p"><if value="p[2]" expression="b">{make("甲")}</if></if>',
        "a-b", urls("甲")),
    "whole text must match": (f'<if test="matches" expression="甲">{make("a")}</if>', "甲乙", ()),
    "case matters": (f'<if test="matches" expression="[a-c]+">{make("a")}</if>', "ABC", ()),
    "definition": (
        '<def parameter="d"><value type="x" data="[${extension}]"/></def>' + make("${d}${d}"), "x", urls("[x][x]")),
    "definition without a value": ('<def parameter="d"/><def/>' + make("<${d}>".replace("<", "&lt;")), "x", urls("<>")),
    "loop in a loop": ("<foreach><foreach><value/></foreach></foreach>", "x", ()),
    "not found": ('<if expression="x"><notfound/></if>' + make("a"), "x", None),
    "found all the same": ('<if expression="x"><notfound/></if>' + make("a"), "y", urls("a")),
    "not found in a loop": ("<foreach><notfound/></foreach>", "x", None),
    "not found in a definition": ('<def parameter="d"><notfound/></def>', "x", None),
    "unknown elements": ("<value2/><script/>", "x", ()),
    "pattern outside the language": (f'<if test="matches" expression="(?=a)">{make("a")}</if>', "a", None),
}  # fmt: skip


@pytest.mark.parametrize(("template", "extension", "values"), COMPUTED.values(), ids=COMPUTED)
def test_a_template_computes_values(template: str, extension: str, values: Values | None) -> None:
    assert of_template(template, extension, URL, EMAIL) == values


def test_case_is_ignored_where_the_prefix_does() -> None:
    template = f'<if test="matches" expression="[a-c]+">{make("${extension}")}</if>'
    assert of_template(template, "ABC", ignores_case=True) == urls("ABC")


def test_a_base_that_does_not_exist_has_no_values_but_may_have_a_template() -> None:
    records = {"0.NA/88.118.8": (namespace("<foreach><value/></foreach>" + make("${base}")),)}
    assert computed(records, f"{BASE}@x") == urls(BASE)


def test_the_vector_with_a_template_is_computed() -> None:
    vector = next(v for v in read_vectors("04", "value_hex") if v["name"] == "value: HS_NAMESPACE with template")
    source = text_value(5, "HS_NAMESPACE", vector["decoded"]["data_text"])
    records = {"0.NA/88.118.8": (source,), BASE: (URL, EMAIL)}
    assert computed(records, f"{BASE}@压力") == (text_value(1, "URL", "https://example.cn/泵?p=压力"),)


NO_TEMPLATE = {
    "no record": (),
    "no namespace": (text_value(1, "DESC", "示例"),),
    "no template": (text_value(1, "HS_NAMESPACE", "<namespace/>"),),
    "no delimiter": (text_value(1, "HS_NAMESPACE", "<namespace><template/></namespace>"),),
    "another delimiter": (namespace(make("x"), delimiter="#"),),
    "no XML": (text_value(1, "HS_NAMESPACE", "<namespace>"),),
    "another element": (text_value(1, "HS_NAMESPACE", "<other/>"),),
}


@pytest.mark.parametrize("values", NO_TEMPLATE.values(), ids=NO_TEMPLATE)
def test_without_a_template_only_the_record_of_the_prefix_is_looked_at(values: Values) -> None:
    asked: list[str] = []
    assert computed({"0.NA/88.118.8": values, BASE: (URL,)}, f"{BASE}@x", asked=asked) is None
    assert asked == ["0.NA/88.118.8"]


@pytest.mark.parametrize("spelling", ["0.NA/88.118.8@x", "88.118.8@x"])
def test_no_prefix_is_computed(spelling: str) -> None:
    asked: list[str] = []
    assert computed({}, spelling, asked=asked) is None
    assert asked == []


def test_the_readable_namespace_with_the_lowest_index_counts() -> None:
    broken = text_value(1, "HS_NAMESPACE", "<")
    records = {"0.NA/88.118.8": (namespace(make("b"), 9), namespace(make("a"), 4), broken)}
    assert computed(records, f"{BASE}@x") == urls("a")


def test_a_template_of_the_base_goes_before_that_of_the_prefix() -> None:
    records = {"0.NA/88.118.8": (namespace(make("prefix")),), BASE: (namespace(make("base")),)}
    assert computed(records, f"{BASE}@x") == urls("base")
    records[BASE] = (text_value(1, "HS_NAMESPACE", "<namespace><status>active</status></namespace>"),)
    assert computed(records, f"{BASE}@x") == urls("prefix")


def test_a_delimiter_may_be_a_slash_and_longer_than_one_character() -> None:
    records = {"0.NA/88.118.8": (namespace(make("${base}|${extension}"), delimiter="/版本/"),)}
    assert computed(records, "88.118.8/泵/版本/3") == urls("88.118.8/泵|3")


def test_a_copied_value_keeps_what_the_template_does_not_say() -> None:
    linked = text_value(3, "URL", "x", references=(ValueReference(1, "88.118.8/甲"),), modified_at=1_700_000_000)
    assert of_template('<foreach><value type="${type}.CN"/></foreach>', "x", linked) == (
        text_value(3, "URL.CN", "x", references=(ValueReference(1, "88.118.8/甲"),), modified_at=1_700_000_000),
    )


CITED = '<namespace><template delimiter="@" ref="{}"/></namespace>'
REFERENCES = {
    "a template": ("7:88.118.8/模板", f"<template>{make('${extension}')}</template>", urls("x")),
    "a namespace": ("7:88.118.8/模板", f"<namespace><template>{make('a')}</template></namespace>", urls("a")),
    "two templates": ("7:88.118.8/模板", f"<n><template>{make('a')}</template><template>{make('b')}</template></n>",
                      urls("a", "b")),
    "itself": ("7:88.118.8/模板", '<template ref="7:88.118.8/模板"/>', None),
    "no template": ("7:88.118.8/模板", "<other/>", None),
    "no XML": ("7:88.118.8/模板", "<", None),
    "another index": ("8:88.118.8/模板", "<template/>", None),
    "no such handle": ("7:88.118.8/没有", "<template/>", None),
    "no index": ("88.118.8/模板", "<template/>", None),
    "no handle": ("7:", "<template/>", None),
}  # fmt: skip


@pytest.mark.parametrize(("reference", "cited", "values"), REFERENCES.values(), ids=REFERENCES)
def test_a_template_may_be_written_elsewhere(reference: str, cited: str, values: Values | None) -> None:
    asked: list[str] = []
    records = {
        "0.NA/88.118.8": (text_value(1, "HS_NAMESPACE", CITED.format(reference)),),
        "88.118.8/模板": (text_value(7, "XML", cited),),
    }
    assert computed(records, f"{BASE}@x", asked=asked) == values
    assert len(asked) <= 2 + REFERENCES_MAX


def define(times: int) -> str:
    doubling = '<def parameter="extension"><value type="x" data="${extension}${extension}"/></def>'
    return doubling * times + make("${extension}")


COSTLY = {
    "values": make("x") * (COMPUTED_VALUES_MAX + 1),
    "steps": "<foreach>" + "<if/>" * 400 + "</foreach>",
    "octets": define(20),
    "octets of the base": "<foreach>" + "<value data='${data}${data}${data}${data}'/>" * 100 + "</foreach>",
    "copies of the base": "<foreach>" + "<value/>" * 100 + "</foreach>",
    "patterns": "<foreach>" + '<if value="data" test="matches" expression="(.*)(.*)(.*)(.*)b"/>' * 100 + "</foreach>",
    "one pattern": '<foreach><if value="data" test="matches" expression="(.*)*(.*)*b"/></foreach>',
    "open braces": make("${" * 30_000),
    "large XML": "<foreach><value><a b='" + "x" * 30_000 + "'/></value></foreach>",
}  # fmt: skip


@pytest.mark.parametrize("template", COSTLY.values(), ids=COSTLY)
def test_what_costs_too_much_is_not_found_and_soon(template: str) -> None:
    base = [text_value(index, "URL", "甲" * 5_000) for index in range(1, 5)]
    computed({"0.NA/88.118.8": (namespace(template),)}, "88.118.8/x")  # The XML itself is read once for many answers.
    started = time.thread_time()
    values = of_template(template, "x", *base)
    assert time.thread_time() - started < SOON_SECONDS
    assert values is None or template == COSTLY["open braces"]


def test_an_ordinary_template_stays_far_below_its_bounds() -> None:
    base = [text_value(index, "型号", f"GB/T {index}") for index in range(1, 101)]
    values = of_template(MANUAL, "x", *base)
    assert values is not None
    assert len(values) == 100
    assert TEMPLATE_STEPS_MAX >= 2 * 100 * 3
