"""Handles that no register holds, computed from another one as their prefix describes it (HS_NAMESPACE).

With `<namespace><template delimiter="@">…` in the record of 88.118.8, the missing handle 88.118.8/泵@压力 has the base
88.118.8/泵 and the extension 压力. Source: Handle.Net Technical Manual, "Template Handles", and the reference.

    <value index= type= data=>     adds a value; below <foreach>, what is not given is the base's
    <if value= test="equals|matches" expression= parameter= negate="true">, <else>
    <foreach>                      once for each value of the base
    <def parameter=>               names the data of the first value in it
    <notfound/>                    there is no such handle
    <template ref="index:handle">  is written there

Texts may hold ${handle}, ${base}, ${extension}, below <foreach> ${type}, ${data}, ${index}, what <def> and <if> named,
groups as ${name[1]}, and $1 for those of the extension; a backslash takes the next sign as it is.

A template sees only what everybody may read. Nothing of it has a loop, but it can multiply: steps, octets and values
of one answer are bounded, and what is over is not found.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import chain
from typing import Final

from handle_protocol.errors import ProtocolError
from handle_protocol.handle import Handle, Prefix
from handle_protocol.predefined.markup import Element, read_markup, write_markup
from handle_protocol.value import HandleValue, ValueReference
from resolver.pattern_syntax import UnusablePattern, read_pattern
from resolver.patterns import Allowance, AllowanceSpent
from resolver.template_texts import Meanings, fill_in, look_up

TEMPLATE_STEPS_MAX: Final = 1_000
"""Ours: elements looked at for one answer; a record of a hundred values and a template of eight elements fit."""

PATTERN_STEPS_MAX: Final = 10_000
"""Ours: steps of all pattern matches for one answer: about 10 ms; an ordinary match takes 200."""

COMPUTED_VALUES_MAX: Final = 256
"""Ours: values of a computed record."""

COMPUTED_OCTETS_MAX: Final = 65_536
"""Ours: octets of all texts that are put together for one answer, like those of the template itself."""

REFERENCES_MAX: Final = 3
"""Ours: templates fetched from elsewhere for one answer; the reference stops at 10."""

_INDEXES_END: Final = 2**32
_INDEX_DIGITS_MAX: Final = 10

Values = tuple[HandleValue, ...]
Computation = Generator[Handle, Values | None, Values | None]
"""Yields each handle that it must know; is sent the values of it that everybody may read, or None if there is none.

Returns the values of the computed handle, none of them where the template gives none; None = not found.
"""


def compute(handle: Handle, prefix: Prefix, *, ignores_case: bool) -> Computation:
    """Compute the values of `handle`, which the register does not hold.

    Args:
        handle: as it was asked.
        prefix: the registered one that it belongs to; its record says how.
        ignores_case: patterns are not particular about ASCII case, as handles of this prefix are not.
    """
    if handle.described_prefix is not None:
        return None
    of_prefix = _namespace_among((yield prefix.handle) or ())
    names = None if of_prefix is None else _split(handle, of_prefix)
    if of_prefix is None or names is None:
        return None
    base, extension = names
    base_values = (yield base) or ()
    of_base = _namespace_among(base_values)
    meanings = {"handle": (handle.spelling,), "base": (base.spelling,), "extension": (extension,)}
    composer = _Composer(base_values, ignores_case=ignores_case)
    references = Allowance(REFERENCES_MAX)
    try:
        own = () if of_base is None else (yield from _templates(of_base, references))
        templates = own or (yield from _templates(of_prefix, references))
        return composer.compose_all(templates, _Scope(meanings))
    except (_NotThere, AllowanceSpent, UnusablePattern):
        return None


class _NotThere(Exception):
    """The template says that there is no such handle."""


def _split(handle: Handle, namespace: Element) -> tuple[Handle, str] | None:
    """Return base and extension, if the handle has the delimiter of the first template in its suffix."""
    template = next(namespace.named("template"), None)
    delimiter = "" if template is None else template.attributes.get("delimiter", "")
    if not delimiter:
        return None
    before, found, extension = handle.suffix.partition(delimiter)
    return (Handle(f"{handle.prefix_spelling}/{before}"), extension) if found else None


def _namespace_among(values: Values) -> Element | None:
    """Return the readable HS_NAMESPACE with the lowest index."""
    for value in sorted(values, key=lambda value: value.index):
        if value.has_type("HS_NAMESPACE"):
            element = _read(value.data)
            if element is not None and element.name == "namespace":
                return element
    return None


@lru_cache(maxsize=32)
def _read(data: bytes) -> Element | None:
    try:
        return read_markup(data)
    except ProtocolError:
        return None


def _templates(root: Element, references: Allowance) -> Generator[Handle, Values | None, tuple[Element, ...]]:
    """Gather the templates in an element, those that are written elsewhere too."""
    gathered: tuple[Element, ...] = ()
    for template in (root,) if root.name == "template" else root.named("template"):
        reference = template.attributes.get("ref")
        if reference is None:
            gathered += (template,)
        else:
            cited = yield from _cited(ValueReference.parse(reference), references)
            gathered += () if cited is None else (yield from _templates(cited, references))
    return gathered


def _cited(reference: ValueReference, references: Allowance) -> Generator[Handle, Values | None, Element | None]:
    if not reference.index:
        return None
    references.spend()
    try:
        handle = Handle.parse(reference.handle)
    except ProtocolError:
        raise _NotThere from None
    for value in (yield handle) or ():
        if value.index == reference.index:
            return _read(value.data)
    raise _NotThere


@dataclass(frozen=True, slots=True)
class _Scope:
    """What holds at one place of a template: what variables mean, and the base's value that <foreach> is at."""

    meanings: Meanings
    value: HandleValue | None = None

    def naming(self, name: str, meaning: tuple[str, ...]) -> _Scope:
        return replace(self, meanings={**self.meanings, name: meaning})


