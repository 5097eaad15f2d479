"""A profile as data: everything the harness knows about one exchange.

A pack is read once and never changes. All of it is frozen, so that two readers of one pack cannot disagree.
The files behind it, and the notation of each, are described in ``docs/packs.md``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, NamedTuple

from harness.errors import Where
from harness.message.model import Binding
from harness.pack.fault import Fault, Teeth, Variation
from harness.pack.layers import Base
from harness.pack.paths import Paths
from harness.pack.violation import Refusals
from harness.security.model import SecurityProfile

Level = Literal["MUST", "SHOULD", "MAY"]
Mark = Literal["public", "inferred", "assumed"]
Correlation = Literal["required", "optional", "forbidden"]

ANSWER = "answer"
"""Name of the timer within which a request is answered when nothing else is said."""


@dataclass(frozen=True)
class Origin:
    """Where a fact comes from (``source:``).

    Parameters:
        mark: ``public`` (read in the cited source), ``inferred`` (reasoned from public facts) or ``assumed``.
        text: the citation, or the reasoning.
    """

    mark: Mark
    text: str


@dataclass(frozen=True)
class Requirement:
    """A numbered demand of a specification on one role.

    Parameters:
        id: stable for ever, such as ``ETIR-I9-220``.
        level: MUST, SHOULD or MAY.
        bearer: the role that must fulfil it, or ``any``.
        text: the demand in one sentence of our own.
        effect: what happens at the border when it is not met.
        source: where the demand comes from.
        group: heading under which reports list it.
        checks: names of checks (``signature/*`` patterns allowed) whose findings break this requirement.
        messages: message names to which ``checks`` applies; empty means all.
        untested: why no case tests it (``not observable``, ``needs a person``, ``not public``), or ``None``.
    """

    id: str
    level: Level
    bearer: str
    text: str
    effect: str
    source: Origin
    group: str
    checks: tuple[str, ...] = ()
    messages: tuple[str, ...] = ()
    untested: str | None = None


@dataclass(frozen=True)
class Party:
    """A seat at the table: a role, for customs in one position.

    Parameters:
        id: ``platform``, or ``customs.departure`` where the role has positions.
        role: the role.
        position: the position, or ``None``.
        facts: what messages say about the party: ``id``, ``name``, ``country``, ``office``, ...
    """

    id: str
    role: str
    position: str | None
    facts: Mapping[str, str]


@dataclass(frozen=True)
class Role:
    """A role of the exchange.

    Parameters:
        id: the role.
        title: its name for people.
        positions: its seats; empty for a role with one seat.
        own: facts that a party brings along wherever it sits (``country``); the others belong to the seat. Empty
            means all.
    """

    id: str
    title: str
    positions: tuple[str, ...] = ()
    own: tuple[str, ...] = ()


OutcomeKind = Literal["accepted", "error", "fault", "http", "tls", "closed", "silence"]


class Outcome(NamedTuple):
    """How an exchange ended, seen by whoever sent the request.

    Parameters:
        kind: ``accepted``; ``error`` (an answer of the protocol that refuses); ``fault`` (SOAP fault);
            ``http`` (a status and no answer of the protocol); ``tls`` (refused in the handshake);
            ``closed`` (connection ended without an answer); ``silence`` (nothing within the time budget).
        code: error code, fault code or HTTP status (``4xx`` matches a class); ``None`` matches any.
        pointer: place named by an error; ``None`` matches any.
        by: name of the message that says the error, where several can; ``None`` matches any.
    """

    kind: OutcomeKind
    code: str | None = None
    pointer: str | None = None
    by: str | None = None


@dataclass(frozen=True)
class Expectation:
    """Three sets: ``expect`` passes, ``permitted`` is inconclusive, everything else fails.

    Parameters:
        expect: outcomes that pass.
        permitted: other legal outcomes, for which a different check may have fired first.
        permitted_verdict: what a permitted outcome counts as: ``inconclusive`` or ``warning``.
    """

    expect: tuple[Outcome, ...] = (Outcome("accepted"),)
    permitted: tuple[Outcome, ...] = ()
    permitted_verdict: Literal["inconclusive", "warning"] = "inconclusive"


@dataclass(frozen=True)
class Maker:
    """How a simulated owner gets a value (``make:``).

    Parameters:
        kind: ``reference`` (unique per message, carries the challenge), ``reply`` (the reference of the
            request), ``now`` (*text* is a strftime format, UTC), ``pattern`` (*text* with ``#`` for a digit
            and ``@`` for an upper-case letter, never the same twice), ``fact`` (*text* is
            ``<party>.<fact>``, where party is ``sender``, ``receiver``, ``subject`` or a party id),
            ``facts`` (the same with a wildcard party, such as ``customs.*.country``: a list in the order of
            positions), ``pool`` (next entry of the named pool), ``fixed`` (*text* itself),
            ``event`` (the name that the reaction gives to what happened), ``golden`` (left as in the golden sample),
            or ``where`` (left as in the golden sample where all facts in *where* are in their code lists, else out).
        text: see kind.
        where: facts, and the code list of each.
    """

    kind: Literal["reference", "reply", "now", "pattern", "fact", "facts", "pool", "fixed", "event", "golden", "where"]
    text: str = ""
    where: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ValueRule:
    """Who owns a bound value, how long it lives, and how a simulated owner makes it.

    Parameters:
        name: the bound name.
        owner: the role that sets it, one seat of a role (``role.position``), or ``sender`` (whoever sends the message).
        scope: ``message`` (new in every message), ``position`` (one per customs position in the movement)
            or ``movement`` (one for the movement).
        make: how it is made.
        about: one phrase for reports and the control interface.
        secret: masked in everything that is shown.
    """

    name: str
    owner: str
    scope: Literal["message", "position", "movement"]
    make: Maker
    about: str = ""
    secret: bool = False

    def owned_by(self, party: Party) -> bool:
        """Whether that party is the named owner; for ``sender`` it depends on the message and is false here."""
        return self.owner in (party.role, party.id)


@dataclass(frozen=True)
class ErrorShape:
    """Where an answer lists its errors: ``each`` ends in ``[*]``; code and pointer are paths below it.

    ``pointer_prefix`` is removed from a pointer before it is compared; of a ``rooted`` pointer the first step is the
    root element of the message that is refused.
    """

    each: str
    code: str
    pointer: str | None = None
    text: str | None = None
    pointer_prefix: str = ""
    rooted: bool = False

    def written(self, pointer: str, root: str) -> str:
        """A pointer as an answer writes it, to a message with that root element in Clark notation."""
        start = f"/{root.rpartition('}')[2]}" if self.rooted else ""
        return self.pointer_prefix + (f"{start}{pointer}".removesuffix("/") or "/")

    def place(self, written: str, roots: Collection[str]) -> str:
        """The pointer that an answer has written; *roots* are the root elements that there are."""
        pointer = written.removeprefix(self.pointer_prefix) or "/"
        first, _, rest = pointer.removeprefix("/").partition("/")
        known = self.rooted and any(first.rpartition(":")[2] == root.rpartition("}")[2] for root in roots)
        return f"/{rest}" if known else pointer


@dataclass(frozen=True)
class Message:
    """One message of the exchange.

    Parameters:
        name: its name in the specification, such as ``I9``.
        title: what the specification calls it.
        purpose: one sentence.
        sender, receiver: roles.
        sender_position, receiver_position: positions, where only one seat of the role sends or receives it.
        optional: roles that may do without this request; it is mandatory for every other role that it concerns.
        unmapped: what nobody has found yet in the schemas of an overlay: ``root``, or places in the words of the base.
        answer: name of the answering message; ``None`` for a one-way message or an answer.
        answers: name of the request that this message answers, or ``None``.
        refuses: names of the messages that this one can refuse, whatever they are; such a message only ever refuses.
        refusals: names of the messages that can refuse this one, besides its answer.
        correlation: whether it names the message that it refers to: it must, may or must not.
        within: name of the timer within which it is answered.
        root: root element in Clark notation; for JSON the value at ``identify`` in the pack, or ``""``.
        schema: schema file (XSD or JSON Schema).
        action: SOAP action, or ``None``.
        method, target: HTTP method and path below the receiver's endpoint.
        golden: golden sample by shape: ``{"accepted": path}``, for answers also ``{"refused": path}``.
        bindings: the bound names.
        correlate: bound names by which a received message finds its conversation.
        accepted: for answers: path and values that mean *accepted*; ``None`` when the absence of errors does.
        errors: for answers and refusals: where errors stand.
        redact: paths that are masked in everything shown.
    """

    name: str
    title: str
    purpose: str
    sender: str
    receiver: str
    root: str
    schema: Path
    golden: Mapping[str, Path]
    bindings: Mapping[str, Binding]
    answer: str | None = None
    answers: str | None = None
    action: str | None = None
    method: str = "POST"
    target: str = ""
    correlate: tuple[str, ...] = ()
    accepted: tuple[str, tuple[str, ...]] | None = None
    errors: ErrorShape | None = None
    redact: tuple[str, ...] = ()
    sender_position: str | None = None
    receiver_position: str | None = None
    optional: tuple[str, ...] = ()
    refuses: tuple[str, ...] = ()
    refusals: tuple[str, ...] = ()
    correlation: Correlation = "optional"
    within: str = ANSWER
    unmapped: tuple[str, ...] = ()

    @property
    def replies(self) -> bool:
        """Whether it is only ever said in reply to another message."""
        return self.answers is not None or bool(self.refuses)


@dataclass(frozen=True)
class Cell:
    """One cell of the life-cycle table: this message while that object is in that state.

    Parameters:
        refuse: the refusal, or ``None`` when the message may proceed.
        permitted: other legal refusals.
        also: other refusals that are just as right.
        requirement: demand on the receiver (it must refuse so, or accept).
        told: demand on a sender that is told this refusal.
        source: where the cell comes from.
        where: file and line of the cell.
    """

    refuse: Outcome | None
    permitted: tuple[Outcome, ...]
    requirement: str | None
    told: str | None
    source: Origin
    where: Where
    also: tuple[Outcome, ...] = ()


@dataclass(frozen=True)
class Guard:
    """What one message demands of one object: a cell for every state of the object."""

    object: str
    cells: Mapping[str, Cell]


@dataclass(frozen=True)
class Match:
    """A bound value must equal the one in the message that created an object (wrong holder: 320)."""

    value: str
    object: str
    cell: Cell


@dataclass(frozen=True)
class Unique:
    """A bound value that no object on record may have had from the message that created it (number used twice: 214).

    Parameters:
        value: the bound name.
        object: objects of this kind are compared.
        within: bound names in which they must agree to be compared at all; empty compares with all.
        cell: the refusal.
    """

    value: str
    object: str
    within: tuple[str, ...]
    cell: Cell


@dataclass(frozen=True)
class Listed:
    """A bound value is refused when it, or an entry of it, stands in a pool (unknown holder: 322).

    The pool holds what the receiver does *not* know, so that a pack need not list everything that it does.
    """

    value: str
    pool: str
    cell: Cell


@dataclass(frozen=True)
class StateObject:
    """A thing with a life: guarantee, declaration, operation.

    Parameters:
        name: its name.
        key: bound names that tell one instance from another.
        initial: the state before anything happened.
        states: state name to one sentence.
    """

    name: str
    key: tuple[str, ...]
    initial: str
    states: Mapping[str, str]


@dataclass(frozen=True)
class Branch:
    """What a message does to the objects when it says something particular.

    Parameters:
        value: the bound name that decides.
        texts: what it says then; the first is said where such a message is made.
        given: what such a message says besides, by bound name; ``None`` leaves a value out.
        effects: object name to new state, in place of the usual effects.
    """

    value: str
    texts: tuple[str, ...]
    given: Mapping[str, str | None]
    effects: Mapping[str, str]


@dataclass(frozen=True)
class MessageRules:
    """The life-cycle table of one message: guards in order, then demands on values, then the effects of acceptance.

    Parameters:
        guards: in the order in which the receiver checks; the first refusal is expected, later ones are
            permitted.
        matches: values that must agree with recorded ones, checked after the guards.
        duplicate: the cell for a message whose reference the receiver has already seen from this sender.
        effects: object name to new state, when the message is accepted.
        listed: values that must not stand in a pool, checked before the matches.
        unique: values that must not have been used before, checked after the matches.
        branches: what takes the place of the effects when a message says something particular; the first that fits.
    """

    message: str
    guards: tuple[Guard, ...]
    matches: tuple[Match, ...]
    duplicate: Cell | None
    effects: Mapping[str, str]
    listed: tuple[Listed, ...] = ()
    unique: tuple[Unique, ...] = ()
    branches: tuple[Branch, ...] = ()

    @property
    def changes(self) -> frozenset[str]:
        """Every object whose state the message can change."""
        return frozenset((*self.effects, *(name for branch in self.branches for name in branch.effects)))

    @property
    def cells(self) -> tuple[Cell, ...]:
        """Every cell of the table."""
        return (
            *(cell for guard in self.guards for cell in guard.cells.values()),
            *(each.cell for each in self.listed),
            *(each.cell for each in self.matches),
            *(each.cell for each in self.unique),
            *((self.duplicate,) if self.duplicate is not None else ()),
        )


@dataclass(frozen=True)
class Among:
    """Parties whose fact stands in a value of the movement, such as the countries of its route."""

    fact: str
    value: str


@dataclass(frozen=True)
class Reaction:
    """What a party owes after a message was accepted, or refused.

    Parameters:
        id: stable.
        on: the message that triggers it.
        by: the role that owes it: that of the receiver of the trigger, else of its sender.
        send: the message owed.
        to: party, or wildcard such as ``customs.*``, or ``customs.subject`` for the position that the trigger is
            about; the sender of the trigger is left out, unless it was refused.
        nested: the owed exchange happens inside the open one, whose answer depends on it (forwarding);
            otherwise it follows within the timer.
        forward: the content is that of the trigger (signed anew, with its own message-scoped values).
        within: name of the timer.
        event: what happened, for the maker ``event``.
        requirement: demand on the party that owes it.
        received: demand on the party that receives it (it must confirm).
        source: where it comes from.
        after: how the trigger must have ended.
        among: whom it concerns of those that ``to`` names; ``None`` for all.
        unanswered: how the trigger is answered when no answer to the nested exchange comes that can be believed;
            ``None`` where nobody says.
    """

    id: str
    on: str
    by: str
    send: str
    to: str
    within: str
    source: Origin
    nested: bool = False
    forward: bool = False
    event: str = ""
    requirement: str | None = None
    received: str | None = None
    after: Literal["accepted", "refused"] = "accepted"
    among: Among | None = None
    unanswered: Expectation | None = None


@dataclass(frozen=True)
class Constraint:
    """How schema violations of one kind are answered: kind of constraint to permitted (code, pointer).

    Parameters:
        kind: kind of violation.
        expectation: how a receiver must answer.
        requirement: demand on a receiver.
        source: where it comes from.
        told: demand on a sender that receives an *answer* with such a violation (it does not proceed).
        places: the same for elements and attributes that are answered otherwise, by their name.
    """

    kind: str
    expectation: Expectation
    requirement: str | None
    source: Origin
    told: str | None = None
    places: Mapping[str, Constraint] = field(default_factory=dict)

    def at(self, pointer: str) -> Constraint:
        """How a violation at that place is answered."""
        return self.places.get(pointer.rpartition("/")[2].lstrip("@").partition("[")[0], self)


@dataclass(frozen=True)
class CodeList:
    """A code list with its version; ``codes`` maps a code to its meaning."""

    id: str
    title: str
    version: str
    codes: Mapping[str, str]
    source: Origin


@dataclass(frozen=True)
class CodedField:
    """A place whose value must be in a code list.

    Parameters:
        message, path: the place.
        codelist: id of the list.
        code: error code of a value that is not in it.
        requirement: the demand it breaks.
        permitted: how else it may be answered.
    """

    message: str
    path: str
    codelist: str
    code: str
    requirement: str | None
    permitted: tuple[Outcome, ...] = ()


@dataclass(frozen=True)
class Rule:
    """A rule or condition over one message.

    Parameters:
        id: such as ``C001``.
        messages: message names it applies to.
        kind: the named predicate of :mod:`harness.pack.rule`: ``sum``, ``required-if``, ``sequence``, ...
        parameters: its parameters, paths in the path dialect.
        text: the rule in one sentence.
        code: error code of a violation.
        codes: other codes for what is missing (``R``) and for what must not be there (``N``).
        permitted: how else a violation may be answered.
        requirement: the demand it breaks.
        kept: the demand that whoever sends it breaks, where that is another one.
        source: where it comes from.
        decisive, since, until: path of the date that decides whether the rule holds, and its time (ISO 8601, the end
            does not belong to it); ``None`` for ever.
        moved: the parameters for a message whose places an overlay has moved.
    """

    id: str
    messages: tuple[str, ...]
    kind: str
    parameters: Mapping[str, Any]
    text: str
    code: str
    requirement: str | None
    source: Origin
    decisive: str | None = None
    since: str | None = None
    until: str | None = None
    moved: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    codes: Mapping[str, str] = field(default_factory=dict)
    kept: str | None = None
    permitted: tuple[Outcome, ...] = ()


@dataclass(frozen=True)
class Defect:
    """A wrong message on purpose: what the pack says of one of the harness's defects.

    Parameters:
        id: name of the defect, such as ``signature/body-altered``; its code lives beside what it breaks.
        text: what is wrong, in one sentence.
        expectation: how a receiver must answer.
        requirement: demand on a receiver.
        told: demand on a sender that receives an *answer* with this defect (it does not proceed).
    """

    id: str
    text: str
    expectation: Expectation
    requirement: str | None
    told: str | None


@dataclass(frozen=True, eq=False)
class Pack:
    """A whole profile. Compared by identity: it is read once in a run.

    Parameters:
        id, version, title: which one.
        notice: the sentence about officiality that every report prints.
        provenance: where its facts come from, in a paragraph.
        disputes: where to write when a demand of this pack seems wrong; empty where it says nothing.
        root: its folder.
        fixtures: folder of its golden samples.
        digest: SHA-256 over the names and bytes of all its files, as ``sha256:<hex>``.
        extends: ids of the packs that it overlays, nearest first.
        bases: the same with version and digest.
        format: ``xml`` or ``json``.
        envelope: ``soap-1.2``, ``soap-1.1`` or ``none``.
        media_type: content type of requests.
        case_header: HTTP header that carries the case id, or ``None`` where the pack forbids it.
        identify: how a received message is told: ``root`` (root element), ``action``, or ``target`` (method
            and path).
        answers: how answers travel: ``reply`` (in the HTTP response to the request) or ``message`` (in a request of
            their own, to the endpoint of whoever is answered; the HTTP response is a receipt and no more).
        roles, parties: who takes part; parties carry the default facts of simulated ones.
        pools: default data pools, by name; a pool entry is a text.
        values, messages, requirements, objects, rules_by_message, reactions, constraints, codelists,
        coded, rules, faults, variations, defects, timers: the tables, by name.
        teeth: what was last shown with these faults and variations; ``None`` where nothing was written down.
        outcomes: named sets of outcomes.
        security: how messages are protected.
        scenarios: the scenario files, sorted.
        roots: its folder, then those of the packs that it overlays, nearest first.
        paths: where the places that these packs speak of are in its own messages.
        procedures: what persons must work in some scenarios, by name: the question that the ICS asks.
        journeys: the same pack on other transports, by name: with parties, golden samples and patterns of their own.
        journey: from where to where, for the pack on one of its journeys; else empty.
    """

    id: str
    version: str
    title: str
    notice: str
    provenance: str
    disputes: str
    root: Path
    fixtures: Path
    digest: str
    extends: tuple[str, ...]
    format: Literal["xml", "json"]
    envelope: Literal["soap-1.2", "soap-1.1", "none"]
    media_type: str
    case_header: str | None
    identify: Literal["root", "action", "target"]
    roles: Mapping[str, Role]
    parties: Mapping[str, Party]
    pools: Mapping[str, tuple[str, ...]]
    values: Mapping[str, ValueRule]
    messages: Mapping[str, Message]
    requirements: Mapping[str, Requirement]
    objects: Mapping[str, StateObject]
    rules_by_message: Mapping[str, MessageRules]
    reactions: tuple[Reaction, ...]
    constraints: Mapping[str, Constraint]
    codelists: Mapping[str, CodeList]
    coded: tuple[CodedField, ...]
    refusals: Mapping[str, Refusals]
    rules: Mapping[str, Rule]
    faults: Mapping[str, Fault]
    variations: Mapping[str, Variation]
    teeth: Teeth | None
    defects: Mapping[str, Defect]
    timers: Mapping[str, timedelta]
    outcomes: Mapping[str, tuple[Outcome, ...]]
    security: SecurityProfile
    scenarios: tuple[Path, ...] = ()
    roots: tuple[Path, ...] = ()
    answers: Literal["reply", "message"] = "reply"
    procedures: Mapping[str, str] = field(default_factory=dict)

    def answering(self, request: str) -> tuple[str, ...]:
        """Names of the messages that may answer a request: its answer, then those that only refuse."""
        message = self.messages[request]
        return (*((message.answer,) if message.answer else ()), *message.refusals)

    def saying(self, request: str, outcome: Outcome) -> str | None:
        """Name of the message that says this outcome of a request; ``None`` where nothing is said."""
        answer = self.messages[request].answer
        if outcome.kind == "accepted":
            return answer
        if outcome.kind != "error":
            return None
        if outcome.by is not None:
            return outcome.by
        refusing = (name for name in self.answering(request) if self.messages[name].errors is not None)
        return next(refusing, answer)

    def silence(self, request: str) -> Outcome:
        """What it means when nothing answers a request in time.

        Where answers are messages of their own, and a message has none that accepts, silence accepts it.
        """
        tacit = self.answers == "message" and self.messages[request].answer is None
        return Outcome("accepted" if tacit else "silence")

    def on(self, journey: str) -> Pack:
        """The pack on one of its journeys; on its own transport where the name is empty."""
        return self.journeys[journey] if journey else self

    bases: tuple[Base, ...] = ()
    paths: Paths = field(default_factory=Paths)
    journeys: Mapping[str, Pack] = field(default_factory=dict)
    journey: str = ""
