"""Reading content models out of XML Schema files.

Understood are global and local elements, groups, sequence, choice, all, any, extension and restriction, also in
included files without a namespace of their own. Of anything else no content model is given, and the caller
keeps what the validator said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lxml import etree

from harness.pack.content import EMPTY, All, Any, Choice, Name, Particle, Repeat, Series

XS = "{http://www.w3.org/2001/XMLSchema}"


@dataclass(frozen=True)
class Content:
    """What an element may contain.

    Parameters:
        model: the content model.
        declarations: the declaration of each possible child, by name.
    """

    model: Particle
    declarations: Mapping[str, etree._Element]


class Grammar:
    """The declarations of one schema with everything that it includes and imports.

    Parameters:
        documents: root elements of the files, each with the namespace that it declares names in.
    """

    def __init__(self, documents: Sequence[tuple[etree._Element, str | None]]) -> None:
        self._namespaces = dict(documents)
        self._globals = {
            (_kind(node), _clark(namespace, node.get("name", ""))): node
            for root, namespace in documents
            for node in root.iterchildren(f"{XS}element", f"{XS}complexType", f"{XS}group")
        }
        self._contents: dict[etree._Element, Content] = {}

    def content(self, tags: Sequence[str]) -> Content | None:
        """Content of an element, ``None`` when these files do not declare it.

        Parameters:
            tags: the names from the root element down to the element, in Clark notation.
        """
        declaration = self._globals.get(("element", tags[0]))
        for tag in tags[1:]:
            if declaration is None:
                return None
            declaration = self._content(declaration).declarations.get(tag)
        return None if declaration is None else self._content(declaration)

    def _content(self, declaration: etree._Element) -> Content:
        if declaration not in self._contents:
            declarations: dict[str, etree._Element] = {}
            definition = declaration.find(f"{XS}complexType")
            if definition is None and (name := declaration.get("type")):
                definition = self._globals.get(("complexType", self._resolve(declaration, name)))
            model = EMPTY if definition is None else self._type(definition, declarations)
            self._contents[declaration] = Content(model, declarations)
        return self._contents[declaration]

    def _type(self, definition: etree._Element, declarations: dict[str, etree._Element]) -> Particle:
        derived = definition.find(f"{XS}complexContent/*")
        parts: list[Particle] = []
        if derived is not None and derived.tag == f"{XS}extension":
            base = self._globals.get(("complexType", self._resolve(derived, derived.get("base", ""))))
            parts += [] if base is None else [self._type(base, declarations)]
        parts += self._parts(definition if derived is None else derived, declarations)
        return parts[0] if len(parts) == 1 else Series(tuple(parts))

    def _parts(self, node: etree._Element, declarations: dict[str, etree._Element]) -> list[Particle]:
        kinds = (f"{XS}{kind}" for kind in ("element", "sequence", "choice", "all", "group", "any"))
        return [self._particle(child, declarations) for child in node.iterchildren(*kinds)]

    def _particle(self, node: etree._Element, declarations: dict[str, etree._Element]) -> Particle:
        part = self._once(node, declarations)
        least, most = int(node.get("minOccurs", "1")), node.get("maxOccurs", "1")
        if (least, most) == (1, "1"):
            return part
        return Repeat(part, least, None if most == "unbounded" else int(most))

    def _once(self, node: etree._Element, declarations: dict[str, etree._Element]) -> Particle:
        match _kind(node):
            case "element":
                return self._element(node, declarations)
            case "any":
                return Any()
            case "group":
                group = self._globals.get(("group", self._resolve(node, node.get("ref", ""))))
                return Series(tuple(self._parts(group, declarations))) if group is not None else EMPTY
            case "choice":
                return Choice(tuple(self._parts(node, declarations)))
            case "all":
                names = {self._element(each, declarations).tag: each for each in node.iterchildren(f"{XS}element")}
                optional = frozenset(name for name, each in names.items() if each.get("minOccurs") == "0")
                return All(frozenset(names) - optional, optional)
            case _:
                return Series(tuple(self._parts(node, declarations)))

    def _element(self, node: etree._Element, declarations: dict[str, etree._Element]) -> Name:
        if reference := node.get("ref"):
            tag = self._resolve(node, reference)
            declaration = self._globals.get(("element", tag), node)
        else:
            root = _root(node)
            qualified = node.get("form", root.get("elementFormDefault")) == "qualified"
            tag = _clark(self._namespaces[root] if qualified else None, node.get("name", ""))
            declaration = node
        declarations[tag] = declaration
        return Name(tag)

    def _resolve(self, node: etree._Element, name: str) -> str:
        """Clark notation of a name that a declaration refers to."""
        prefix, _, local = name.rpartition(":")
        namespace = node.nsmap.get(prefix or None)
        return _clark(namespace or (self._namespaces[_root(node)] if not prefix else None), local)


def _kind(node: etree._Element) -> str:
    return str(node.tag).removeprefix(XS)


def _root(node: etree._Element) -> etree._Element:
    return node.getroottree().getroot()


def _clark(namespace: str | None, local: str) -> str:
    return f"{{{namespace}}}{local}" if namespace else local