@dataclass(frozen=True, slots=True)
class _Condition:
    """What an <if> asks; an <else> asks the opposite of what stands before it."""

    subject: str
    parameter: str
    test: str
    expression: str | None
    is_negated: bool

    @classmethod
    def read(cls, element: Element) -> _Condition:
        of = element.attributes.get
        subject = of("value", "extension")
        is_unasked = "test" not in element.attributes and "expression" not in element.attributes
        test = "" if is_unasked else of("test", "equals")
        return cls(subject, of("parameter", subject), test, of("expression"), is_negated=of("negate") == "true")


class _Composer:
    """Puts the values of one answer together, within its allowances."""

    def __init__(self, base_values: Values, *, ignores_case: bool) -> None:
        self._ignores_case = ignores_case
        self._steps = Allowance(TEMPLATE_STEPS_MAX)
        self._pattern_steps = Allowance(PATTERN_STEPS_MAX)
        self._octets = Allowance(COMPUTED_OCTETS_MAX)
        self._values = Allowance(COMPUTED_VALUES_MAX)
        self._of_base = tuple((value, _meanings_of(value)) for value in base_values)

    def compose_all(self, templates: Iterable[Element], scope: _Scope) -> Values | None:
        """Return the values that the templates give, in the order of their indexes; None without any template."""
        composed: dict[int, HandleValue] = {}
        is_composed = False
        for template in templates:
            self._compose(template, scope, composed)
            is_composed = True
        return tuple(composed[index] for index in sorted(composed)) if is_composed else None

    def _compose(self, element: Element, scope: _Scope, composed: dict[int, HandleValue]) -> None:
        condition: _Condition | None = None
        for child in element.children:
            self._steps.spend()
            match child.name:
                case "value":
                    self._add(child, scope, composed)
                case "if" | "else":
                    condition = _Condition.read(child) if child.name == "if" else _opposite(condition)
                    inner = None if condition is None else self._scope_inside(condition, scope)
                    if inner is not None:
                        self._compose(child, inner, composed)
                case "foreach":
                    self._compose_each(child, scope, composed)
                case "def":
                    scope = self._define(child, scope)
                case "notfound":
                    raise _NotThere

    def _compose_each(self, element: Element, scope: _Scope, composed: dict[int, HandleValue]) -> None:
        if scope.value is not None:
            return  # Reference: a loop in a loop does nothing.
        for value, meanings in self._of_base:
            self._steps.spend()
            self._compose(element, _Scope({**scope.meanings, **meanings}, value), composed)

    def _define(self, element: Element, scope: _Scope) -> _Scope:
        name = element.attributes.get("parameter")
        if name is None:
            return scope
        defined: dict[int, HandleValue] = {}
        self._compose(element, scope, defined)
        first = next(iter(defined.values()), None)
        return scope if first is None else scope.naming(name, (first.data.decode(errors="replace"),))

    def _scope_inside(self, condition: _Condition, scope: _Scope) -> _Scope | None:
        """Return what holds inside of an element with this condition; None when it is not met."""
        if not condition.test:
            return None if condition.is_negated else scope
        if condition.expression is None:
            return None
        subject = look_up(condition.subject, scope.meanings)
        match condition.test:
            case "equals":
                found: tuple[str, ...] | None = (subject,) if subject == condition.expression else None
            case "matches":
                pattern = read_pattern(condition.expression, ignores_case=self._ignores_case)
                found = pattern.match_whole(subject, self._pattern_steps)
            case _:
                return None
        is_met = (found is None) == condition.is_negated
        return scope.naming(condition.parameter, found or (subject,)) if is_met else None

    def _add(self, element: Element, scope: _Scope, composed: dict[int, HandleValue]) -> None:
        value_type, data = element.attributes.get("type"), _written_data(element)
        origin = scope.value
        if origin is None:
            if value_type is None or data is None:
                return
            origin = HandleValue(1, "", b"")
        self._values.spend()
        self._octets.spend(len(origin.data) if data is None else 0)
        wanted = _written_index(element) or origin.index
        index = next(each for each in chain(range(wanted, _INDEXES_END), range(1, wanted)) if each not in composed)
        composed[index] = replace(
            origin,
            index=index,
            value_type=origin.value_type if value_type is None else self._fill(value_type, scope),
            data=origin.data if data is None else self._fill(data, scope).encode(),
        )

    def _fill(self, written: str, scope: _Scope) -> str:
        return fill_in(written, scope.meanings, self._octets)


def _opposite(condition: _Condition | None) -> _Condition | None:
    return None if condition is None else replace(condition, is_negated=not condition.is_negated)


def _meanings_of(value: HandleValue) -> Meanings:
    data = value.data.decode(errors="replace")
    return {"type": (value.value_type,), "data": (data,), "index": (str(value.index),)}


def _written_index(element: Element) -> int | None:
    written = element.attributes.get("index", "")
    is_index = written.isascii() and written.isdigit() and len(written) <= _INDEX_DIGITS_MAX
    return int(written) if is_index and 0 < int(written) < _INDEXES_END else None


def _written_data(element: Element) -> str | None:
    """Return the data as an attribute, as text, or as XML that stands in the element."""
    data = element.attributes.get("data")
    if data is None:
        data = element.text.strip() or "".join(map(write_markup, element.children)) or None
    return data
