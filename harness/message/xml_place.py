"""Places in XML: elements and attributes, and the ways from one to others. Namespaces are not looked at."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

from lxml import etree

from harness.message.path import Path, Step

FOREIGN = "Unexpected"
"""Name of an element or member that no schema knows."""


class XmlPlace(NamedTuple):
    """An element, or one of its attributes (by its key in Clark notation)."""

    element: etree._Element
    attribute: str | None = None

    @property
    def text(self) -> str | None:
        """All text of the element, across comments, or the attribute's value."""
        if self.attribute is not None:
            return self.element.get(self.attribute)
        return text_of(self.element)

    def reach(self, path: Path, *, new_attribute: bool = False) -> list[XmlPlace]:
        """See :meth:`harness.message.model.Place.reach`; namespaces are not looked at, a schema does that."""
        if self.attribute is not None:
            return [] if path.steps else [self]
        steps = path.steps if path.attribute is None else path.steps[:-1]
        return places_of(elements_below(self.element, steps), path, new_attribute=new_attribute)

    def write(self, text: str) -> None:
        """Set the attribute, or the text of an element without child elements."""
        if self.attribute is not None:
            self.element.set(self.attribute, text)
            return
        if len(self.element):
            if next(self.element.iterchildren(etree.Element), None) is not None:
                raise ValueError("it has child elements, so it holds no text")
            del self.element[:]
        self.element.text = text

    def remove(self) -> None:
        """Remove the attribute, or the element with everything in it."""
        if self.attribute is not None:
            del self.element.attrib[self.attribute]
            return
        parent = self.element.getparent()
        if parent is None:
            raise ValueError("the root cannot be removed")
        parent.remove(self.element)

    def repeat(self, count: int) -> list[XmlPlace]:
        """Put *count* copies of the element where it stands."""
        if count == 0:
            self.remove()
            return []
        copies = [copy.deepcopy(self.element) for _ in range(count - 1)]
        for element in reversed(copies):
            self.element.addnext(element)
        return [XmlPlace(element) for element in (self.element, *copies)]

    def swap(self) -> None:
        """Let the element change places with the next one."""
        following = next(self.element.itersiblings(etree.Element), None)
        if self.attribute is not None or following is None:
            raise ValueError("no element follows it")
        self.element.addprevious(following)

    def append_foreign(self) -> None:
        """Put an element of the same namespace last into the element."""
        if self.attribute is not None:
            raise ValueError("an attribute holds no elements")
        namespace = etree.QName(self.element).namespace
        etree.SubElement(self.element, str(etree.QName(namespace, FOREIGN))).text = "x"


def places_of(elements: Sequence[etree._Element], path: Path, *, new_attribute: bool) -> list[XmlPlace]:
    """What a path reaches, from the elements that it leads to or that can have its attribute."""
    name = path.attribute
    if name is None:
        return [XmlPlace(element) for element in elements]
    return [
        XmlPlace(element, key)
        for element in elements
        for key in attributes_of(element, name) or ([name] if new_attribute else [])
    ]


def elements_below(start: etree._Element, steps: Sequence[Step]) -> list[etree._Element]:
    """The elements to which steps lead from one, in document order."""
    elements = [start]
    for step in steps:
        name, place = f"{{*}}{step.name}", step.index
        reached: list[etree._Element] = []
        for element in elements:
            children = element.iterchildren(name)
            reached += islice(children, place - 1, place) if isinstance(place, int) else children
        elements = reached
    return elements


def text_of(element: etree._Element) -> str:
    """All text of an element, across comments."""
    return "".join(element.itertext()) if len(element) else element.text or ""


def attributes_of(element: etree._Element, name: str) -> list[str]:
    """The keys of the attributes of that local name."""
    if element.get(name) is not None:
        return [name]
    return [str(key) for key in element.attrib if etree.QName(key).localname == name]
