"""Which official root is which message of a pack, and where in it the places of the pack are: proposals for a person.

Nothing is guessed silently: every proposal has its confidence and its reasons, and what is not sure stays open.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from harness.message.model import Document
from harness.pack.intake import Intake, Root
from harness.pack.match import Known, Proposal, propose
from harness.pack.model import Message, Pack
from harness.pack.move import places_of
from harness.pack.sample import golden
from harness.pack.schema import schema_folders
from harness.pack.wsdl import Operation
from harness.pack.xsd import compile_schema
from harness.pack.xsd_tree import Node, places, stem, words

_COMPARED = 1000
"""A root of which nobody is sure is compared place by place only when it has no more places."""
SURE, AHEAD = 0.4, 0.02
"""The least confidence with which a root is proposed, and by how much it must be better than the next."""


@dataclass(frozen=True)
class Adopted:
    """What was found for one message.

    Parameters:
        message: of the base pack.
        root: the root element, or the nearest one; ``None`` where nothing is like it.
        sure: whether the root is proposed; else a person must say whether it is the nearest one.
        confidence, reasons, others: of the root.
        action: SOAP action, where a WSDL gives one.
        proposals: for every place of the base message.
        used: the places that the base pack speaks of: bindings, errors, rules, refusals.
    """

    message: Message
    root: Root | None
    sure: bool
    confidence: float
    reasons: tuple[str, ...]
    others: tuple[str, ...]
    action: str | None
    proposals: Mapping[str, Proposal]
    used: frozenset[str]

    @cached_property
    def open(self) -> tuple[Proposal, ...]:
        """The used places that nobody has found."""
        return tuple(each for place, each in self.proposals.items() if place in self.used and not each.found)


def adopt(pack: Pack, intake: Intake, pointers: Mapping[str, frozenset[str]]) -> tuple[Adopted, ...]:
    """Propose a root and places for every message of a pack.

    Parameters:
        pack: the base.
        intake: what the folder gives.
        pointers: further places that are spoken of (in scenarios), by message.
    """
    chosen = _choose(pack, intake)
    operations = {each.request: each for service in intake.services for each in service.operations}
    return tuple(
        _adopted(pack, message, chosen[message.name], operations, pointers.get(message.name, frozenset()))
        for message in pack.messages.values()
    )


_Choice = tuple[Root | None, bool, float, tuple[str, ...], tuple[str, ...]]


def _adopted(
    pack: Pack,
    message: Message,
    choice: _Choice,
    operations: Mapping[str | None, Operation],
    pointers: frozenset[str],
) -> Adopted:
    root, sure, confidence, reasons, others = choice
    known = known_places(pack, message)
    used = frozenset(_plain(path) for path in (*_spoken(pack, message), *pointers)) & {each.node.path for each in known}
    foreign = places(root.compiled.grammar, root.tag)[1:] if root else ()
    proposals = propose(known, foreign) if sure or len(foreign) <= _COMPARED else {}
    operation = operations.get(root.tag) if root else None
    action = operation.action if operation is not None else None
    return Adopted(message, root, sure, confidence, reasons, others, action, proposals, used)


def known_places(pack: Pack, message: Message) -> list[Known]:
    """The places of a message of the pack, in document order, each with a value from its samples."""
    grammar = compile_schema(message.schema, schema_folders(pack)).grammar
    samples = [golden(pack.format, file) for file in message.golden.values()]
    about = {
        _plain(binding.path): f"{name.replace('_', ' ')} {pack.values[name].about}"
        for name, binding in message.bindings.items()
    }
    return [
        Known(node, _value(samples, node), about.get(node.path, ""))
        for node in places(grammar, message.root)
        if node.path
    ]


def _value(samples: Sequence[Document], node: Node) -> str | None:
    if node.text is None:
        return None
    return next((texts[0] for sample in samples if (texts := sample.texts(node.path))), None)


def _spoken(pack: Pack, message: Message) -> Iterator[str]:
    """Every path that the pack uses in a message."""
    for binding in message.bindings.values():
        before, star, _ = binding.path.partition("[*]")
        yield from (binding.path, *([before] if star else []), *([binding.drop] if binding.drop else []))
        yield from (f"{before}/{path}" for path in (*binding.fields.values(), *filter(None, [binding.number])))
    if message.errors:
        shape = message.errors
        yield shape.each
        yield from (f"{shape.each}/{path}" for path in (shape.code, shape.pointer, shape.text) if path)
    if message.accepted:
        yield message.accepted[0]
    yield from message.redact
    yield from (coded.path for coded in pack.coded if coded.message == message.name)
    for rule in pack.rules.values():
        if message.name in rule.messages:
            yield from places_of(rule, message.name)
    if message.name in pack.rules_by_message:
        cells = pack.rules_by_message[message.name].cells
        yield from (refusal.pointer for cell in cells for refusal in (cell.refuse,) if refusal and refusal.pointer)


def _plain(path: str) -> str:
    """A path without counts and without its first slash."""
    return re.sub(r"\[[^\]]*\]", "", path).removeprefix("/")


def _choose(pack: Pack, intake: Intake) -> dict[str, _Choice]:
    """A root for each message: requests first, then what a WSDL says answers them, then the other answers."""
    answered = {each.request: each.answer for service in intake.services for each in service.operations}
    requests = [message for message in pack.messages.values() if message.answers is None]
    answers = [message for message in pack.messages.values() if message.answers is not None]
    replies = {tag for tag in answered.values() if tag}
    asked = [root for root in intake.roots.values() if root.tag not in replies]
    chosen = _best(pack, requests, asked)
    taken = {root.tag for root, sure, *_ in chosen.values() if root and sure}
    for message in answers:
        request, sure, score, *_ = chosen[str(message.answers)]
        reply = intake.roots.get(str(answered.get(request.tag))) if request and sure else None
        if request is not None and reply is not None and reply.tag not in taken:
            taken.add(reply.tag)
            why = (f"the WSDL answers {request.local} with it",)
            chosen[message.name] = (reply, True, score, why, ())
    rest = [message for message in answers if message.name not in chosen]
    return chosen | _best(pack, rest, [root for root in intake.roots.values() if root.tag not in taken])


def _best(pack: Pack, messages: Sequence[Message], roots: Sequence[Root]) -> dict[str, _Choice]:
    theirs = [(root, _count(places(root.compiled.grammar, root.tag))) for root in roots]
    ours = [(message, _count([each.node for each in known_places(pack, message)])) for message in messages]
    scored = sorted(
        (
            (*_likeness(message, root, _alike(mine, shape)), message.name, root.tag)
            for message, mine in ours
            for root, shape in theirs
        ),
        key=lambda each: (-each[0], each[2], each[3]),
    )
    by_tag = {root.tag: root for root in roots}
    chosen: dict[str, _Choice] = {}
    taken: set[str] = set()
    for score, reasons, name, tag in scored:
        if name in chosen or tag in taken:
            continue
        rest = [each for each in scored if each[2] == name and each[3] != tag and each[3] not in taken]
        others = tuple(each[3] for each in rest[:3])
        if score >= SURE and (not rest or score - rest[0][0] >= AHEAD):
            chosen[name] = (by_tag[tag], True, min(score, 1.0), reasons, others)
            taken.add(tag)
    for message in messages:
        if message.name not in chosen:
            near = [each for each in scored if each[2] == message.name and each[3] not in taken][:3]
            others = tuple(each[3] for each in near)
            chosen[message.name] = (
                (by_tag[near[0][3]], False, min(near[0][0], 1.0), near[0][1], others)
                if near
                else (None, False, 0.0, (), ())
            )
    return chosen


def _likeness(message: Message, root: Root, alike: float) -> tuple[float, tuple[str, ...]]:
    reasons: list[str] = []
    score = 0.0
    local = message.root.rpartition("}")[2]
    named = re.compile(rf"(?<![A-Za-z0-9]){re.escape(message.name)}(?![A-Za-z0-9])", re.IGNORECASE)
    declaration = root.compiled.grammar.element(root.tag)
    about = root.compiled.grammar.about(declaration) if declaration is not None else ""
    if local.lower() == root.local.lower():
        score += 0.6
        reasons.append("same name")
    elif named.search(f"{root.tag} {root.file}"):
        score += 0.6
        reasons.append(f"{message.name} in its namespace, name or file")
    elif stem(local) and stem(local) == stem(root.local):
        score += 0.55
        reasons.append(f"{stem(local)} with another ending")
    elif named.search(about):
        score += 0.5
        reasons.append(f"{message.name} in its documentation")
    mine = frozenset(words(local))
    shared = len(mine & set(words(root.local))) / max(len(mine | set(words(root.local))), 1)
    score += 0.3 * shared
    if shared >= 0.5 and local.lower() != root.local.lower():
        reasons.append(f"name like {local}")
    titled = frozenset(words(message.title))
    told = frozenset((*words(root.local), *words(about)))
    score += 0.15 * len(titled & told) / max(len(titled), 1)
    score += 0.3 * alike
    reasons.append(f"content alike by {alike:.0%}")
    return score, tuple(reasons)


def _count(nodes: Sequence[Node]) -> dict[str, int]:
    """How often each name, and each kind of text, occurs."""
    found: dict[str, int] = {}
    for node in filter(lambda each: each.path, nodes):
        text = node.text
        kind = f"{text.family} {text.least} {text.most} {text.patterns} {text.values[:4]}" if text else "element"
        for word in (node.name.lower(), kind):
            found[word] = found.get(word, 0) + 1
    return found


def _alike(one: Mapping[str, int], other: Mapping[str, int]) -> float:
    keys = {*one, *other}
    return sum(min(one.get(key, 0), other.get(key, 0)) for key in keys) / max(
        sum(max(one.get(key, 0), other.get(key, 0)) for key in keys), 1
    )
