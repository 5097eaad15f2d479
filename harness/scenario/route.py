"""The way to a state: the shortest sequence of accepted messages, found in the life-cycle table."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import lru_cache

from harness.message.model import Value
from harness.pack.model import Outcome, Pack
from harness.scenario.model import AnyOrder, Exchange, Step
from harness.scenario.oracle import Ledger, accept, refusals, symbols

Route = tuple[Exchange, ...]


def seat_of(pack: Pack, role: str, subject: str | None) -> str:
    """The seat of a role: the one in that position, or the first, where the role has positions."""
    positions = pack.roles[role].positions
    if not positions:
        return role
    return f"{role}.{subject if subject in positions else positions[0]}"


def first_position(pack: Pack) -> str | None:
    """The position in which a movement begins: the first that a role has."""
    return next((role.positions[0] for role in pack.roles.values() if role.positions), None)


def about_position(pack: Pack, message: str) -> bool:
    """Whether the table of a message speaks of objects of which there is one per position."""
    table = pack.rules_by_message.get(message)
    if table is None:
        return False
    names = {guard.object for guard in table.guards} | table.changes
    return any(pack.values[part].scope == "position" for name in names for part in pack.objects[name].key)


def legal(pack: Pack, message: str, subject: str | None, number: int = 1) -> Exchange:
    """The plain exchange of a message: from the usual sender to the usual receiver, accepted."""
    definition = pack.messages[message]
    position = subject if about_position(pack, message) else None
    sender = seat_of(pack, definition.sender, definition.sender_position or position)
    receiver = seat_of(pack, definition.receiver, definition.receiver_position or position)
    return Exchange(
        id=message if number == 1 else f"{message}.{number}",
        message=message,
        sender=sender,
        receiver=receiver,
        subject=pack.parties[sender].position or pack.parties[receiver].position or position,
    )


def variants(pack: Pack, step: Exchange) -> Iterator[Exchange]:
    """A plain exchange, and one for each branch of its table: what its message can say that decides what follows."""
    yield step
    for branch in pack.rules_by_message[step.message].branches:
        values = {branch.value: branch.texts[0], **branch.given}
        yield replace(step, id=f"{step.id}.{branch.texts[0]}", values=values)


def said(pack: Pack, step: Exchange) -> dict[str, Value]:
    """The values of an exchange, in symbols, with what it says that decides what follows."""
    values = symbols(pack, step.message, step.subject)
    table = pack.rules_by_message.get(step.message)
    for branch in table.branches if table is not None else ():
        given = step.values.get(branch.value)
        if isinstance(given, str):
            values[branch.value] = given
    return values


def after(ledger: Ledger, steps: Iterable[Step], pack: Pack, movement: str = "") -> Ledger:
    """The ledger after the accepted exchanges of one movement of a script, in symbols."""
    for step in steps:
        if isinstance(step, AnyOrder):
            ledger = after(ledger, step.steps, pack, movement)
        elif isinstance(step, Exchange):
            if (
                step.movement == movement
                and Outcome("accepted") in step.expectation.expect
                and not (step.violation or step.defect or step.answer_defect)
            ):
                ledger = accept(ledger, pack, step.message, said(pack, step))
            ledger = after(ledger, step.during, pack, movement)
    return ledger


@lru_cache(maxsize=64)
def related(pack: Pack, message: str) -> frozenset[str]:
    """The objects on whose states it can depend whether a message may proceed.

    These are the objects of its table, and of the tables of all messages that have one of these in theirs. Objects
    that no message ties together do not multiply each other's states.
    """
    tied = [
        frozenset((*(guard.object for guard in table.guards), *table.changes, *(each.object for each in table.matches)))
        | {each.object for each in table.unique}
        for table in pack.rules_by_message.values()
    ]
    found = tied[list(pack.rules_by_message).index(message)] if message in pack.rules_by_message else frozenset()
    while (wider := found.union(*(each for each in tied if each & found))) != found:
        found = wider
    return found


def routes(
    pack: Pack, subject: str | None, message: str, start: Ledger | None = None
) -> Iterator[tuple[Ledger, Route]]:
    """Every state that matters to a message and can be reached, nearest first, with the shortest way there.

    Parameters:
        pack: the profile.
        subject: the position whose objects are moved; those of the first position move as well, where it is another.
        message: objects that have nothing to do with it stay as they are.
        start: where to begin; nothing on record when left out.
    """
    objects = related(pack, message)
    movers = [(name, subject) for name, table in pack.rules_by_message.items() if not objects.isdisjoint(table.changes)]
    ally = first_position(pack)
    if subject is not None and subject != ally:
        movers += [(name, ally) for name, _ in movers if about_position(pack, name)]
    first = start or Ledger()
    queue: deque[tuple[Ledger, Route]] = deque([(first, ())])
    reached = {first.snapshot()}
    while queue:
        ledger, route = queue.popleft()
        yield ledger, route
        for name, position in movers:
            step = legal(pack, name, position)
            step = replace(step, id=f"{name}.{position}") if position != subject else step
            if refusals(ledger, pack, name, symbols(pack, name, step.subject)):
                continue
            for each in variants(pack, step):
                then = accept(ledger, pack, name, said(pack, each))
                if then.snapshot() not in reached:
                    reached.add(then.snapshot())
                    queue.append((then, (*route, each)))


def find_route(
    pack: Pack, step: Exchange, wanted: Callable[[Ledger], bool], start: Ledger | None = None
) -> Route | None:
    """The shortest way to a state that is wanted for an exchange, or ``None``."""
    return next((route for ledger, route in routes(pack, step.subject, step.message, start) if wanted(ledger)), None)


def legal_route(pack: Pack, step: Exchange, before: tuple[Step, ...]) -> tuple[Step, ...]:
    """Steps after which a message is legal: those before it, completed; or, where they lead past it, a new way.

    A new way leaves the other movements as they are.
    """

    def wanted(ledger: Ledger) -> bool:
        return not refusals(ledger, pack, step.message, symbols(pack, step.message, step.subject))

    def own(route: Route) -> Route:
        return tuple(replace(each, movement=step.movement) for each in route)

    completion = find_route(pack, step, wanted, after(Ledger(), before, pack, step.movement))
    if completion is not None:
        return (*before, *own(completion))
    anew = find_route(pack, step, wanted)
    if anew is None:
        return before
    others = tuple(each for each in before if isinstance(each, Exchange) and each.movement != step.movement)
    return (*others, *own(anew))
