"""Cases of the life-cycle table: for every state and message, the way there and the message.

For each message and each state of each object that guards it, the shortest unambiguous way to that state is
taken, then the message is sent. The receiver must answer as the cell says, and answer the same again when
asked again: a refusal that changed its records would show. The same scenario, seen from the sender's seat,
tells a legal message that it was refused, and watches that nothing goes on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

from harness.errors import Where
from harness.pack.model import Cell, Expectation, Outcome, Pack
from harness.scenario.derive_setting import (
    bearers_of,
    make_scenario,
    names,
    received_by,
    subjects_of,
    watch,
)
from harness.scenario.model import Exchange, Scenario, Step
from harness.scenario.oracle import Ledger, accept, cells_at, expectation, refusals, symbols
from harness.scenario.route import Route, legal, routes

GROUP = "Life cycle"


def lifecycle_scenarios(pack: Pack, seat: str) -> tuple[Scenario, ...]:
    """The scenarios in which a seat sends or receives the message in question, in the order of the table.

    To a sender, two states that are refused alike are one case: it sees the refusal, never the state.
    """
    return (*_derived(pack, seat), *_owed(pack, seat))


def accepted_id(message: str) -> str:
    """Id of the derived scenario in which a message is simply accepted: the positive control of its negatives."""
    return f"lifecycle-{message}-accepted"


def _derived(pack: Pack, seat: str) -> Iterator[Scenario]:
    subjects = subjects_of(pack, seat)
    for message, table in pack.rules_by_message.items():
        subject = next((each for each in subjects if _sent(pack, message, each, _reachable(pack, each, message))), None)
        step = legal(pack, message, subject)
        if not table.guards or seat not in (step.sender, step.receiver):
            continue
        reachable = _reachable(pack, subject, message) if subject in subjects else ()
        if not _sent(pack, message, subject, reachable):
            continue
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
                    if seat == step.sender and (cell.told is None or (cell.told, cell.refuse) in told):
                        continue
                    told.add((cell.told, cell.refuse))
                    name = f"lifecycle-{message}-{guard.object}-{state}".replace("_", "-")
                    reason = f"the {guard.object} is {state.replace('_', ' ')}"
                    yield from _refused(pack, seat, name, reason, cell, found, step)
        if table.duplicate is not None:
            yield from _duplicate(pack, message, table.duplicate, reachable, step)


def _owed(pack: Pack, seat: str) -> Iterator[Scenario]:
    """A message that the seat receives because somebody owes it is accepted: the positive control of its negatives."""
    for setting in received_by(pack, seat):
        if setting.owed is not None and setting.owed.received is not None:
            message = pack.messages[setting.step.message]
            purpose = f"Accepts a correct {message.name} ({message.title}) that it is owed."
            bearers = bearers_of(pack, setting.step, ((setting.owed.received,), purpose), ((), ""))
            steps = (*setting.before, *setting.after)
            why, where = f"reaction {setting.owed.id}: {message.name}", Where(pack.root / "lifecycle.yaml")
            title = f"{message.name} ({message.title}) is accepted"
            yield make_scenario(pack, accepted_id(message.name), title, GROUP, bearers, steps, why, where)


@lru_cache(maxsize=256)
def _reachable(pack: Pack, subject: str | None, message: str) -> tuple[tuple[Ledger, Route], ...]:
    return tuple(routes(pack, subject, message))


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
    values = symbols(pack, message, step.subject)
    guards = dict.fromkeys(guard.object for guard in pack.rules_by_message[message].guards)
    stand = " and ".join(f"the {name} is {ledger.state(pack, name, values).replace('_', ' ')}" for name in guards)
    when = f" while {stand}" if stand else ""
    bearers = bearers_of(
        pack,
        step,
        (names(cell.requirement for cell in cells), f"Accepts a correct {message} ({title}){when}."),
        (names(cell.told for cell in cells), f"Sends a correct {message} ({title}){when}."),
    )
    steps = (*route, replace(_numbered(step, route), expectation=expectation(cells)))
    why = f"lifecycle {message}: accepted"
    name = accepted_id(message)
    yield make_scenario(pack, name, f"{message} ({title}) is accepted", GROUP, bearers, steps, why, cells[0].where)


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
        purpose = f"Answers a second, identical {message} as a duplicate, and records nothing twice."
        bearers = bearers_of(pack, step, (names([cell.requirement]), purpose), ((), ""))
        steps = (*route, first, repeat)
        why = f"lifecycle {message}: duplicate"
        title = f"{message} ({pack.messages[message].title}) that comes again unchanged is answered as a duplicate"
        yield make_scenario(pack, name, title, GROUP, bearers, steps, why, cell.where)
        return


def _refused(
    pack: Pack, seat: str, name: str, reason: str, cell: Cell, found: tuple[Ledger, Route], step: Exchange
) -> Iterator[Scenario]:
    ledger, route = found
    code = cell.refuse.code if cell.refuse else None
    answer = expectation(cells_at(ledger, pack, step.message, symbols(pack, step.message, step.subject)))
    bad = replace(_numbered(step, route), violation=True, expectation=answer, refused=_told(cell))
    again = replace(bad, id=f"{bad.id}.again", refused=None)
    refuses = f"Refuses {step.message} with {code}, and records nothing: asked again, it refuses again."
    stops = f"Told {code} in answer to {step.message}, does not go on as if it had been accepted."
    bearers = bearers_of(pack, step, (names([cell.requirement]), refuses), (names([cell.told]), stops))
    steps: tuple[Step, ...] = (*route, bad, again, *watch(pack, step, cell.refuse))
    why = f"lifecycle {step.message}: {reason}"
    message = f"{step.message} ({pack.messages[step.message].title})"
    title = f"{message} is refused with {code} while {reason}"
    if seat == step.sender:
        title = f"Whoever is told {code} in answer to a correct {message} does not go on"
    yield make_scenario(pack, name, title, GROUP, bearers, steps, why, cell.where)


def _told(cell: Cell) -> Expectation | None:
    return Expectation((cell.refuse,)) if cell.told and cell.refuse is not None else None


def _numbered(step: Exchange, route: Route) -> Exchange:
    count = sum(1 for earlier in route if earlier.message == step.message) + 1
    return step if count == 1 else replace(step, id=f"{step.message}.{count}")
