"""The places that a message may have, read from its XML Schema: one node for each element and attribute."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from lxml import etree

from harness.pack.content import All, Any, Choice, Name, Particle, Repeat, Series, names, optional
from harness.pack.xsd_model import Content, Grammar
from harness.pack.xsd_text import Text, sample_text

_DEEP, _MANY, _OFTEN = 16, 6000, 1000
"""Bounds on one message: nested elements, places, and how often an element is repeated because it must be."""


@dataclass(frozen=True)
class Node:
    """One place.

    Parameters:
        path: the way from the root element, without counts; empty for the root element itself.
        name: local name, with ``@`` for an attribute.
        required: it must be there where its parent is.
        repeats: it may be there more than once.
        text: what may stand in it; ``None`` for an element with elements in it.
        about: what the schema says about it, and about its type.
    """

    path: str
    name: str
    required: bool
    repeats: bool
    text: Text | None
    about: str


def places(grammar: Grammar, root: str) -> tuple[Node, ...]:
    """Every place of a message, in document order; an element inside itself is not followed.

    Parameters:
        grammar: the declarations.
        root: the root element in Clark notation.
    """
    found: list[Node] = []
    declaration = grammar.element(root)
    if declaration is not None:
        for node in _walk(grammar, declaration, "", _local(root), required=True, repeats=False, around=()):
            found.append(node)
            if len(found) == _MANY:
                break
    return tuple(found)


def _walk(
    grammar: Grammar,
    declaration: etree._Element,
    path: str,
    name: str,
    *,
    required: bool,
    repeats: bool,
    around: tuple[etree._Element, ...],
) -> Iterator[Node]:
    content = grammar.content_of(declaration)
    children = dict(_occurrences(content.model, required=True, repeats=False))
    text = None if children else grammar.text(declaration)
    yield Node(path, name, required, repeats, text, grammar.about(declaration))
    start = f"{path}/" if path else ""
    for attribute, needed, kind in grammar.attributes(declaration):
        yield Node(f"{start}@{attribute}", f"@{attribute}", needed, False, kind, "")
    if len(around) < _DEEP and declaration not in around:
        for tag, (least, many) in children.items():
            yield from _walk(
                grammar,
                content.declarations[tag],
                start + _local(tag),
                _local(tag),
                required=least,
                repeats=many,
                around=(*around, declaration),
            )


def _occurrences(model: Particle, *, required: bool, repeats: bool) -> Iterator[tuple[str, tuple[bool, bool]]]:
    """Names in the content, each with whether it is required and whether it repeats."""
    match model:
        case Name(tag):
            yield tag, (required, repeats)
        case Series(parts):
            for part in parts:
                yield from _occurrences(part, required=required, repeats=repeats)
        case Choice(parts):
            for part in parts:
                yield from _occurrences(part, required=False, repeats=repeats)
        case Repeat(part, least, most):
            if most != 0:
                many = most is None or most > 1
                yield from _occurrences(part, required=required and least > 0, repeats=repeats or many)
        case All(needed, others):
            for tag in sorted(needed | others):
                yield tag, (required and tag in needed, repeats)
        case Any():
            return


def smallest(grammar: Grammar, root: str, wanted: AbstractSet[str], texts: Mapping[str, str]) -> etree._Element:
    """The smallest message that fits, with certain places in it.

    Parameters:
        grammar: the declarations.
        root: the root element in Clark notation.
        wanted: paths of optional places that must be there.
        texts: what stands at a path, where it is known; elsewhere the shortest text that fits.
    """
    needed = {"/".join(path.split("/")[:length]) for path in wanted for length in range(1, path.count("/") + 2)}
    namespace = root.rpartition("}")[0]
    element = etree.Element(root, nsmap={None: namespace[1:]} if namespace else None)
    declaration = grammar.element(root)
    if declaration is not None:
        _grow(grammar, element, declaration, "", needed, texts, 0)
    return _prefixed(element, namespace[1:]) if namespace else element


def _prefixed(element: etree._Element, namespace: str) -> etree._Element:
    """The same with a prefix, where something in it is in no namespace: a default one would take it in."""
    if all(str(each.tag).startswith("{") for each in element.iter(etree.Element)):
        return element
    written = etree.Element(element.tag, dict(element.attrib), nsmap={"m": namespace})
    written.text = element.text
    written.extend(list(element))
    return written


def _grow(
    grammar: Grammar,
    element: etree._Element,
    declaration: etree._Element,
    path: str,
    needed: AbstractSet[str],
    texts: Mapping[str, str],
    depth: int,
) -> None:
    content = grammar.content_of(declaration)
    start = f"{path}/" if path else ""
    for attribute, required, kind in grammar.attributes(declaration):
        place = f"{start}@{attribute}"
        if required or place in needed:
            element.set(attribute, texts.get(place, sample_text(kind)))
    tags = list(_chosen(content, content.model, start, needed)) if depth <= _DEEP else []
    for tag in tags:
        child = etree.SubElement(element, tag)
        _grow(grammar, child, content.declarations[tag], start + _local(tag), needed, texts, depth + 1)
    own = None if names(content.model) else grammar.text(declaration)
    if own is not None:
        element.text = texts.get(path, sample_text(own))


def _chosen(content: Content, model: Particle, start: str, needed: AbstractSet[str]) -> Iterator[str]:
    """The children: what must be there and what is wanted, each once."""

    def asked(part: Particle) -> bool:
        return any(start + _local(tag) in needed for tag in names(part))

    match model:
        case Name(tag):
            yield tag
        case Series(parts):
            for part in parts:
                yield from _chosen(content, part, start, needed)
        case Choice(parts):
            if parts:
                part = next(filter(asked, parts), min(parts, key=lambda each: (optional(each), len(names(each)))))
                yield from _chosen(content, part, start, needed)
        case Repeat(part, least, most):
            for _ in range(0 if most == 0 else min(max(least, int(asked(part))), _OFTEN)):
                yield from _chosen(content, part, start, needed)
        case All(required, others):
            yield from sorted(required)
            yield from sorted(tag for tag in others if start + _local(tag) in needed)
        case Any():
            return


def words(text: str) -> tuple[str, ...]:
    """The words of a name: ``TransitOperationID2`` has transit, operation, id and 2; all in lower case."""
    parts = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+", text)
    return tuple(part.lower() for part in parts)


def stem(name: str) -> str:
    """The letters and digits with which a numbered name begins, without what a version adds: CD001 of CD001C."""
    found = re.match(r"[A-Za-z]{1,6}[0-9]{2,}", name)
    return found[0].upper() if found else ""


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]
