"""Golden samples for an overlay: a given message where one fits, else the smallest valid one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from lxml import etree

from harness.errors import ConfigurationFault, Where
from harness.message.binding import read
from harness.message.build import build
from harness.message.model import Document
from harness.message.path import parse_path
from harness.message.xml import XmlDocument
from harness.pack.adopt import Adopted
from harness.pack.intake import Intake, Root
from harness.pack.match import Proposal
from harness.pack.model import Pack
from harness.pack.move import move_binding
from harness.pack.paths import Moves, Names, Paths
from harness.pack.sample import golden
from harness.pack.xsd import compile_schema, xml_violations
from harness.pack.xsd_text import fits, sample_text
from harness.pack.xsd_tree import Node, places, smallest

_FACETS = ("pattern", "length", "enumeration", "type", "attribute-value")
_ROUNDS = 4


@dataclass(frozen=True)
class Filled:
    """A golden sample.

    Parameters:
        document: the message.
        origin: where it comes from, in words.
        wrong: what is still not valid in it.
    """

    document: XmlDocument
    origin: str
    wrong: tuple[str, ...]


def fill(pack: Pack, adopted: Adopted, shape: str, intake: Intake) -> Filled:
    """Make the golden sample of a message whose root was found.

    Parameters:
        pack: the base.
        adopted: what was found.
        shape: ``accepted`` or ``refused``.
        intake: what was given.
    """
    root = adopted.root
    assert root is not None  # noqa: S101 - the caller asked
    base = golden(pack.format, adopted.message.golden[shape])
    needed = [each.found for place, each in adopted.proposals.items() if place in adopted.used and base.pointers(place)]
    needed = [path for path in needed if path]
    for file, document in intake.samples.get(root.tag, ()):
        if all(document.pointers(path) for path in needed) and _speaks(adopted, document, shape):
            return Filled(document, f"from {file.name}", ())
    adopted = replace(adopted, proposals=_guessed(adopted.proposals))
    there = {place: each for place, each in adopted.proposals.items() if each.found and base.pointers(place)}
    nodes = {node.path: node for node in places(root.compiled.grammar, root.tag)}
    texts = {
        each.found: values[0]
        for place, each in there.items()
        if (values := base.texts(place)) and (text := nodes[each.found].text) is not None and fits(text, values[0])
    }
    wanted = {each.found for each in there.values()}
    document = XmlDocument(smallest(root.compiled.grammar, root.tag, wanted, texts))
    return _corrected(_with_lists(pack, adopted, base, document), root, intake, nodes)


def _guessed(proposals: Mapping[str, Proposal]) -> dict[str, Proposal]:
    """Open places where they are most likely, so that a sample has them already when a person says yes to that."""
    taken = {each.found for each in proposals.values()}
    guessed = dict(proposals)
    for place, each in proposals.items():
        near = next((path for path in each.others if path not in taken), "") if not each.found else ""
        if near:
            taken.add(near)
            guessed[place] = replace(each, found=near)
    return guessed


def _speaks(adopted: Adopted, document: XmlDocument, shape: str) -> bool:
    """Whether a given answer accepts or refuses, as the shape wants it."""
    message = adopted.message
    if message.accepted is None:
        return shape == "accepted"
    path = adopted.proposals[message.accepted[0]].found
    return bool(path) and bool(set(document.texts(path)) & set(message.accepted[1])) == (shape == "accepted")


def _with_lists(pack: Pack, adopted: Adopted, base: Document, document: XmlDocument) -> XmlDocument:
    """The message with as many entries in its lists as the sample of the base has."""
    message = adopted.message
    lists = {name: binding for name, binding in message.bindings.items() if "[*]" in binding.path}
    values = {name: value for name, value in read(base, lists).items() if value}
    paths = Paths((pack.root / "overlay", pack.root), {message.name: (moves_of(adopted), {})})
    where = Where(pack.root / "messages.yaml")
    for name, value in values.items():
        try:
            moved = move_binding(paths, message.name, lists[name], where)
            built = build(document, {name: moved}, {name: value})
        except ConfigurationFault:
            continue  # a list that is not found whole stays as it is, and its places are open
        if isinstance(built, XmlDocument):
            document = built
    return document


def moves_of(adopted: Adopted) -> Moves:
    """Where the places of the base are, as ``paths:`` would say it."""
    moves: dict[Names, Names | None] = {}
    for place, each in adopted.proposals.items():
        if each.found:
            moves[tuple(map(str, parse_path(place).steps))] = tuple(map(str, parse_path(each.found).steps))
    return moves


def _corrected(document: XmlDocument, root: Root, intake: Intake, nodes: Mapping[str, Node]) -> Filled:
    """Texts that are not valid here give way to the shortest that are."""
    schema = compile_schema(intake.folder / root.file, (intake.folder,))
    for _ in range(_ROUNDS):
        found = xml_violations(schema, document.element)
        changed = False
        for each in found:
            steps = parse_path(each.pointer).steps
            node = nodes.get("/".join(str(replace(step, index=None)) for step in steps))
            if each.kind in _FACETS and node is not None and node.text is not None:
                for place in document.top.reach(parse_path(each.pointer)):
                    place.write(sample_text(node.text))
                    changed = True
        if not found or not changed:
            break
    left = xml_violations(schema, document.element)
    return Filled(document, "made from the schema", tuple(f"{each.pointer}: {each.text}" for each in left))


def to_file(document: XmlDocument) -> bytes:
    """The text of a golden sample, one element a line."""
    element = document.copy().element
    if not any((each.text or "").strip() and len(each) for each in element.iter(etree.Element)):
        etree.indent(element)
    return etree.tostring(element, encoding="UTF-8", xml_declaration=True) + b"\n"
