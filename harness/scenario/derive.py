"""Cases that nobody writes: for every state and message of the life-cycle table, the way there and the message.

For each message and each state of each object that guards it, the shortest unambiguous way to that state is
taken, then the message is sent. The receiver must answer as the cell says, and answer the same again when
asked again: a refusal that changed its records would show. The same scenario, seen from the sender's seat,
tells a legal message that it was refused, and watches that nothing goes on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from harness.pack.model import Cell, Expectation, Outcome, Pack
from harness.scenario.model import Bearer, Exchange, Probe, Quiet, Scenario, Step
from harness.scenario.oracle import Ledger, accept, cells_at, expectation, refusals, symbols
from harness.scenario.route import Route, legal, routes

GROUP = "Life cycle"
REACTION = "reaction"
"""Name of the pack's timer for how long a party is watched that must not go on."""


def derive(pack: Pack, seat: str) -> tuple[Scenario, ...]:
    """The derived scenarios in which a seat sends or receives the message in question, in the order of the table.

    To a sender, two states that are refused alike are one case: it sees the refusal, never the state.
    """
    return tuple(_derived(pack, seat))


def accepted_id(message: str) -> str:
    """Id of the derived scenario in which a message is simply accepted: the positive control of its negatives."""
    return f"lifecycle-{message}-accepted"


def _derived(pack: Pack, seat: str) -> Iterator[Scenario]:
    subjects = _subjects(pack, seat)
    reachable_by_subject = {subject: tuple(routes(pack, subject)) for subject in subjects}
    for message, table in pack.rules_by_message.items():
        subject = next((each for each in subjects if _sent(pack, message, each, reachable_by_subject[each])), None)
        step = legal(pack, message, subject)
        if not table.guards or seat not in (step.sender, step.receiver):
            continue
        if not _sent(pack, message, subject, reachable_by_subject.get(subject, ())):
            continue
        reachable = reachable_by_subject[subject]
        values = symbols(pack, message, step.subject)
        for ledger, route in reachable:
            if not refusals(ledger, pack, message, values):
                yield from _accepted(pack, message, route, step, ledger)
                break
        told: set[tuple[str | None, Outcome]] = set()
        for guard in table.guards:
            for state, cell in guard.cells.items():
                found = _unambiguous(pack, message, guard.object, state, reachable, step)
                if cell.refuse is not None and found is not None:
                    if seat == step.sender and (cell.told, cell.refuse) in told:
                        continue
                    told.add((cell.told, cell.refuse))
                    name = f"lifecycle-{message}-{guard.object}-{state}".replace("_", "-")
                    reason = f"{pack.messages[message].title}: {guard.object} is {state.replace('_', ' ')}"
                    yield from _refused(pack, name, reason, cell, found, step)
        if table.duplicate is not None:
            yield from _duplicate(pack, message, table.duplicate, reachable, step)


def _subjects(pack: Pack, seat: str) -> tuple[str | None, ...]:
    """The positions that a message of this seat may be about: its own, else each, the usual one first."""
    own = pack.parties[seat].position
    others = tuple(dict.fromkeys(party.position for party in pack.parties.values() if party.position))
    return (own,) if own else others or (None,)


def _sent(pack: Pack, message: str, subject: str | None, reachable: tuple[tuple[Ledger, Route], ...]) -> bool:
    """Whether there is any state in which the message may be sent about that position."""
    values = symbols(pack, message, legal(pack, message, subject).subject)
    return any(not refusals(ledger, pack, message, values) for ledger, _ in reachable)


def _unambiguous(
    pack: Pack,
    message: str,
    name: str,
    state: str,
    reachable: tuple[tuple[Ledger, Route], ...],
    step: Exchange,
) -> tuple[Ledger, Route] | None:
    """The nearest place where this guard is the first to refuse; of those, one where no other does, if there is one."""
    values = symbols(pack, message, step.subject)
    cell = next(guard.cells[state] for guard in pack.rules_by_message[message].guards if guard.object == name)
    fitting = []
    for ledger, route in reachable:
        if ledger.state(pack, name, values) == state:
            cells = refusals(ledger, pack, message, values)
            if cells and cells[0] is cell:
                fitting.append((len(cells), len(route), ledger, route))
    if not fitting:
        return None
    _, _, ledger, route = min(fitting, key=lambda entry: entry[:2])
    return ledger, route


def _accepted(pack: Pack, message: str, route: Route, step: Exchange, ledger: Ledger) -> Iterator[Scenario]:
    cells = cells_at(ledger, pack, message, symbols(pack, message, step.subject))
    title = pack.messages[message].title
    bearers = _bearers(
        pack,
        step,
        (_unique(cell.requirement for cell in cells), f"Accepts a correct {message} ({title}) when its time has come."),
        (_unique(cell.told for cell in cells), f"Sends a correct {message} ({title}) when its time has come."),
    )
    steps = (*route, replace(_numbered(step, route), expectation=expectation(cells)))
    why = f"lifecycle {message}: accepted"
    yield _scenario(pack, accepted_id(message), f"{title} is accepted", bearers, steps, why, cells[0])


