"""XML Schema: compiled once from the files of a pack, and its errors told as violations of a kind.

Files are collected by :mod:`harness.pack.xsd_files`, and libxml2 gets nothing but these.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from pathlib import Path
from threading import Lock

from lxml import etree

from harness.errors import ConfigurationFault, Where
from harness.pack.content import Wrong, classify
from harness.pack.violation import Violation
from harness.pack.xsd_files import collect, tree_of, wrong_file
from harness.pack.xsd_model import Grammar

MOST = 100
"""At most so many violations are told of one message."""

_TEXT = 300
_ATTRIBUTE = re.compile(r"Element '[^']*'(?:, attribute|: The attribute) '(?:\{[^}]*\})?([^']+)'")
_LINE = re.compile(r", line \d+$")
_FACET = re.compile(r"\[facet '[^']*'\] ")
_VALUE = re.compile(r".*'(?= (?:is (?:not|less|greater) |has more |does not (?:match|resolve) ))", re.DOTALL)
_LENGTHS = ("LENGTH", "DIGITS")
_NO_CHILDREN = ("TYPE_3_1_2", "COMPLEX_TYPE_2_1", "COMPLEX_TYPE_2_2")
_STEP = re.compile(r"(?:([^:\[\]]+):)?([^:\[\]]+?)(?:\[(\d+)\])?")


@dataclass(frozen=True)
class Compiled:
    """A compiled schema, its declarations and files, and the lock that keeps one thread's errors from another's."""

    schema: etree.XMLSchema
    grammar: Grammar
    files: tuple[str, ...] = ()
    lock: Lock = field(default_factory=Lock)


def xml_violations(compiled: Compiled, payload: etree._Element) -> tuple[Violation, ...]:
    """Every violation of a schema by an element and what is in it, in document order.

    Parameters:
        compiled: the schema of the message.
        payload: the root element of the message; it may stand inside a larger tree.
    """
    with compiled.lock:
        if compiled.schema.validate(payload):
            return ()
        errors = list(islice(compiled.schema.error_log, MOST))
    found = dict.fromkeys(_violation(payload, error, compiled.grammar) for error in errors)
    facets = {each.pointer for each in found if each.kind in ("length", "pattern", "enumeration")}
    return tuple(each for each in found if each.kind != "type" or each.pointer not in facets)


@lru_cache(maxsize=256)
def compile_schema(file: Path, folders: tuple[Path, ...]) -> Compiled:
    """Compile a schema file with everything that it includes.

    Raises:
        ConfigurationFault: a file cannot be read, lies outside of the pack, or is no XML Schema.
    """
    files = collect(file, folders)
    try:
        schema = etree.XMLSchema(tree_of(files))
    except etree.XMLSchemaParseError as error:
        last = error.error_log.last_error
        wrong = wrong_file(files, last.filename if last is not None else None)
        raise ConfigurationFault(
            f"this is not a right XML Schema: {_LINE.sub('', str(error)).removesuffix('.')}",
            where=Where(wrong, last.line if last is not None else None),
            remedy="Correct the schema.",
        ) from None
    return Compiled(
        schema, Grammar([(each.root, each.namespace) for each in files]), tuple(each.name for each in files)
    )


def _violation(payload: etree._Element, error: etree._LogEntry, grammar: Grammar) -> Violation:
    node = _node(payload, error.path or "")
    kind = error.type_name.removeprefix("SCHEMAV_").removeprefix("CVC_")
    if kind == "ELEMENT_CONTENT":
        return _content_violation(payload, node, error, grammar)
    if kind in _NO_CHILDREN:
        node = next(node.iterchildren(etree.Element), node)
    pointer, line = _pointer(payload, node), node.sourceline
    said = _FACET.sub("", error.message.partition(": ")[2], count=1)
    text = _VALUE.sub("the value", said, count=1).strip()[:_TEXT]
    if attribute := _ATTRIBUTE.match(error.message):
        pointer = f"{pointer.removesuffix('/')}/@{attribute[1]}"
        words = {"COMPLEX_TYPE_4": "missing", "COMPLEX_TYPE_3_2_1": "unexpected", "COMPLEX_TYPE_3_2_2": "unexpected"}
        word = words.get(kind, "unexpected" if kind == "TYPE_3_1_1" else "value")
        return Violation(f"attribute-{word}", pointer, line, text)
    return Violation(_kind(kind), pointer, line, text)


def _kind(name: str) -> str:
    """Kind of a violation of an element's type, from the name that libxml2 gives to it (XML Schema part 1, B.3)."""
    if any(word in name for word in _LENGTHS):
        return "length"
    if name.startswith("PATTERN"):
        return "pattern"
    if name.startswith("ENUMERATION"):
        return "enumeration"
    if name in ("ELT_1", "ELT_2", *_NO_CHILDREN):
        return "unexpected"
    return "repeated" if name == "IDC" else "type"


