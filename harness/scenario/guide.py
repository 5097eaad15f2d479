"""A system that a person operates: which cases are played, on which movements, so that few actions serve them all.

Rules:

1. What needs no action of the person is played as always.
2. Of the other cases as many are chosen as are needed to carry every requirement that any of them carries, with their
   positive controls; greedily, by requirements for each action.
3. A case may go on where another one came to: when its first exchanges are those that the movement has seen accepted,
   they are not done again. So a movement is set up once, and then everything that is refused on it leaves it as it was.
4. A case in which more is accepted after something was refused ends its movement.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import takewhile

from harness.scenario.model import Case, Exchange, Probe, Step
from harness.scenario.project import exchanges, mode, settles

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
    """What a movement has seen accepted when the case is over; ``None`` when that is not certain, or it has ended."""
    begun = opening(case)
    rest = exchanges(case.steps[len(begun) :])
    return None if any(settles(step) or step.floating for step in rest) else begun


def goes_on(case: Case, sut: str, seen: Sequence[Exchange]) -> bool:
    """Whether a case can go on on a movement that has seen these exchanges accepted."""
    begun = opening(case)
    return case.sut == sut and len(seen) <= len(begun) and all(map(_same, begun, seen))


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


def movements(cases: Sequence[Case]) -> tuple[tuple[Turn, ...], ...]:
    """The cases in the order in which they are played, by movement: each goes on where the one before came to."""
    left, found = list(cases), []
    while left:
        turns: list[Turn] = []
        sut = left[0].sut
        seen: tuple[Exchange, ...] = ()
        while (case := _next(left, sut, seen)) is not None:
            left.remove(case)
            turns.append(Turn(case, len(seen), actions(case.steps[len(seen) :], sut), lookups(case.steps)))
            after = leaves(case)
            if after is None:
                break
            seen = after
        found.append(tuple(turns))
    return tuple(found)


def choose(cases: Sequence[Case], free: Sequence[Case]) -> tuple[Case, ...]:
    """The cases that a person plays, out of all in which a person acts; in playing order.

    Parameters:
        cases: those in which a person acts.
        free: those that are played without a person; their positive controls are among the chosen.
    """
    by_id = {case.id: case for case in cases}
    carried = {name for case in cases for name in case.requirements}.difference(*(case.requirements for case in free))
    needed = {case.control for case in free}
    chosen = {case.id: case for case in cases if case.id in needed}
    wanted = carried.difference(*(case.requirements for case in chosen.values()))
    while wanted:
        best = max(
            (case for case in cases if wanted.intersection(case.requirements)),
            key=lambda case: len(wanted.intersection(case.requirements)) / max(_cost(case, chosen.values()), 0.1),
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
            best = min(fitting, key=lambda each: _cost(each, chosen.values()), default=case)
            chosen[best.id] = best
    return tuple(turn.case for turns in movements(list(chosen.values())) for turn in turns)


def _ready(case: Case, known: Collection[str], chosen: Collection[str]) -> bool:
    """Whether the positive control of a case, if a person plays it, is chosen already."""
    return case.control not in known or case.control in chosen


def _cost(case: Case, chosen: Collection[Case]) -> int:
    """What a case costs beside those that are chosen already; looking something up is half an action."""
    begun = opening(case)
    shared = max((_alike(begun, opening(other)) for other in chosen if other.sut == case.sut), default=0)
    return 10 * actions(case.steps[shared:], case.sut) + lookups(case.steps)


def _alike(one: Sequence[Exchange], other: Sequence[Exchange]) -> int:
    return sum(1 for _ in takewhile(lambda pair: _same(*pair), zip(one, other, strict=False)))


def _next(left: Sequence[Case], sut: str, seen: tuple[Exchange, ...]) -> Case | None:
    """The case that goes on from here and leaves most others able to go on; what ends the movement comes last."""
    fitting = [case for case in left if goes_on(case, sut, seen)]

    def order(case: Case) -> tuple[bool, int, int, int]:
        after = leaves(case)
        kept = sum(goes_on(other, sut, after) for other in fitting) if after is not None else 0
        return after is None, -kept, len(opening(case)), left.index(case)

    return min(fitting, key=order, default=None)


def _plain(step: Step) -> bool:
    if not isinstance(step, Exchange) or step.floating or step.repeats is not None:
        return False
    return settles(step) and all(map(_plain, step.during))


def _same(one: Exchange, other: Exchange) -> bool:
    """Whether two exchanges are the same, whatever they are called."""
    facts = [
        (step.message, step.sender, step.receiver, step.subject, dict(step.values), step.event, step.expectation.expect)
        for step in (one, other)
    ]
    inner = len(one.during) == len(other.during) and all(map(_same, one.during, other.during))
    return facts[0] == facts[1] and inner
