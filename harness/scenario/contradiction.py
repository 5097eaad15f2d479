"""No self-agreement: what a scenario expects by hand is held against what the life-cycle table says.

Expected answers in written scenarios come from the source and are never computed. Where the two differ, one
of them is wrong, and a person must look before anybody is judged by either.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from harness.errors import ConfigurationFault
from harness.message.model import Value
from harness.message.path import same_place
from harness.pack.model import Expectation, Outcome, Pack
from harness.scenario.model import Exchange, FromPool, FromSaved, Scenario
from harness.scenario.oracle import Ledger, accept, cells_at, drawn_from, expectation, symbols
from harness.scenario.project import exchanges


def contradictions(scenario: Scenario, pack: Pack) -> Iterator[ConfigurationFault]:
    """Every exchange whose expected answer the life-cycle table does not allow.

    Steps that are wrong in another way (a defect, a removed field, a code) are not the table's business, nor is what a
    receiver of forwarded content thinks of it, if the refusal is passed on as it is or its answer is broken on purpose.
    """
    ledger = Ledger()
    saved: dict[str, Value] = {}
    seen: set[str] = set()
    passed_on = {each.id for step in exchanges(scenario.steps) for each in _passed_on(step)}
    for step in exchanges(scenario.steps):
        cut = step.violation and None in step.values.values()
        if step.defect is not None or cut or step.id in passed_on:
            continue
        values = _values(pack, step, saved)
        saved |= {name: values.get(place, f"saved {name}") for name, (_, place) in step.save.items()}
        seen |= {name for name, (_, place) in step.save.items() if _is_reference(pack, place)}
        table = expectation(cells_at(ledger, pack, step.message, values, duplicate=_is_duplicate(step, seen)))
        late = step.beaten is not None and _agree(step.beaten, table)
        if _spoken_of(pack, step, table) and not late and not _agree(step.expectation, table):
            yield ConfigurationFault(
                f"the scenario {scenario.id} expects {_words(step.expectation.expect)} in answer to {step.id}; "
                f"the life-cycle table says {_words(table.expect)}",
                where=scenario.place(step.id),
                remedy="One of the two is wrong: compare both with their source.",
            )
        accepted = Outcome("accepted") in step.expectation.expect and not late
        if accepted and not step.violation and step.answer_defect is None:
            ledger = accept(ledger, pack, step.message, values)


def _passed_on(step: Exchange) -> tuple[Exchange, ...]:
    """What ends as it does because of what was forwarded: the same refusal twice, or no answer that can be believed."""
    for inner in step.during:
        if inner.message != step.message:
            continue
        refused = all(outcome.kind == "error" for outcome in inner.expectation.expect)
        if refused and inner.expectation.expect == step.expectation.expect:
            return step, inner
        if inner.answer_defect is not None and step.expectation.expect != (Outcome("accepted"),):
            return (step,)
    return ()


def _is_reference(pack: Pack, name: str) -> bool:
    return name in pack.values and pack.values[name].make.kind == "reference"


def _is_duplicate(step: Exchange, seen: Collection[str]) -> bool:
    """Whether the receiver has seen the message before, or its reference in an earlier one.

    Parameters:
        step: the exchange.
        seen: names of saved values that are references of earlier messages.
    """
    return step.repeats is not None or any(
        isinstance(given, FromSaved) and given.name in seen for given in step.values.values()
    )


def _spoken_of(pack: Pack, step: Exchange, table: Expectation) -> bool:
    """Whether the table has a say: it refuses, or the expected code is one of those that it refuses with.

    It has none where the receiver never answers.
    """
    rules = pack.rules_by_message.get(step.message)
    if rules is None or Outcome("silence") in step.expectation.expect:
        return False
    if Outcome("accepted") not in table.expect or not step.violation:
        return True
    codes = {cell.refuse.code for cell in rules.cells if cell.refuse is not None}
    return any(wanted.code in codes for wanted in step.expectation.expect)


def _values(pack: Pack, step: Exchange, saved: Mapping[str, Value]) -> dict[str, Value]:
    values = symbols(pack, step.message, step.subject, step.movement)
    for name, given in step.values.items():
        if given is None:
            values.pop(name, None)
        elif isinstance(given, FromSaved):
            values[name] = saved.get(given.name)
        else:
            values[name] = drawn_from(given.pool) if isinstance(given, FromPool) else str(given)
    return values


def _agree(written: Expectation, table: Expectation) -> bool:
    """Whether every outcome that the scenario expects is expected or permitted by the table."""
    allowed = (*table.expect, *table.permitted)
    return all(any(_covers(rule, wanted) for rule in allowed) for wanted in written.expect)


def _covers(rule: Outcome, wanted: Outcome) -> bool:
    if rule.kind != wanted.kind or (rule.code and wanted.code and rule.code != wanted.code):
        return False
    if rule.by and wanted.by and rule.by != wanted.by:
        return False
    return rule.pointer is None or wanted.pointer is None or same_place(rule.pointer, wanted.pointer)


def _words(outcomes: tuple[Outcome, ...]) -> str:
    return ", ".join(f"{each.kind} {each.code or ''}".strip() for each in outcomes)
