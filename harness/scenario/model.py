"""Scripts and cases.

A *scenario* is the whole conversation between all parties, written once; a *case* is its projection onto one
system under test.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal, TypeAlias

from harness.errors import Where
from harness.evidence.conversation import Save
from harness.message.model import Value
from harness.pack.model import Expectation, Party

MOVEMENTS = 4
"""How many movements one case may have at most: so many numbers of a pattern are kept for each."""
LATE = "delivery/delayed"
"""The defect of an answer that is held back until its time limit is over."""
OVERDUE = 1.25
"""For how long a late answer is held back, in time limits."""


@dataclass(frozen=True)
class FromPool:
    """A value that the step takes from a pool of the IXIT (``with: {holder: {pool: unauthorised_holders}}``)."""

    pool: str


@dataclass(frozen=True)
class FromSaved:
    """A value that an earlier step saved (``with: {guarantee: {saved: first_guarantee}}``)."""

    name: str


@dataclass(frozen=True)
class FromSeats:
    """The facts of these seats only, in the order given, for a value that is made from the facts of all of them.

    In a script: ``changes: {itinerary: {seats: [customs.departure, customs.transit]}}``.
    """

    seats: tuple[str, ...]


Given: TypeAlias = "Value | FromPool | FromSaved | FromSeats"


@dataclass(frozen=True)
class CheckCall:
    """A named check of the message that the SUT sends in a step (``check:``), see :mod:`harness.check.named`."""

    name: str
    parameters: Mapping[str, Value | FromSaved] = field(default_factory=dict)

    def resolved(self, saved: Mapping[str, Value]) -> dict[str, Value]:
        """The parameters with what was saved; ``None`` for what was not."""
        return {
            name: saved.get(given.name) if isinstance(given, FromSaved) else given
            for name, given in self.parameters.items()
        }


@dataclass(frozen=True)
class Bearer:
    """What a scenario proves about one role.

    Parameters:
        role: the role that bears the requirements.
        purpose: the test purpose, one sentence, from this role's point of view.
        requirements: ids of the requirements.
    """

    role: str
    purpose: str
    requirements: tuple[str, ...]


@dataclass(frozen=True)
class Exchange:
    """A request and its answer.

    Parameters:
        id: unique in the scenario: the message name, with ``.2`` from the second one on unless given.
        message: name of the request.
        sender, receiver: party ids.
        subject: the position that the exchange is about (whose operation), or ``None``.
        movement: the movement that it belongs to; the empty text where a case has only one.
        values: values set in this step (``with:`` and ``changes:``).
        changes: names of those that are new from this step on, for everybody (``changes:``); the others belong to the
            step alone.
        defect: name of the defect put into it, or ``None``.
        expectation: how it must be answered.
        violation: the request itself breaks the rules (``when: simulated``): only a simulated party sends it.
        refused: the outcome that a SUT in the sender's place is told instead, for a legal message.
        beaten: how it is answered where it races with others of its ``any_order`` block and another one was accepted
            (``beaten:``), or ``None``.
        during: exchanges that happen inside this one, before its answer.
        floating: it may happen at any time from here to the end of the case (``eventually:``).
        within: name of the timer of the awaited message, for a floating exchange.
        reaction: id of the reaction that made it, or ``None`` when it was written.
        requirement, received: demands on its sender and on its receiver, from the reaction.
        event: what happened, for the maker ``event``.
        forwards: id of the exchange whose content it forwards, or ``None``.
        repeats: id of an earlier exchange whose exact bytes are sent again (``repeat:``), or ``None``.
        answer_defect: name of the defect put into the *answer*, or ``None``. It is only ever given to the SUT, which
            must not go on as if it had been accepted.
        variation, answer_variation: names of the legal variations in which request and answer are written, where the
            harness sends them, or ``None``; what is owed because of the request is written like it.
        save: values that later steps use, by name: part, and bound name or path (``save:``).
        check: a named check of the SUT's message, or ``None``.
        clocks: by how much the clocks of parties are ahead of the true time when it happens, negative where they are
            behind (``clocks:``); who is not there has the right time.
    """

    id: str
    message: str
    sender: str
    receiver: str
    subject: str | None = None
    movement: str = ""
    values: Mapping[str, Given] = field(default_factory=dict)
    changes: frozenset[str] = frozenset()
    defect: str | None = None
    expectation: Expectation = field(default_factory=Expectation)
    violation: bool = False
    refused: Expectation | None = None
    beaten: Expectation | None = None
    during: tuple[Exchange, ...] = ()
    floating: bool = False
    within: str | None = None
    reaction: str | None = None
    requirement: str | None = None
    received: str | None = None
    event: str = ""
    forwards: str | None = None
    repeats: str | None = None
    answer_defect: str | None = None
    variation: str | None = None
    answer_variation: str | None = None
    save: Mapping[str, Save] = field(default_factory=dict)
    check: CheckCall | None = None
    clocks: Mapping[str, timedelta] = field(default_factory=dict)


@dataclass(frozen=True)
class Quiet:
    """For this long, that party must not send that message in that movement (``quiet:``)."""

    id: str
    party: str
    message: str
    timer: str
    movement: str = ""


@dataclass(frozen=True)
class Probe:
    """The state of an object as a party sees it, asked over the control interface (``probe:``).

    Parameters:
        object: the object of the life-cycle table.
        party: who is asked.
        states: any of these is right.
        position: the position whose object it is, where the object is one per position.
        movement: the movement whose object it is.
    """

    id: str
    object: str
    party: str
    states: tuple[str, ...]
    position: str | None = None
    movement: str = ""


@dataclass(frozen=True)
class Attest:
    """A person must look (``attest:``): always a review."""

    id: str
    party: str
    question: str


@dataclass(frozen=True)
class AnyOrder:
    """Exchanges that may happen in any order, also interleaved (``any_order:``)."""

    id: str
    steps: tuple[Exchange, ...]


Step: TypeAlias = "Exchange | Quiet | Probe | Attest | AnyOrder"


@dataclass(frozen=True)
class Scenario:
    """The whole conversation.

    Parameters:
        id: stable for ever; never positional.
        version: raised when what it demands changes.
        title: one line.
        effect: what a failure would mean at the border.
        group: heading in reports; for written ones the folder.
        bearers: by role, or by party id where only one seat bears them.
        steps: in order.
        parties: ids of the parties that take part.
        where: its file; for a derived one, the cell it comes from.
        derived_from: why a derived scenario exists (``lifecycle I9: operation started``), else ``None``.
        journey: the transport that it is played on; empty for that of the pack itself.
        needs: the procedures that persons must work in it (``needs:``).
        depth: the least at which it is played.
        places: where its steps are written, by id.
    """

    id: str
    version: int
    title: str
    effect: str
    group: str
    bearers: Mapping[str, Bearer]
    steps: tuple[Step, ...]
    parties: tuple[str, ...]
    where: Where
    derived_from: str | None = None
    journey: str = ""
    needs: tuple[str, ...] = ()
    depth: Depth = "quick"
    places: Mapping[str, Where] = field(default_factory=dict, compare=False)

    def place(self, step: str) -> Where:
        """Where a person looks for a step: where it is written, or what it comes from."""
        return self.places.get(step) or Where(self.where.file, self.where.line, step)


Mode = Literal["await", "deliver", "simulate"]

Depth = Literal["quick", "full", "exhaustive"]
"""How many cases there are: one derived case of each group for each demand, and nothing that takes long; those of all
constraints; or also those of every defect in every message."""


@dataclass(frozen=True)
class Case:
    """A scenario projected onto one SUT: what is planned, played and judged.

    A step's mode follows from its parties: the SUT sends, so it is awaited; the SUT receives, so it is
    delivered; neither, so it is simulated. See :func:`harness.scenario.project.mode`.

    Parameters:
        id: ``scenario@position`` (``start-twice@departure``), ``scenario@role`` for a role with one seat;
            a control that is repeated at the end has ``~end`` appended.
        scenario: the scenario's id; version, title, effect, group as there.
        purpose, requirements: the bearer's.
        sut: the party id in whose seat the SUT sits.
        parties: everybody, with the facts that hold in this case.
        steps: the projected steps; reactions are expanded.
        purpose_steps: ids of the steps in which the purpose shows.
        negative: the case shows a refusal, and counts only beside its positive control.
        control: id of its positive control, or ``None``.
        is_control: it is played as a positive control only (not counted).
        serial: its number in the plan, from 0; data are made from it.
        journey: the transport that it is played on; empty for that of the pack itself.
        needs: the procedures that persons must work in it.
    """

    id: str
    scenario: str
    version: int
    title: str
    effect: str
    group: str
    purpose: str
    requirements: tuple[str, ...]
    sut: str
    parties: Mapping[str, Party]
    steps: tuple[Step, ...]
    purpose_steps: tuple[str, ...]
    negative: bool
    control: str | None
    is_control: bool
    where: Where
    derived_from: str | None = None
    serial: int = 0
    journey: str = ""
    needs: tuple[str, ...] = ()
