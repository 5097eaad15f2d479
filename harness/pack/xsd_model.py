"""Reading content models out of XML Schema files.

Understood are global and local elements, groups, substitution groups, sequence, choice, all, any, extension and
restriction, also in included files without a namespace of their own. Of anything else no content model is given, and
the caller keeps what the validator said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from lxml import etree

from harness.pack.content import EMPTY, All, Any, Choice, Name, Particle, Repeat, Series
from harness.pack.xsd_text import Text

XS = "{http://www.w3.org/2001/XMLSchema}"
_GLOBAL = ("element", "complexType", "simpleType", "group", "attribute", "attributeGroup")
_DEEP = 20


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
            for node in root.iterchildren(*(f"{XS}{kind}" for kind in _GLOBAL))
        }
        self._contents: dict[etree._Element, Content] = {}
        self._texts: dict[etree._Element, Text] = {}
        self._substitutes: dict[str, list[str]] = {}
        for (kind, tag), node in self._globals.items():
            if kind == "element" and (head := node.get("substitutionGroup")):
                self._substitutes.setdefault(self._resolve(node, head), []).append(tag)

    def content(self, tags: Sequence[str]) -> Content | None:
        """Content of an element, ``None`` when these files do not declare it.

        Parameters:
            tags: the names from the root element down to the element, in Clark notation.
        """
        declaration = self._globals.get(("element", tags[0]))
        for tag in tags[1:]:
            if declaration is None:
                return None
            declaration = self.content_of(declaration).declarations.get(tag)
        return None if declaration is None else self.content_of(declaration)

    def declared(self) -> tuple[str, ...]:
        """The global elements, in Clark notation."""
        return tuple(tag for kind, tag in self._globals if kind == "element")

    def referred(self) -> frozenset[str]:
        """The global elements that stand inside others."""
        references = (node for root in self._namespaces for node in root.iter(f"{XS}element") if node.get("ref"))
        named = {self._resolve(node, node.get("ref", "")) for node in references}
        return frozenset(named.union(*(self._in_place_of(tag) for tag in named)))

    def _in_place_of(self, head: str, depth: int = 0) -> tuple[str, ...]:
        """The elements that can stand in the place of another one (substitution group), abstract ones left out."""
        if depth > _DEEP:
            return ()
        own = () if self._is_abstract(head) else (head,)
        return (*own, *(tag for each in self._substitutes.get(head, ()) for tag in self._in_place_of(each, depth + 1)))

    def _is_abstract(self, tag: str) -> bool:
        declaration = self._globals.get(("element", tag))
        return declaration is not None and declaration.get("abstract") in ("true", "1")

    def home(self, declaration: etree._Element) -> int:
        """The number of the file with a declaration; 0 is the one that the schema was compiled from."""
        return list(self._namespaces).index(_root(declaration))

    def element(self, tag: str) -> etree._Element | None:
        """The declaration of a global element."""
        return self._globals.get(("element", tag))

    def about(self, declaration: etree._Element) -> str:
        """What the schema says about an element and about its type."""
        told = [declaration, self._definition(declaration)]
        return " ".join(
            " ".join(str(part) for part in text.itertext()).strip()
            for node in told
            if node is not None
            for text in node.iterfind(f"{XS}annotation/{XS}documentation")
        )

    def text(self, declaration: etree._Element) -> Text | None:
        """What may stand in an element; ``None`` where no text may."""
        definition = self._definition(declaration)
        if definition is None:
            base = declaration.get("type", "")
            found: Text | None = Text(_kind_of(base)) if base else None
        elif definition.tag == f"{XS}simpleType":
            found = self._simple(definition)
        else:
            derived = definition.find(f"{XS}simpleContent/*")
            found = None if derived is None else self._derived(derived)
        fixed = declaration.get("fixed")
        return replace(found, fixed=fixed) if found is not None and fixed is not None else found

    def attributes(self, declaration: etree._Element) -> Iterator[tuple[str, bool, Text]]:
        """The attributes of an element: name, whether it is required, and what may stand in it."""
        definition = self._definition(declaration)
        if definition is not None and definition.tag == f"{XS}complexType":
            yield from self._attributes(definition, 0)

    def _attributes(self, node: etree._Element, depth: int) -> Iterator[tuple[str, bool, Text]]:
        if depth > _DEEP:
            return
        derived = next(iter([*node.iterfind(f"{XS}complexContent/*"), *node.iterfind(f"{XS}simpleContent/*")]), None)
        if derived is not None:
            base = self._globals.get(("complexType", self._resolve(derived, derived.get("base", ""))))
            if base is not None and derived.tag == f"{XS}extension":
                yield from self._attributes(base, depth + 1)
            node = derived
        for child in node.iterchildren(f"{XS}attribute", f"{XS}attributeGroup"):
            reference = child.get("ref")
            target = self._globals.get((_kind(child), self._resolve(child, reference))) if reference else child
            if target is None:
                continue
            if _kind(child) == "attributeGroup":
                yield from self._attributes(target, depth + 1)
            elif child.get("use") != "prohibited":
                kind = self.text(target) or Text()
                yield target.get("name", ""), child.get("use") == "required", kind

    def _definition(self, declaration: etree._Element) -> etree._Element | None:
        """The type of an element or attribute, where it is one of these files."""
        inline = next(iter(declaration.iterchildren(f"{XS}complexType", f"{XS}simpleType")), None)
        name = declaration.get("type")
        if inline is not None or not name:
            return inline
        tag = self._resolve(declaration, name)
        return self._globals.get(("complexType", tag), self._globals.get(("simpleType", tag)))

    def _simple(self, definition: etree._Element, depth: int = 0) -> Text:
        if definition not in self._texts:
            self._texts[definition] = self._read_simple(definition, depth)
        return self._texts[definition]

    def _read_simple(self, definition: etree._Element, depth: int) -> Text:
        inner = next(iter(definition.iterchildren(f"{XS}restriction", f"{XS}list", f"{XS}union")), None)
        if inner is None or depth > _DEEP:
            return Text()
        if inner.tag == f"{XS}restriction":
            return self._derived(inner, depth)
        members = [*inner.get("memberTypes", inner.get("itemType", "")).split()]
        local = inner.find(f"{XS}simpleType")
        if local is not None:
            return self._simple(local, depth + 1)
        return self._named(inner, members[0], depth) if members else Text()

    def _named(self, node: etree._Element, name: str, depth: int) -> Text:
        tag = self._resolve(node, name)
        definition = self._globals.get(("simpleType", tag))
        if definition is not None:
            return self._simple(definition, depth + 1)
        complex_type = self._globals.get(("complexType", tag))
        derived = None if complex_type is None else complex_type.find(f"{XS}simpleContent/*")
        return Text(_kind_of(name)) if derived is None else self._derived(derived, depth + 1)

    def _derived(self, node: etree._Element, depth: int = 0) -> Text:
        """A restriction or extension: its base, with its own facets."""
        if depth > _DEEP:
            return Text()
        local = node.find(f"{XS}simpleType")
        text = self._simple(local, depth + 1) if local is not None else self._named(node, node.get("base", ""), depth)
        values = tuple(each.get("value", "") for each in node.iterchildren(f"{XS}enumeration"))
        patterns = tuple(each.get("value", "") for each in node.iterchildren(f"{XS}pattern"))
        text = replace(text, values=values or text.values, patterns=patterns or text.patterns)
        for facet in node.iterchildren(etree.Element):
            text = text.narrowed(_kind(facet), facet.get("value", ""))
        return text

    def content_of(self, declaration: etree._Element) -> Content:
        """Content of the element with that declaration."""
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
                name = self._element(node, declarations)
                others = self._in_place_of(name.tag) if node.get("ref") and name.tag in self._substitutes else ()
                declarations.update({tag: self._globals["element", tag] for tag in others})
                return Choice(tuple(map(Name, others))) if others else name
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


def _kind_of(name: str) -> str:
    """Local name of a built-in type."""
    return name.rpartition(":")[2] or "string"


def _kind(node: etree._Element) -> str:
    return str(node.tag).removeprefix(XS)


def _root(node: etree._Element) -> etree._Element:
    return node.getroottree().getroot()


def _clark(namespace: str | None, local: str) -> str:
    return f"{{{namespace}}}{local}" if namespace else local
