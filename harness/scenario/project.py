"""One script, every role: the projection of a scenario onto the seat of the system under test.

Rules:

1. What the SUT sends is awaited, what it receives is delivered, the rest is simulated.
2. What a party owes by the pack's reactions is added here and never written in a script: forwarding inside
   the open exchange, notifications after it.
3. A step that is wrong on purpose is only ever sent by a simulated party. With the SUT in its place, the
   steps before it are completed to a state in which the message is legal, and the SUT is told the refusal.
4. A seat that has no part in the purpose gets no case, nor has one whose clock is off: only we can set ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase

from harness.pack.model import Outcome, Pack, Party, Reaction
from harness.pack.read_lifecycle import SUBJECT
from harness.scenario.model import (
    LATE,
    OVERDUE,
    AnyOrder,
    Attest,
    Case,
    Exchange,
    FromSeats,
    Mode,
    Probe,
    Quiet,
    Scenario,
    Step,
)
from harness.scenario.route import legal_route

ACCEPTED = Outcome("accepted")


def mode(step: Exchange, sut: str) -> Mode:
    """What the harness does in this exchange."""
    if step.sender == sut:
        return "await"
    return "deliver" if step.receiver == sut else "simulate"


def exchanges(steps: Iterable[Step]) -> Iterator[Exchange]:
    """Every exchange of a script, inner ones after the one that they happen in."""
    for step in steps:
        if isinstance(step, Exchange):
            yield step
            if step.during:
                yield from exchanges(step.during)
        elif isinstance(step, AnyOrder):
            yield from exchanges(step.steps)


def everything(steps: Iterable[Step]) -> Iterator[Step]:
    """Every step of a script in its order, inner exchanges after the one that they happen in."""
    for step in steps:
        if isinstance(step, Exchange | AnyOrder):
            yield from exchanges([step])
        else:
            yield step


def wrong(step: Exchange) -> bool:
    """Whether the request of this exchange is wrong on purpose."""
    return step.violation or step.defect is not None


def held_back(step: Exchange, limit: float) -> float:
    """For how many seconds the answer to an exchange is held back on purpose; its time limit is in seconds, too."""
    return OVERDUE * limit if step.answer_defect == LATE else 0.0


def settles(step: Exchange) -> bool:
    """Whether the exchange, when it goes as written, ends with the request accepted on both sides."""
    return ACCEPTED in step.expectation.expect and not wrong(step) and step.answer_defect is None


def seats(pack: Pack, role: str) -> tuple[str, ...]:
    """Party ids of a role, in the order of its positions."""
    positions = pack.roles[role].positions
    return tuple(f"{role}.{position}" for position in positions) if positions else (role,)


def project(scenario: Scenario, pack: Pack, seat: str, facts: Mapping[str, str] | None = None) -> Case | None:
    """The case of a scenario for a SUT in that seat, or ``None`` when it has no part in the purpose.

    Parameters:
        scenario: the script.
        pack: its profile.
        seat: party id of the seat.
        facts: what messages say about the SUT, in place of the pack's defaults for the seat.
    """
    role = pack.parties[seat].role
    bearer = scenario.bearers.get(seat) or scenario.bearers.get(role)
    if bearer is None or seat not in scenario.parties:
        return None
    script = scenario.steps
    if any(seat in step.clocks for step in exchanges(script)):
        return None
    purpose = next((step for step in exchanges(script) if wrong(step) or step.answer_defect), None)
    if purpose is not None:
        if seat not in (purpose.sender, purpose.receiver):
            return None
        if purpose.answer_defect is not None and purpose.sender != seat:
            return None
        if purpose.sender == seat and wrong(purpose):
            if purpose.refused is None:
                return None
            script = _told(script, purpose, pack)
    steps = _trimmed(tuple(_expanded(script, pack, scenario.parties, seat)), seat)
    played = [step for step in exchanges(steps) if mode(step, seat) != "simulate"]
    if not played and not any(isinstance(step, Probe | Attest) for step in steps):
        return None
    position = pack.parties[seat].position
    return Case(
        id=f"{scenario.id}@{position or role}",
        scenario=scenario.id,
        version=scenario.version,
        title=scenario.title,
        effect=scenario.effect,
        group=scenario.group,
        purpose=bearer.purpose,
        requirements=bearer.requirements,
        sut=seat,
        parties=_parties(pack, scenario, seat, facts or {}),
        steps=steps,
        purpose_steps=_purpose_steps(steps, scenario, seat),
        negative=any(is_negative(step, played, pack) for step in played),
        control=None,
        is_control=False,
        where=scenario.where,
        derived_from=scenario.derived_from,
        journey=scenario.journey,
        needs=scenario.needs,
    )


def is_negative(step: Exchange, others: Iterable[Exchange], pack: Pack) -> bool:
    """Whether an exchange does not simply end with acceptance.

    Silence is none of that where the answer stands in the script as an exchange of its own.
    """
    if step.answer_defect is not None or ACCEPTED in step.expectation.expect:
        return step.answer_defect is not None
    answer = pack.messages[step.message].answer
    silent = all(outcome.kind == "silence" for outcome in step.expectation.expect)
    return not (silent and answer is not None and any(each.message == answer for each in others))


def _told(script: tuple[Step, ...], purpose: Exchange, pack: Pack) -> tuple[Step, ...]:
    """The script with a legal message in place of the wrong one, which is then refused; later wrong ones go."""
    assert purpose.refused is not None  # noqa: S101 - the caller asked
    index = next(number for number, step in enumerate(script) if purpose in exchanges([step]))
    before = script[:index]
    route = legal_route(pack, purpose, before)
    legal = replace(
        purpose,
        id=purpose.message,
        violation=False,
        defect=None,
        values={},
        repeats=None,
        expectation=purpose.refused,
        refused=None,
    )
    rest = tuple(step for step in script[index + 1 :] if not (isinstance(step, Exchange) and wrong(step)))
    return tuple(_numbered((*route, legal, *rest)))


def _numbered(steps: Iterable[Step]) -> Iterator[Step]:
    """The steps with ids that are unique: a completed route may repeat a message."""
    taken: set[str] = set()
    for step in steps:
        name, number = step.id, 1
        while name in taken:
            number += 1
            name = f"{step.id}.{number}"
        taken.add(name)
        yield replace(step, id=name)


def _expanded(steps: Iterable[Step], pack: Pack, parties: tuple[str, ...], seat: str) -> Iterator[Step]:
    """The steps with everything that is owed after or inside them, to those whom it concerns as the script stands."""
    concerned: dict[tuple[str, str], tuple[str, ...]] = {}
    for step in steps:
        for each in exchanges([step]):
            concerned |= {
                (each.movement, name): given.seats
                for name, given in each.values.items()
                if name in each.changes and isinstance(given, FromSeats)
            }
        if isinstance(step, Exchange):
            yield from _with_reactions(step, pack, parties, seat, concerned)
        elif isinstance(step, AnyOrder):
            owed: list[Step] = []
            inner: list[Exchange] = []
            for exchange in step.steps:
                first, *others = _with_reactions(exchange, pack, parties, seat, concerned)
                if isinstance(first, Exchange):
                    inner.append(first)
                owed.extend(others)
            yield replace(step, steps=tuple(inner))
            yield from owed
        elif isinstance(step, Quiet | Probe | Attest) and step.party != seat:
            continue
        else:
            yield step


def _with_reactions(
    step: Exchange,
    pack: Pack,
    parties: tuple[str, ...],
    seat: str,
    concerned: Mapping[tuple[str, str], tuple[str, ...]],
) -> Iterator[Step]:
    """The exchange with what is owed inside it, then what is owed after it.

    Parameters:
        step, pack, parties, seat: as for :func:`project`.
        concerned: the seats of which values of a movement are made, where the script says so.
    """
    owed = [
        (reaction, ower, target)
        for reaction in pack.reactions
        if reaction.on == step.message
        for ower in owers(reaction, step, pack)
        for target in targets(reaction, step, parties, ower)
        if reaction.among is None or target in concerned.get((step.movement, reaction.among.value), parties)
    ]
    during, ends = list(step.during), _ends(step)
    for reaction, ower, target in owed:
        if not reaction.nested:
            continue
        made = _owed(reaction, step, ower, target, floating=False)
        place = next(
            (n for n, each in enumerate(during) if (each.message, each.receiver) == (made.message, target)), None
        )
        if place is not None:  # a script says how it ends; that it is owed, and what it carries, says the reaction
            said = during[place]
            during[place] = replace(
                made,
                id=said.id,
                expectation=said.expectation,
                answer_defect=said.answer_defect,
                answer_variation=said.answer_variation,
            )
        elif reaction.after == ends:
            during.append(made)
    yield replace(step, during=tuple(during))
    for reaction, ower, target in owed:
        if not reaction.nested and reaction.after == ends and seat in (ower, target):
            yield _owed(reaction, step, ower, target, floating=ower == seat)


def _ends(step: Exchange) -> str | None:
    """How the exchange ends as written: accepted, refused by an answer of the protocol, or in another way."""
    if settles(step):
        return "accepted"
    refused = step.answer_defect is None and all(outcome.kind == "error" for outcome in step.expectation.expect)
    return "refused" if refused else None


def owers(reaction: Reaction, step: Exchange, pack: Pack) -> list[str]:
    """The end of the exchange that owes the message: the receiver where it is of that role, else the sender."""
    position = pack.messages[reaction.send].sender_position
    return [
        end
        for end in (step.receiver, step.sender)
        if pack.parties[end].role == reaction.by and position in (None, pack.parties[end].position)
    ][:1]


def targets(reaction: Reaction, step: Exchange, parties: tuple[str, ...], ower: str) -> list[str]:
    """The parties to whom that end of the exchange owes the message of the reaction."""
    role, _, position = reaction.to.partition(".")
    wanted = f"{role}.{step.subject}" if position == SUBJECT else reaction.to
    known = {ower} if reaction.after == "refused" else {step.sender, step.receiver}
    return [party for party in parties if fnmatchcase(party, wanted) and party not in known]


def _owed(reaction: Reaction, step: Exchange, ower: str, target: str, *, floating: bool) -> Exchange:
    return Exchange(
        id=f"{step.id}/{reaction.id}>{target}",
        message=reaction.send,
        sender=ower,
        receiver=target,
        subject=step.subject,
        movement=step.movement,
        floating=floating,
        within=reaction.within,
        reaction=reaction.id,
        requirement=reaction.requirement,
        # whether a clock that is off is forgiven, or another way to write, is what its case is about: not the reaction
        received=None if step.clocks.get(ower) or step.variation else reaction.received,
        event=reaction.event,
        forwards=step.id if reaction.forward else None,
        clocks=step.clocks,
        variation=step.variation,
    )


def _trimmed(steps: tuple[Step, ...], seat: str) -> tuple[Step, ...]:
    """Without the steps after the last one that concerns the SUT, and without simulated notifications."""

    def concerns(step: Step) -> bool:
        if isinstance(step, Exchange | AnyOrder):
            return any(mode(exchange, seat) != "simulate" for exchange in exchanges([step]))
        return True

    last = max((number for number, step in enumerate(steps) if concerns(step)), default=-1)
    return steps[: last + 1]


def _purpose_steps(steps: tuple[Step, ...], scenario: Scenario, seat: str) -> tuple[str, ...]:
    """Ids of the steps in which the purpose shows.

    From the first exchange that is not simply accepted; without one, all, or for a derived scenario the last
    exchange with what it causes.
    """
    script = list(exchanges(steps))
    ids = [exchange.id for exchange in script]
    start = next((step.id for step in script if mode(step, seat) != "simulate" and not settles(step)), None)
    if start is None and scenario.derived_from is not None:
        start = [step for step in scenario.steps if isinstance(step, Exchange)][-1].id
    before = ids[: ids.index(start)] if start in ids else []
    others = [step.id for step in steps if not isinstance(step, Exchange | AnyOrder)]
    return tuple(name for name in (*ids, *others) if name not in before)


def _parties(pack: Pack, scenario: Scenario, seat: str, facts: Mapping[str, str]) -> dict[str, Party]:
    """Everybody, with the SUT's facts in its seat; who had the same fact there gets the one that it displaces.

    Whoever the SUT is, it is so on every journey; what belongs to the seat is that of the journey.
    """
    party, role = pack.parties[seat], pack.roles[pack.parties[seat].role]
    on_route = pack.on(scenario.journey).parties
    own = {name: text for name, text in party.facts.items() if not role.own or name in role.own}
    here = on_route[seat].facts
    displaced = {name: text for name, text in here.items() if not role.own or name in role.own}
    facts = {**here, **own, **facts}
    moved = {name: text for name, text in facts.items() if displaced.get(name) != text}
    parties = {}
    for name in scenario.parties:
        other = on_route[name]
        if name == seat:
            parties[name] = replace(other, facts=facts)
        elif other.role == party.role and any(other.facts.get(key) == value for key, value in moved.items()):
            parties[name] = replace(other, facts={**other.facts, **displaced})
        else:
            parties[name] = other
    return parties


def is_limited(step: Exchange, sut: str) -> bool:
    """Whether the protocol limits the time of what the SUT says in an exchange: its answer, or a request that it owes.

    A request that it is only asked for has no limit but our own patience.
    """
    part = mode(step, sut)
    return part == "deliver" or (part == "await" and (step.reaction is not None or step.floating))


def is_timed(case: Case, pack: Pack) -> bool:
    """Whether the purpose of a case is timing: it carries a requirement with the check ``timing``, or its SUT owes one.

    Nothing else is played beside such a case, so that only the SUT can be late.
    """
    owed = (step.requirement if step.sender == case.sut else step.received for step in exchanges(case.steps))
    names = (*case.requirements, *(name for name in owed if name is not None))
    checks = (check for name in names if name in pack.requirements for check in pack.requirements[name].checks)
    return any(check.partition("/")[0] == "timing" for check in checks)
