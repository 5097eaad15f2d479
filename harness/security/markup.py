"""Small readings of signature markup: names, places, ids, base64. All of it comes from strangers."""

from __future__ import annotations

import binascii
from collections.abc import Container, Iterator, Mapping
from typing import NamedTuple

from lxml import etree

_OASIS = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity"
WSSE = f"{_OASIS}-secext-1.0.xsd"
WSSE11 = "http://docs.oasis-open.org/wss/oasis-wss-wssecurity-secext-1.1.xsd"
WSU = f"{_OASIS}-utility-1.0.xsd"

_ID_ATTRIBUTES = etree.XPath(
    " | ".join(f"/descendant-or-self::*/@{name}" for name in ("wsu:Id", "Id", "xml:id")),
    namespaces={"wsu": WSU},
    regexp=False,
)


class Ids(NamedTuple):
    """The ids of a document, over ``wsu:Id``, ``Id`` and ``xml:id`` together.

    Parameters:
        elements: id to element, in document order; ids that occur twice are left out.
        duplicates: ids that occur twice, in document order.
        plain: those of the duplicates that stand in nothing but ``Id`` without a namespace: this may be data.
    """

    elements: Mapping[str, etree._Element]
    duplicates: tuple[str, ...]
    plain: frozenset[str] = frozenset()

    def clashes(self, named: Container[str]) -> Iterator[str]:
        """The duplicates that make a signature uncertain: those that it names, and those that are surely ids."""
        return (each for each in self.duplicates if each in named or each not in self.plain)


def index_ids(root: etree._Element) -> Ids:
    """Find every id of a document, once."""
    elements: dict[str, etree._Element] = {}
    duplicates: dict[str, None] = {}
    typed: set[str] = set()
    for value in _ID_ATTRIBUTES(root):
        if value in elements:
            duplicates[str(value)] = None
            if value.attrname != "Id" or elements[value].get("Id") != value:
                typed.add(str(value))
        elements[value] = value.getparent()
    if not duplicates:
        return Ids(elements, ())
    for value in duplicates:
        del elements[value]
    return Ids(elements, tuple(duplicates), frozenset(duplicates.keys() - typed))


def path_of(element: etree._Element) -> str:
    """Absolute path in local names, with an index where a sibling of that name exists: ``/Envelope/Body``."""
    steps = []
    current: etree._Element | None = element
    while current is not None:
        name, parent = local_name(current), current.getparent()
        if parent is not None and len(parent) > 1:
            alike = [each for each in parent[:] if str(each.tag).rpartition("}")[2] == name]
            name = f"{name}[{alike.index(current) + 1}]" if len(alike) > 1 else name
        steps.append(name)
        current = parent
    return "/" + "/".join(reversed(steps))


def local_name(element: etree._Element) -> str:
    """The name of an element without its namespace."""
    return str(element.tag).rpartition("}")[2]


def first_child(element: etree._Element, name: str) -> etree._Element | None:
    """The first child of that name, in Clark notation."""
    for child in element[:]:
        if child.tag == name:
            return child
    return None


def children_of(element: etree._Element) -> list[etree._Element]:
    """The child elements, without comments."""
    return [child for child in element[:] if isinstance(child.tag, str)]


def text_of(element: etree._Element) -> str:
    """The text of an element that may hold nothing else.

    Raises:
        ValueError: it has children; comments count, because they can hide a part of the text.
    """
    if len(element):
        raise ValueError(f"{local_name(element)} holds more than text")
    return element.text or ""


def decode(text: str) -> bytes:
    """Decode base64; white space is ignored, anything else is not.

    Raises:
        ValueError: it is not base64, or nothing.
    """
    data = binascii.a2b_base64("".join(text.split()), strict_mode=True)
    if not data:
        raise ValueError("there is nothing in it")
    return data
