"""XML from strangers: parsed once, without DTD, entities or network, within bounds.

lxml's own defaults are not enough: none of them refuses a document type declaration, and a parser that does not
resolve entities keeps them silently. So a DTD is refused as such, in every encoding.
"""

from __future__ import annotations

import codecs
import copy
import re
import threading
from collections import Counter
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import NamedTuple

from lxml import etree

from harness.errors import MalformedInput
from harness.message.model import DEFAULT_LIMITS, Binding, Limits, Value
from harness.message.path import Path, Step, parse_path
from harness.message.xml_place import XmlPlace, attributes_of, elements_below, places_of, text_of

_BYTE_ORDER_MARKS = codecs.BOM_UTF8 + codecs.BOM_UTF16_LE
_DOCTYPE_IN_PROLOG = re.compile(rb"(?>\s+|<\?.*?\?>|<!--.*?-->)*+<!DOCTYPE", re.DOTALL)
_ATTRIBUTE = re.compile(rb"=\s*[\"']")
_ATTRIBUTES = 1000
"""Attributes of one element, at most: libxml2 before 2.12 compares each with all others."""
_USUAL_DEPTH = 16
"""The depth of a document is looked at in two steps: each level of the question costs time, whatever the document."""
_COUNT_NODES = etree.XPath("count(//node()) + count(//@*)", regexp=False)
_ENCODING_ERRORS = {etree.ErrorTypes.ERR_INVALID_ENCODING, etree.ErrorTypes.ERR_UNKNOWN_ENCODING}
_LIMIT_ERRORS = {etree.ErrorTypes.ERR_NAME_TOO_LONG, 114}  # 114: XML_ERR_RESOURCE_LIMIT, unnamed in lxml
_DECLARATION = re.compile(rb"<\?xml\s[^>]*?encoding\s*=\s*[\"']([A-Za-z][\w.-]*)")
_CHARACTER_SETS = re.compile(r"(utf-|iso8859-|cp|koi8-|gb|big5|euc_|shift_jis).*|ascii")
"""Names of codecs that do nothing but turn bytes into characters; Python's other ones unpack, or compute for long."""
_UTF_16 = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16", b"<\0": "utf-16-le", b"\0<": "utf-16-be"}


class Printed(NamedTuple):
    """What is known of a document before it is read, because it was printed.

    Parameters:
        paths: of all its elements, as :attr:`harness.message.path.Path.elements`.
        texts: of the elements at one of them, in document order.
        bindings, values: what bound names it was printed with, and what stands in all of their places.
    """

    paths: Container[str]
    texts: Callable[[str], list[str]]
    bindings: Mapping[str, Binding]
    values: Mapping[str, Value]


