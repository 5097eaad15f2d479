"""Messages that race: of two that look alike and come at once, nobody can say which one is the first.

Exchanges of one ``any_order`` block with the same message, ends, subject and movement are *rivals*. How many of them
are accepted, the script says; which of them, whoever receives them. Exchanges that differ race where the script says
how each is answered when it is *beaten*: exactly one of them is accepted.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from dataclasses import replace

from harness.pack.model import Expectation, Outcome
from harness.scenario.model import AnyOrder, Case, Exchange, Step
from harness.scenario.project import exchanges

ACCEPTED = Outcome("accepted")


def either_way(steps: Iterable[Exchange]) -> Iterator[Exchange]:
    """The exchanges of a block, each with what is expected of any of its rivals: how it is played."""
    steps = tuple(steps)
    for step in steps:
        wanted = [step.expectation, *(each.expectation for each in steps if _are_rivals(each, step))]
        wanted += [step.beaten] if step.beaten is not None else []
        expect = tuple(dict.fromkeys(outcome for each in wanted for outcome in each.expect))
        permitted = tuple(dict.fromkeys(outcome for each in wanted for outcome in each.permitted))
        yield replace(step, expectation=replace(step.expectation, expect=expect, permitted=permitted))


def as_it_came(case: Case, accepted: Container[str]) -> Case:
    """The case with the accepted outcome expected of those rivals that were accepted: how it is judged.

    Parameters:
        case: as planned.
        accepted: ids of the exchanges that were accepted.
    """
    if not any(isinstance(step, AnyOrder) for step in case.steps):
        return case
    return replace(case, steps=tuple(_settled(step, accepted) for step in case.steps))


def not_owed(case: Case) -> Iterator[str]:
    """Ids of what nobody owes, because what would cause it was beaten.

    Parameters:
        case: as it came.
    """
    for block in case.steps:
        for beaten in block.steps if isinstance(block, AnyOrder) else ():
            if beaten.beaten is not None and beaten.expectation is beaten.beaten:
                yield from (each.id for each in exchanges(case.steps) if each.id.startswith(f"{beaten.id}/"))


def _settled(step: Step, accepted: Container[str]) -> Step:
    if not isinstance(step, AnyOrder):
        return step
    due: dict[str, Expectation] = {}
    for one in step.steps:
        group = [each for each in step.steps if each == one or _are_rivals(each, one)]
        came = sorted(group, key=lambda each: each.id not in accepted)
        wanted = sorted((each.expectation for each in group), key=lambda each: ACCEPTED not in each.expect)
        due |= dict(zip((each.id for each in came), wanted, strict=True))
    racing = [each for each in step.steps if each.beaten is not None]
    first = next((each for each in racing if each.id in accepted), None)
    due |= {each.id: each.beaten for each in racing if each.beaten is not None and first not in (None, each)}
    return replace(step, steps=tuple(replace(each, expectation=due[each.id]) for each in step.steps))


def _are_rivals(one: Exchange, other: Exchange) -> bool:
    def look(step: Exchange) -> tuple[str | None, ...]:
        return step.message, step.sender, step.receiver, step.subject, step.movement

    return one.id != other.id and look(one) == look(other)