def _duplicate(
    pack: Pack, message: str, cell: Cell, reachable: tuple[tuple[Ledger, Route], ...], step: Exchange
) -> Iterator[Scenario]:
    values = symbols(pack, message, step.subject)
    for ledger, route in reachable:
        if refusals(ledger, pack, message, values):
            continue
        first = _numbered(step, route)
        then = accept(ledger, pack, message, values)
        answer = expectation(cells_at(then, pack, message, values, duplicate=True))
        repeat = replace(
            first, id=f"{first.id}.repeated", violation=True, repeats=first.id, expectation=answer,
            refused=_told(cell),
        )  # fmt: skip
        name = f"lifecycle-{message}-duplicate"
        title = pack.messages[message].title
        bearers = _bearers(
            pack,
            step,
            (_unique([cell.requirement]), f"Answers a second, identical {message} ({title}) as a duplicate."),
            ((), ""),
        )
        steps = (*route, first, repeat)
        yield _scenario(
            pack,
            name,
            f"{title}: the same message twice",
            bearers,
            steps,
            f"lifecycle {message}: duplicate",
            cell,
        )
        return


def _refused(
    pack: Pack, name: str, reason: str, cell: Cell, found: tuple[Ledger, Route], step: Exchange
) -> Iterator[Scenario]:
    ledger, route = found
    code = cell.refuse.code if cell.refuse else None
    answer = expectation(cells_at(ledger, pack, step.message, symbols(pack, step.message, step.subject)))
    bad = replace(_numbered(step, route), violation=True, expectation=answer, refused=_told(cell))
    again = replace(bad, id=f"{bad.id}.again", refused=None)
    refuses = f"Refuses {step.message} with {code}, and records nothing: asked again, it refuses again."
    stops = f"Told {code} in answer to {step.message}, does not go on as if it had been accepted."
    bearers = _bearers(pack, step, (_unique([cell.requirement]), refuses), (_unique([cell.told]), stops))
    steps: tuple[Step, ...] = (*route, bad, again, *_watch(pack, step, cell))
    why = f"lifecycle {step.message}: {reason}"
    yield _scenario(pack, name, f"{reason}: refused with {code}", bearers, steps, why, cell)


def _watch(pack: Pack, step: Exchange, cell: Cell) -> Iterator[Step]:
    """What shows that the sender did not go on: it stays quiet, and its own records say so.

    A refusal that may also mean "it is so already" says nothing about the records.
    """
    table = pack.rules_by_message[step.message]
    subject = step.subject
    for other in pack.rules_by_message:
        follow = legal(pack, other, subject)
        owed = any((each.on, each.after, each.send) == (step.message, "refused", other) for each in pack.reactions)
        theirs = REACTION in pack.timers and other != step.message and follow.sender == step.sender and not owed
        if theirs and _unlocked(pack, step.message, other, subject):
            yield Quiet(f"quiet-{other}", step.sender, other, REACTION)
    already = {
        (guard.object, state)
        for guard in table.guards
        for state, each in guard.cells.items()
        if each.refuse == cell.refuse
    }
    for name, state in table.effects.items():
        if (name, state) not in already:
            states = tuple(each for each in pack.objects[name].states if each != state)
            yield Probe(f"probe-{name}", name, step.sender, states, subject)


def _unlocked(pack: Pack, message: str, other: str, subject: str | None) -> bool:
    """Whether *other* becomes legal by the acceptance of *message*."""
    values, follow = symbols(pack, message, subject), symbols(pack, other, subject)
    for ledger, _ in routes(pack, subject):
        if not refusals(ledger, pack, message, values):
            then = accept(ledger, pack, message, values)
            return bool(refusals(ledger, pack, other, follow)) and not refusals(then, pack, other, follow)
    return False


def _told(cell: Cell) -> Expectation | None:
    return Expectation((cell.refuse,)) if cell.told and cell.refuse is not None else None


def _numbered(step: Exchange, route: Route) -> Exchange:
    count = sum(1 for earlier in route if earlier.message == step.message) + 1
    return step if count == 1 else replace(step, id=f"{step.message}.{count}")


def _unique(names: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in names if name))


def _bearers(
    pack: Pack, step: Exchange, receiver: tuple[tuple[str, ...], str], sender: tuple[tuple[str, ...], str]
) -> dict[str, Bearer]:
    """What the receiver and the sender of the message prove, by seat."""
    return {
        party: Bearer(pack.parties[party].role, purpose, requirements)
        for party, (requirements, purpose) in ((step.receiver, receiver), (step.sender, sender))
        if requirements
    }


def _scenario(
    pack: Pack,
    name: str,
    title: str,
    bearers: dict[str, Bearer],
    steps: tuple[Step, ...],
    why: str,
    cell: Cell,
) -> Scenario:
    effects = [pack.requirements[each].effect for bearer in bearers.values() for each in bearer.requirements]
    return Scenario(
        id=name,
        version=1,
        title=title,
        effect=effects[0] if effects else "",
        group=GROUP,
        bearers=bearers,
        steps=steps,
        parties=tuple(pack.parties),
        where=cell.where,
        derived_from=why,
    )
