"""Small XML in values, read so that no input can hurt: no document type, no entities of its own, bounded all around."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from handle_protocol.errors import MalformedMessage
from handle_protocol.limits import XML_DEPTH_MAX, XML_ELEMENTS_MAX, XML_OCTETS_MAX


@dataclass(slots=True)
class Element:
    """One element with what stands in it.

    Attributes:
        text: the characters directly in it, put together.
    """

    name: str
    attributes: dict[str, str]
    children: list[Element] = field(default_factory=list)
    text: str = ""

    def named(self, name: str) -> Iterator[Element]:
        """Yield the children called `name`."""
        return (child for child in self.children if child.name == name)


def read_markup(data: bytes) -> Element:
    """Read one XML element that fills `data`, in UTF-8.

    Raises:
        MalformedMessage: it is no well-formed XML, declares a document type, or is over one of the limits.
    """
    if len(data) > XML_OCTETS_MAX:
        raise MalformedMessage(f"at most {XML_OCTETS_MAX} octets of XML", XML_OCTETS_MAX)
    return _Builder().read(data)


def write_markup(element: Element) -> str:
    """Write an element as XML, its own text before what stands in it."""
    attributes = "".join(f" {name}={quoteattr(text)}" for name, text in element.attributes.items())
    children = "".join(map(write_markup, element.children))
    return f"<{element.name}{attributes}>{escape(element.text)}{children}</{element.name}>"


class _Builder:
    """Puts elements together as expat reports them."""

    def __init__(self) -> None:
        self._parser = expat.ParserCreate("UTF-8")
        self._parser.buffer_text = True
        self._parser.StartDoctypeDeclHandler = self._refuse_document_type
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._add_text
        self._open: list[Element] = []
        self._root: Element | None = None
        self._count = 0

    def read(self, data: bytes) -> Element:
        try:
            self._parser.Parse(data, True)
        except expat.ExpatError as error:
            raise MalformedMessage("well-formed XML", error.offset) from None
        assert self._root is not None, "expat refuses a document without an element"
        return self._root

    def _refuse_document_type(self, *_: object) -> None:
        raise MalformedMessage("XML without a document type", self._parser.CurrentByteIndex)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if self._count > XML_ELEMENTS_MAX or len(self._open) >= XML_DEPTH_MAX:
            raise MalformedMessage(
                f"at most {XML_ELEMENTS_MAX} elements, {XML_DEPTH_MAX} deep", self._parser.CurrentByteIndex
            )
        element = Element(name, attributes)
        if self._open:
            self._open[-1].children.append(element)
        else:
            self._root = element
        self._open.append(element)

    def _end(self, _name: str) -> None:
        self._open.pop()

    def _add_text(self, text: str) -> None:
        self._open[-1].text += text