@dataclass(frozen=True, eq=False)
class XmlDocument:
    """A view on an element, which may stand inside a larger tree, such as the payload of an envelope.

    It is walked through once, when it is read for the first time; from then on its elements must stay where they are.

    Parameters:
        element: the element.
        written: the text that it was parsed from, where that is all of it; then nothing in it may change.
        printed: what is known of it, where it was printed.
    """

    element: etree._Element
    written: bytes | None = field(default=None, repr=False)
    printed: Printed | None = field(default=None, repr=False)

    @cached_property
    def _by_path(self) -> Mapping[str, Sequence[etree._Element]]:
        """All elements in document order, by :attr:`harness.message.path.Path.elements`."""
        found: dict[str, list[etree._Element]] = {"": [self.element]}
        paths: dict[etree._Element | None, str] = {self.element: ""}
        for element in self.element.iterdescendants(etree.Element):
            path = paths[element] = f"{paths[element.getparent()]}/{str(element.tag).rpartition('}')[2]}"
            found.setdefault(path, []).append(element)
        return found

    @property
    def all_texts(self) -> dict[str, list[str]]:
        """The texts of all elements in document order, by :attr:`harness.message.path.Path.elements`."""
        return {path: [text_of(element) for element in elements] for path, elements in self._by_path.items()}

    def _reaches(self, path: Path) -> bool:
        """Whether there is an element where a path leads; for an attribute, one that can have it."""
        if self.printed is not None and path.elements is not None:
            return path.elements in self.printed.paths
        return bool(self._elements(path))

    def _texts(self, path: Path) -> list[str]:
        """The texts of the elements that a path reaches."""
        if self.printed is not None and path.elements is not None:
            return self.printed.texts(path.elements)
        return [text_of(element) for element in self._elements(path)]

    def _elements(self, path: Path) -> Sequence[etree._Element]:
        """The elements that a path reaches; for an attribute, those that can have it."""
        if path.elements is not None:
            return self._by_path.get(path.elements, ())
        return elements_below(self.element, path.steps[:-1] if path.attribute is not None else path.steps)

    @property
    def root(self) -> str:
        """The element's name in Clark notation."""
        return str(self.element.tag)

    @property
    def top(self) -> XmlPlace:
        """The element, as the place from which paths start."""
        return XmlPlace(self.element)

    def reach(self, path: Path, *, new_attribute: bool = False) -> list[XmlPlace]:
        """See :meth:`harness.message.model.Document.reach`."""
        return places_of(self._elements(path), path, new_attribute=new_attribute)

    def text(self, path: Path) -> str | None:
        """See :meth:`harness.message.model.Document.text`."""
        if path.attribute is not None:
            places = self.reach(path)
            return places[0].text if places else None
        if self.printed is not None:
            texts = self._texts(path)
            return texts[0] if texts else None
        names = path.elements
        elements = self._elements(path) if names is None else self._by_path.get(names)
        return text_of(elements[0]) if elements else None

    def texts(self, path: str) -> list[str]:
        """Text of every place that *path* reaches, in document order."""
        parsed = parse_path(path)
        if parsed.attribute is None:
            return self._texts(parsed)
        return [place.text or "" for place in self.reach(parsed)]

    def texts_below(self, place: Path, rest: Path) -> list[str | None]:
        """See :meth:`harness.message.model.Document.texts_below`."""
        if not self._reaches(place):
            return []
        tops = self._elements(place)
        if place.elements is None or rest.elements is None or rest.attribute is not None:
            reached = (XmlPlace(top).reach(rest) for top in tops)
            return [found[0].text if found else None for found in reached]
        first: dict[etree._Element | None, etree._Element] = {}
        for element in self._by_path.get(place.elements + rest.elements, ()):
            top: etree._Element | None = element
            for _ in rest.steps:
                top = top.getparent() if top is not None else None
            first.setdefault(top, element)
        return [text_of(first[top]) if top in first else None for top in tops]

    def pointers(self, path: str) -> list[str]:
        """Exact pointer of every place that *path* reaches."""
        parsed = parse_path(path)
        found = [(self.element, "")] if self._reaches(parsed) else []
        for step in parsed.steps:
            if step.attribute:
                return [f"{pointer}/{step}" for element, pointer in found if attributes_of(element, step.name)]
            found = [pair for element, pointer in found for pair in _pointed(element, pointer, step)]
        return [pointer or "/" for _, pointer in found]

    def walk(self) -> Iterator[str]:
        """Exact pointer of every attribute and element below the root, in document order."""
        return _walk(self.element, "")

    def line(self, pointer: str) -> int | None:
        """Line of a pointer, from 1; ``None`` where nothing stands there."""
        places = self.top.reach(parse_path(pointer))
        return places[0].element.sourceline if places else None

    def to_bytes(self) -> bytes:
        """The element in UTF-8 with every namespace declaration that is in scope, without an XML declaration."""
        if self.written is not None:
            return self.written
        return etree.tostring(self.element, encoding="UTF-8", xml_declaration=False, with_tail=False)

    def copy(self) -> XmlDocument:
        """A deep copy, in a tree of its own."""
        return XmlDocument(copy.deepcopy(self.element))


def _walk(element: etree._Element, pointer: str) -> Iterator[str]:
    yield from (f"{pointer}/@{etree.QName(key).localname}" for key in element.attrib)
    names = [etree.QName(child).localname for child in element.iterchildren(etree.Element)]
    seen: Counter[str] = Counter()
    for name, child in zip(names, element.iterchildren(etree.Element), strict=True):
        seen[name] += 1
        place = f"{pointer}/{name}" if names.count(name) == 1 else f"{pointer}/{name}[{seen[name]}]"
        yield place
        yield from _walk(child, place)


def _pointed(element: etree._Element, pointer: str, step: Step) -> list[tuple[etree._Element, str]]:
    siblings = list(element.iterchildren(f"{{*}}{step.name}"))
    if len(siblings) == 1:
        pairs = [(siblings[0], f"{pointer}/{step.name}")]
    else:
        pairs = [(child, f"{pointer}/{step.name}[{n}]") for n, child in enumerate(siblings, 1)]
    return pairs[step.index - 1 : step.index] if isinstance(step.index, int) else pairs


class _Own(threading.local):
    """A parser of each thread: what it complains of belongs to the document that this thread parsed last."""

    def __init__(self) -> None:
        self.parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
        self.unbounded = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True)


_OWN = _Own()


def parse_own(data: bytes) -> etree._Element:
    """Parse what we have written ourselves, without bounds."""
    root: etree._Element = etree.fromstring(data, _OWN.unbounded)
    return root


