"""A system that a person operates: which cases are played, on which movements, so that few actions serve them all.

Rules:

1. What needs no action of the person is played as always.
2. Of the other cases as many are chosen as are needed to carry every requirement that any of them carries, with their
   positive controls; greedily, by requirements for each action.
3. A case may go on on a movement on which others were played: what it begins with, and the movement has seen accepted,
   is not done again. So a movement is set up once, and then everything that is refused on it leaves it as it was.
4. A movement may have seen more than a case begins with (a query, an amendment, the operation of another country), if
   all that the rest of the case stands on is in the state in which its own beginning would have left it.
5. A case in which more is accepted after something broken or lost, or in whatever order, ends its movement.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import TypeAlias

from harness.pack.model import Pack
from harness.scenario.model import LATE, Case, Exchange, Probe, Step
from harness.scenario.oracle import effects_of
from harness.scenario.project import exchanges, mode, settles
from harness.scenario.route import said

COVERED = "by hand: what it would show is shown by other cases"
"""The rule that leaves out a case which would only cost more actions."""


def actions(steps: Sequence[Step], sut: str) -> int:
    """How often a person must make the system send something in these steps."""
    return sum(mode(step, sut) == "await" and step.reaction is None for step in exchanges(steps))


def lookups(steps: Sequence[Step]) -> int:
    """How often a person must look up a state in the system."""
    return sum(isinstance(step, Probe) for step in steps)


def acts(case: Case) -> bool:
    """Whether a person must do something in a case."""
    return actions(case.steps, case.sut) > 0 or lookups(case.steps) > 0


def opening(case: Case) -> tuple[Exchange, ...]:
    """The exchanges with which a case begins and that are simply accepted."""
    return tuple(step for step in takewhile(_plain, case.steps) if isinstance(step, Exchange))


def leaves(case: Case) -> tuple[Exchange, ...] | None:
    """What a movement has seen accepted when the case is over; ``None`` when that is not certain, or it has ended.

    It is not certain after a late answer: who is patient takes it for what it is.
    """
    if case.journey or any(step.changes or step.answer_defect == LATE for step in exchanges(case.steps)):
        return None
    begun = opening(case)
    rest = case.steps[len(begun) :]
    later = tuple(step for step in rest if isinstance(step, Exchange) and _plain(step))
    others = list(exchanges(step for step in rest if step not in later))
    if any(settles(step) or step.floating for step in others) or (later and not all(map(_refused, others))):
        return None
    return (*begun, *later)


def joined(case: Case, sut: str, seen: Sequence[Exchange], pack: Pack) -> tuple[Exchange, ...] | None:
    """The exchanges that a movement has seen in place of the first ones of a case.

    Parameters:
        case: which is to go on there.
        sut: the seat that the SUT took on the movement.
        seen: what the movement has seen accepted, in order.
        pack: says what is changed by what.

    Returns:
        as many as the case need not do again; ``None`` when it cannot go on there.
    """
    if case.sut != sut or case.journey or any(step.movement for step in exchanges(case.steps)):
        return None if seen or case.sut != sut else ()
    begun, found = opening(case), list[Exchange]()
    for step in seen:
        if len(found) < len(begun) and _serves(step, begun[len(found)]):
            found.append(step)
    now, then = _states(seen, pack), _states(found, pack)
    alike = all(now.get(each) == then.get(each) for each in _needs(case.steps[len(found) :], pack))
    return tuple(found) if alike else None


@dataclass(frozen=True)
class Turn:
    """A case on a movement.

    Parameters:
        case: which.
        shared: how many of its first exchanges the movement has seen already.
        actions: how often the person must make the system send something for it.
        lookups: how often the person must look up a state.
    """

    case: Case
    shared: int
    actions: int
    lookups: int


def movements(cases: Sequence[Case], pack: Pack) -> tuple[tuple[Turn, ...], ...]:
    """The cases in the order in which they are played, by movement: each goes on where the one before came to."""
    left, found = list(cases), []
    while left:
        turns: list[Turn] = []
        sut = left[0].sut
        seen: tuple[Exchange, ...] = ()
        while (case := _next(left, sut, seen, pack)) is not None:
            left.remove(case)
            shared = len(joined(case, sut, seen, pack) or ())
            turns.append(Turn(case, shared, actions(case.steps[shared:], sut), lookups(case.steps)))
            after = leaves(case)
            if after is None:
                break
            seen = (*seen, *after[shared:])
        found.append(tuple(turns))
    return tuple(found)


def choose(cases: Sequence[Case], free: Sequence[Case], pack: Pack) -> tuple[Case, ...]:
    """The cases that a person plays, out of all in which a person acts; in playing order.

    Parameters:
        cases: those in which a person acts.
        free: those that are played without a person; their positive controls are among the chosen.
        pack: their profile.
    """
    by_id = {case.id: case for case in cases}
    carried = {name for case in cases for name in case.requirements}.difference(*(case.requirements for case in free))
    needed = {case.control for case in free}
    chosen = {case.id: case for case in cases if case.id in needed}
    wanted = carried.difference(*(case.requirements for case in chosen.values()))
    while wanted:
        best = max(
            (case for case in cases if wanted.intersection(case.requirements)),
            key=lambda case: len(wanted.intersection(case.requirements)) / max(_cost(case, chosen.values(), pack), 0.1),
        )
        for case in (*([by_id[best.control]] if best.control in by_id else []), best):
            chosen[case.id] = case
            wanted.difference_update(case.requirements)
    for case in sorted(chosen.values(), key=lambda each: -actions(each.steps, each.sut)):
        if case.id in needed or any(each.control == case.id for each in chosen.values()):
            continue
        del chosen[case.id]
        if missing := carried.difference(*(each.requirements for each in chosen.values())):
            fitting = [each for each in cases if missing <= set(each.requirements) and _ready(each, by_id, chosen)]
            best = min(fitting, key=lambda each: _cost(each, chosen.values(), pack), default=case)
            chosen[best.id] = best
    return tuple(turn.case for turns in movements(list(chosen.values()), pack) for turn in turns)


def _ready(case: Case, known: Collection[str], chosen: Collection[str]) -> bool:
    """Whether the positive control of a case, if a person plays it, is chosen already."""
    return case.control not in known or case.control in chosen


def _cost(case: Case, chosen: Collection[Case], pack: Pack) -> int:
    """What a case costs beside those that are chosen already; looking something up is a tenth of an action.

    An exchange happens once on a movement: where another case has it in another way, a case needs its own. What ends
    its movement costs one action more, since others must set up theirs again.
    """
    done = (joined(case, other.sut, opening(other), pack) for other in chosen)
    alone = any(_in_another_way(case, other) for other in chosen)
    shared = 0 if alone else max((len(each) for each in done if each is not None), default=0)
    ends = leaves(case) is None
    return 10 * (actions(case.steps[shared:], case.sut) + ends) + lookups(case.steps)


def _next(left: Sequence[Case], sut: str, seen: tuple[Exchange, ...], pack: Pack) -> Case | None:
    """The case that goes on from here and leaves most others able to go on; what ends the movement comes last."""
    fitting = [case for case in left if joined(case, sut, seen, pack) is not None]

    def order(case: Case) -> tuple[bool, int, int, int]:
        begun = leaves(case)
        after = (*seen, *begun[len(joined(case, sut, seen, pack) or ()) :]) if begun is not None else ()
        kept = sum(joined(other, sut, after, pack) is not None for other in fitting) if begun is not None else 0
        return begun is None, -kept, len(opening(case)), left.index(case)

    return min(fitting, key=order, default=None)


Instance: TypeAlias = "tuple[str, str | None]"
"""An object of the life cycle, and the position whose it is, where it is one for each position."""


def _states(steps: Sequence[Exchange], pack: Pack) -> dict[Instance, str]:
    """The states in which accepted exchanges have left what they are about."""
    rules = ((step, pack.rules_by_message.get(step.message)) for step in exchanges(steps))
    effects = ((step, effects_of(each, said(pack, step))) for step, each in rules if each)
    return {_instance(name, step.subject, pack): state for step, each in effects for name, state in each.items()}


def _needs(steps: Sequence[Step], pack: Pack) -> set[Instance]:
    """What decides how these steps go."""
    found = {_instance(step.object, step.position, pack) for step in steps if isinstance(step, Probe)}
    for step in exchanges(steps):
        rules = pack.rules_by_message.get(step.message)
        if rules is not None:
            tables = (rules.guards, rules.matches, rules.unique)
            names = {*rules.changes, *(each.object for table in tables for each in table)}
            found.update(_instance(name, step.subject, pack) for name in names)
    return found


def _instance(name: str, subject: str | None, pack: Pack) -> Instance:
    by_position = any(pack.values[key].scope == "position" for key in pack.objects[name].key)
    return name, subject if by_position else None


def _plain(step: Step) -> bool:
    if not isinstance(step, Exchange) or step.floating or step.repeats is not None:
        return False
    return settles(step) and all(map(_plain, step.during))


def _refused(step: Exchange) -> bool:
    """Whether an exchange is refused in so many words, so that it leaves nothing uncertain."""
    return step.answer_defect is None and all(outcome.kind == "error" for outcome in step.expectation.expect)


def _in_another_way(case: Case, other: Case) -> bool:
    """Whether two cases begin with one exchange that each wants to be written in a legal way of its own."""
    ways = [
        {
            (step.message, step.sender, step.subject): (step.variation, step.answer_variation)
            for step in opening(each)
            if step.variation or step.answer_variation
        }
        for each in (case, other)
    ]
    return any(name in ways[1] and ways[1][name] != way for name, way in ways[0].items())


def _serves(seen: Exchange, wanted: Exchange) -> bool:
    """Whether an exchange that a movement has seen is the one that a case begins with, whatever they are called.

    What was written in another legal way is as good as in the usual one; where the other way is wanted, it is needed.
    """
    facts = [
        (
            (step.message, step.sender, step.receiver, step.subject, step.event),
            (dict(step.values), dict(step.clocks), step.expectation.expect),
        )
        for step in (seen, wanted)
    ]
    ways = ((seen.variation, wanted.variation), (seen.answer_variation, wanted.answer_variation))
    inner = len(seen.during) == len(wanted.during) and all(map(_serves, seen.during, wanted.during))
    return facts[0] == facts[1] and inner and all(way in (None, was) for was, way in ways)