def _content_violation(
    payload: etree._Element, node: etree._Element, error: etree._LogEntry, grammar: Grammar
) -> Violation:
    """What is wrong with the children of an element; the error is at it, or at one of them."""
    at_parent = "Missing child" in error.message
    parent = node if at_parent else next(_ancestors(payload, node), node)
    children = list(parent.iterchildren(etree.Element))
    content = grammar.content([str(each.tag) for each in reversed([parent, *_ancestors(payload, parent)])])
    wrong = classify(content.model, [str(each.tag) for each in children]) if content else None
    if wrong is None:
        kind, text = ("missing", "a child element is missing") if at_parent else ("unexpected", "it cannot stand here")
        return Violation(kind, _pointer(payload, node), node.sourceline, text)
    if wrong.kind == "missing":
        return _missing(payload, parent, children, wrong)
    child, local = children[wrong.index], _local(wrong.tag)
    texts = {
        "unexpected": f"{local} cannot stand in {_local(parent.tag)}",
        "order": f"{local} stands in the wrong place in {_local(parent.tag)}",
        "repeated": f"{local} stands too often in {_local(parent.tag)}",
    }
    return Violation(wrong.kind, _pointer(payload, child), child.sourceline, texts[wrong.kind])


def _missing(
    payload: etree._Element, parent: etree._Element, children: Sequence[etree._Element], wrong: Wrong
) -> Violation:
    local = _local(wrong.tag)
    there = sum(_local(each.tag) == local for each in children)
    index = f"[{there + 1}]" if there else ""
    pointer = f"{_pointer(payload, parent).removesuffix('/')}/{local}{index}"
    return Violation("missing", pointer, parent.sourceline, f"{local} is missing in {_local(parent.tag)}")


def _node(payload: etree._Element, path: str) -> etree._Element:
    """The element that an error is at.

    libxml2 writes ``p:name[n]``, counting siblings of one name, or ``*[n]``, counting all, where the
    namespace has no prefix.
    """
    node = payload
    for step in path.split("/")[2:]:
        match = _STEP.fullmatch(step)
        if match is None:
            return node
        prefix, local, index = match.groups()
        same = (
            child
            for child in node.iterchildren(etree.Element)
            if local == "*" or (child.prefix, _local(child.tag)) == (prefix, local)
        )
        found = next(islice(same, int(index or 1) - 1, None), None)
        if found is None:
            return node
        node = found
    return node


def _pointer(payload: etree._Element, node: etree._Element) -> str:
    steps = []
    for element in (node, *_ancestors(payload, node)):
        if element is payload:
            break
        local = _local(element.tag)
        before = sum(1 for _ in element.itersiblings(f"{{*}}{local}", preceding=True))
        alone = before == 0 and next(element.itersiblings(f"{{*}}{local}"), None) is None
        steps.append(local if alone else f"{local}[{before + 1}]")
    return "/" + "/".join(reversed(steps))


def _ancestors(payload: etree._Element, node: etree._Element) -> Iterator[etree._Element]:
    """The elements around a node, up to and with the payload."""
    while node is not payload:
        parent = node.getparent()
        if parent is None:
            return
        node = parent
        yield node


def _local(tag: object) -> str:
    return str(tag).rpartition("}")[2]