def parse_written(data: bytes, printed: Printed | None = None) -> XmlDocument:
    """The document of a payload that we have written ourselves; its lines are those in an envelope of ours.

    Parameters:
        data: the payload.
        printed: what is known of it.
    """
    return XmlDocument(parse_own(b"\n" + data), data, printed)


def parse_xml(data: bytes, limits: Limits = DEFAULT_LIMITS) -> XmlDocument:
    """Parse one XML document.

    Raises:
        MalformedInput: ``too-large``, ``too-deep``, ``doctype``, ``encoding`` or ``not-well-formed``.
    """
    if len(data) > limits.size:
        raise MalformedInput("too-large", f"the message has {len(data)} bytes, more than {limits.size}")
    if len(data) > 2 * limits.nodes and data.count(b"<") > 2 * limits.nodes:
        raise _too_many_nodes(limits)
    if data.count(b"=") > _ATTRIBUTES and any(
        len(_ATTRIBUTE.findall(tag)) > _ATTRIBUTES for tag in data.replace(b"\0", b"").split(b"<")
    ):
        raise MalformedInput("too-large", f"an element has more than {_ATTRIBUTES} attributes")
    suspect = b"!" in data and (b"<!DOCTYPE" in data or b"\0" in data)  # a single byte is looked for much faster
    if suspect and _DOCTYPE_IN_PROLOG.match(data.replace(b"\0", b"").lstrip(_BYTE_ORDER_MARKS)):
        raise _doctype()
    parser = _OWN.parser
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise _malformed(error, data, limits) from None
    for entry in parser.error_log:  # lxml forgets an undeclared prefix when a mere warning comes after it
        if entry.level >= etree.ErrorLevels.ERROR:
            what = f"the message cannot be parsed: {entry.message[:200]}"
            raise MalformedInput("not-well-formed", what, line=entry.line)
    if root.getroottree().docinfo.doctype:
        raise _doctype()
    if len(data) > limits.nodes and _COUNT_NODES(root) > limits.nodes:  # a node has a byte at least
        raise _too_many_nodes(limits)
    if _deeper_than(min(_USUAL_DEPTH, limits.depth))(root) and _deeper_than(limits.depth)(root):
        raise _too_deep(limits)
    return XmlDocument(root)


@lru_cache(maxsize=16)
def _deeper_than(depth: int) -> etree.XPath:
    return etree.XPath(f"boolean({'/*' * (depth + 1)})", regexp=False)


def _doctype() -> MalformedInput:
    return MalformedInput("doctype", "the message has a document type declaration")


def _too_many_nodes(limits: Limits) -> MalformedInput:
    return MalformedInput("too-large", f"the message has more than {limits.nodes} elements and attributes")


def _too_deep(limits: Limits) -> MalformedInput:
    return MalformedInput("too-deep", f"elements are nested more than {limits.depth} deep")


def _malformed(error: etree.XMLSyntaxError, data: bytes, limits: Limits) -> MalformedInput:
    """What is wrong, in the same words whichever libxml2 found it: its codes and texts differ between versions."""
    if "Excessive depth" in error.msg:
        return _too_deep(limits)
    if error.code in _LIMIT_ERRORS or "too long" in error.msg:
        return MalformedInput("too-large", "a name or a value in the message is too long", line=error.lineno)
    if error.code == etree.ErrorTypes.ERR_UNSUPPORTED_ENCODING:
        return MalformedInput("encoding", "the message declares an encoding that is not known", line=error.lineno)
    line = _misfit(data)
    if line is not None or error.code in _ENCODING_ERRORS:
        return MalformedInput(
            "encoding", "the message is not in the encoding that it declares (UTF-8 if none)", line=line or error.lineno
        )
    reason = " ".join(error.msg.split())
    return MalformedInput("not-well-formed", f"the message cannot be parsed: {reason[:200]}", line=error.lineno)


def _misfit(data: bytes) -> int | None:
    """Line of the first byte that is not in the encoding of a document; one cut off at the end is not looked at."""
    declared = _DECLARATION.match(data.removeprefix(codecs.BOM_UTF8))
    encoding = _UTF_16.get(data[:2]) or (declared[1].decode().lower() if declared else "utf-8")
    if declared and encoding.startswith(("utf-16", "utf-32", "ucs-", "iso-10646")):  # yet we could read it
        return 1
    try:
        codec = codecs.lookup(encoding)
        if _CHARACTER_SETS.fullmatch(codec.name) and codec.incrementaldecoder:
            codec.incrementaldecoder().decode(data)
    except UnicodeDecodeError as error:
        return data.count(b"\n", 0, error.start) + 1
    except (LookupError, UnicodeError):
        pass
    return None
