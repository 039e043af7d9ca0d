"""Regular expressions of strangers: what they match, what is refused, and that none of them takes long."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, strategies as st

from resolver.pattern_syntax import (
    PATTERN_CHARACTERS_MAX,
    PATTERN_DEPTH_MAX,
    PATTERN_INSTRUCTIONS_MAX,
    UnusablePattern,
    read_pattern,
)
from resolver.patterns import Allowance, AllowanceSpent, CharacterSet

STEPS = 10_000

SOON_SECONDS = 0.5
"""Of processor time. As a rule it takes a tenth of that; without a bound on steps it would take hours."""


def match(written: str, text: str, *, ignores_case: bool = False, steps: int = STEPS) -> tuple[str, ...] | None:
    return read_pattern(written, ignores_case=ignores_case).match_whole(text, Allowance(steps))


MATCHES = [
    ("", "", ("",)),
    ("abc", "abc", ("abc",)),
    ("abc", "abcd", None),
    ("a|b|c|d", "d", ("d",)),
    ("阀|轴承", "轴承", ("轴承",)),
    ("(a+)(a*)", "aaa", ("aaa", "aaa", "")),
    ("(a+?)(a*)", "aaa", ("aaa", "a", "aa")),
    ("(a??)(a?)", "a", ("a", "", "a")),
    ("(a)|(b)", "b", ("b", "", "b")),
    ("(ab)*", "ababab", ("ababab", "ab")),
    ("(?:ab){2}c", "ababc", ("ababc",)),
    ("a{2,}", "a", None),
    ("a{2,}", "aaaa", ("aaaa",)),
    ("(a{1,2})(a*)", "aaa", ("aaa", "aa", "a")),
    ("a{0,2}", "aaa", None),
    ("(?<型号>x)", "x", "refused"),
    ("(?<model>x)y", "xy", ("xy", "x")),
    (r"box\(([^,]*),([^,]*),([^,]*),([^,]*)\)", "box(10,20,30,40)", ("box(10,20,30,40)", "10", "20", "30", "40")),
    (r"^(urn:.*)$", "urn:nbn:de:101", ("urn:nbn:de:101", "urn:nbn:de:101")),
    (r"[a-z0-9()+,\-.:=@;$_!*'%\\/?#]+", r"urn:nbn-(1)\2?#", (r"urn:nbn-(1)\2?#",)),
    (r"([\d.]+)\s*(\w+)", "12.5 kg", ("12.5 kg", "12.5", "kg")),
    (r"\D\W\S", "阀!阀", ("阀!阀",)),
    (r"[^\d\s]+", "型号", ("型号",)),
    (r"[^\d\s]+", "型 号", None),
    (r"\x41B\t\\", "AB\t\\", ("AB\t\\",)),
    ("\\u578b", "型", ("型",)),
    ("[一-龥]+", "离心泵", ("离心泵",)),
    ("[a-c-]+", "a-b", ("a-b",)),
    ("}]", "}]", ("}]",)),
    (".", "\n", None),
    ("a^b|x$y", "ab", None),
    ("(|a)*", "aa", ("aa", "a")),
    ("(a*)*b", "b", ("b", "")),
]


@pytest.mark.parametrize(("written", "text", "groups"), MATCHES)
def test_a_pattern_matches_the_whole_text_or_nothing(written: str, text: str, groups: object) -> None:
    if groups == "refused":
        with pytest.raises(UnusablePattern):
            read_pattern(written)
    else:
        assert match(written, text) == groups


@pytest.mark.parametrize(
    ("written", "text", "matches"),
    [("valve", "VaLvE", True), ("[p-s]+", "QR", True), ("[^a]", "A", False), ("[P-S]+", "qr", True), ("é", "É", False)],
)
def test_only_ascii_letters_have_a_case_that_can_be_ignored(written: str, text: str, *, matches: bool) -> None:
    assert (match(written, text, ignores_case=True) is not None) == matches


REFUSED = {
    "back reference": r"(a)\1",
    "looking ahead": "a(?=b)",
    "looking behind": "(?<=a)b",
    "flags": "(?i)a",
    "possessive": "a*+",
    "two quantifiers": "a**",
    "nothing to repeat": "*a",
    "brace alone": "{2}",
    "open group": "(a",
    "closed group": "a)",
    "open set": "[a",
    "empty set": "[]",
    "set in a set": "[a[b]]",
    "sets that cross": "[a&&b]",
    "descending set": "[z-a]",
    "range up to a class": r"[a-\d]",
    "descending count": "a{3,2}",
    "end after a backslash": "a\\",
    "property": r"\p{L}",
    "quotation": r"\Qa\E",
    "half a number": r"\x4",
    "too long": "a" * (PATTERN_CHARACTERS_MAX + 1),
    "too deep": "(" * (PATTERN_DEPTH_MAX + 1) + ")" * (PATTERN_DEPTH_MAX + 1),
    "too often": f"a{{{PATTERN_INSTRUCTIONS_MAX + 1}}}",
    "too often, with nothing in it": "(?:){9999}",
    "too often, nested": "(?:(?:(?:a{99}){99}){99}){99}",
}


@pytest.mark.parametrize("written", REFUSED.values(), ids=REFUSED)
def test_what_would_need_backtracking_or_is_too_large_is_refused(written: str) -> None:
    started = time.thread_time()
    with pytest.raises(UnusablePattern):
        read_pattern(written)
    assert time.thread_time() - started < SOON_SECONDS


HOSTILE = ["(a*)*b", "(a|a)*b", "(a+)+b", "(a|aa)+b", "(.*)(.*)(.*)(.*)(.*)b", "((a*)*)*b", "[^b]*.*.*.*b"]


@pytest.mark.parametrize("written", HOSTILE)
def test_no_pattern_takes_long(written: str) -> None:
    started = time.thread_time()
    assert match(written, "a" * 30) is None
    with pytest.raises(AllowanceSpent):
        match(written, "a" * 200_000)
    assert time.thread_time() - started < SOON_SECONDS


PARTS = st.sampled_from(["a", "b", ".", "[ab]", "[^a]", "(a|b)", "(?:ab|a)", "a*", "b+", "(?:a|b)*?", "a{1,3}", "(b?)"])
PATTERNS = st.lists(PARTS, max_size=6).map("".join)


@given(st.lists(PATTERNS, min_size=1, max_size=3).map("|".join), st.text("ab", max_size=8))
def test_patterns_mean_what_they_mean_to_python(written: str, text: str) -> None:
    expected = re.fullmatch(written, text)
    groups = None if expected is None else (expected[0], *(group or "" for group in expected.groups()))
    assert match(written, text) == groups


@given(st.lists(st.tuples(st.integers(0, 0x10FFFF), st.integers(0, 50)), max_size=5), st.characters())
def test_a_set_and_its_inverse_hold_every_character_once(spans: list[tuple[int, int]], character: str) -> None:
    ranges = [(first, min(first + length, 0x10FFFF)) for first, length in spans]
    characters = CharacterSet.of(ranges)
    assert (character in characters) == any(first <= ord(character) <= last for first, last in ranges)
    assert (character in characters.inverted()) != (character in characters)
    assert CharacterSet.of(characters.ranges) == characters
    assert characters.inverted().inverted() == characters
