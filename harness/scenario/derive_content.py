"""Cases of schemas, code lists and rules: a message that breaks exactly one of them.

Of every request that a seat receives, each constraint is broken once. Of every answer that it receives, each kind of
constraint is broken once: it must not go on as if it had been accepted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from harness.errors import Where
from harness.pack.model import Expectation, Outcome, Pack
from harness.pack.trial import Trial, anywhere, content_trials, schema_trials
from harness.pack.violation import Breach, Violation
from harness.scenario.derive_setting import (
    Setting,
    bearers_of,
    make_scenario,
    received_by,
    said_of,
    sent_by,
    shows,
    told_wrongly,
)
from harness.scenario.model import Depth, Scenario
from harness.scenario.wording import code_list_of, said

GROUP = "Content"
_STRUCTURE = ("missing", "unexpected", "order", "repeated")
"""Kinds of violation at which a parser may name the place around: there it finds out."""


def content_scenarios(pack: Pack, seat: str, depth: Depth) -> Iterator[Scenario]:
    """The scenarios in which a seat receives what is wrong in one place."""
    found: dict[str, Scenario] = {}
    for setting in received_by(pack, seat):
        message = setting.step.message
        trials = (*schema_trials(pack, message), *content_trials(pack, message))
        for trial in _one_of_a_kind(pack, trials) if depth == "quick" else trials:
            for scenario in _request(pack, setting, trial):
                found.setdefault(scenario.id, scenario)
    for setting in sent_by(pack, seat):
        answer = pack.messages[setting.step.message].answer or ""
        kinds = _one_of_a_kind(pack, schema_trials(pack, answer))
        for trial in kinds[:1] if depth == "quick" else kinds:
            for scenario in _answer(pack, setting, answer, trial):
                found.setdefault(scenario.id, scenario)
    yield from found.values()


def _one_of_a_kind(pack: Pack, trials: Iterable[Trial]) -> list[Trial]:
    """The first trial of each kind of violation that is answered in one way, and of each error code."""
    kinds: dict[tuple[str, str | None], Trial] = {}
    for trial in trials:
        kinds.setdefault(_kind(pack, trial.found), trial)
    return list(kinds.values())


def _kind(pack: Pack, found: Violation | Breach) -> tuple[str, str | None]:
    if isinstance(found, Breach):
        return found.code, None
    constraint = pack.constraints.get(found.kind)
    return found.kind, constraint.at(found.pointer).requirement if constraint is not None else None


def _request(pack: Pack, setting: Setting, trial: Trial) -> Iterator[Scenario]:
    message, wrong = setting.step.message, said(pack, trial)
    expected, requirement = _expectation(pack, trial)
    if requirement is None:
        return
    broken = replace(setting.step, id=f"{message}.broken", defect=trial.edit.name, expectation=expected)
    purpose = f"Refuses {message} in which {wrong}. The correct message is then accepted."
    bearers = bearers_of(pack, setting.step, ((requirement,), purpose), ((), ""))
    name, why, where = _origin(pack, message, trial)
    title = f"{message} ({pack.messages[message].title}) is refused when {wrong}"
    yield make_scenario(pack, name, title, GROUP, bearers, (*setting.before, broken, *setting.after), why, where)


def _answer(pack: Pack, setting: Setting, answer: str, trial: Trial) -> Iterator[Scenario]:
    constraint = pack.constraints.get(trial.found.kind) if isinstance(trial.found, Violation) else None
    if constraint is None or constraint.told is None or not shows(pack, setting):
        return
    wrong, (title, message) = said(pack, trial), said_of(pack, setting)
    purpose = f"Does not go on as if {message} had been accepted after an answer {answer} in which {wrong}."
    bearers = bearers_of(pack, setting.step, ((), ""), ((constraint.told,), purpose))
    name, why, where = _origin(pack, answer, trial)
    steps = (*setting.before, *told_wrongly(pack, setting, trial.edit.name))
    title = f"{title} is not taken as an acceptance when {wrong}"
    yield make_scenario(pack, f"{name}{setting.mark}", title, GROUP, bearers, steps, why, where)


def _origin(pack: Pack, message: str, trial: Trial) -> tuple[str, str, Where]:
    """Id, reason and file of a case."""
    place = anywhere(trial.edit.place).replace("/", ".").replace("@", "") or "root"
    if isinstance(trial.found, Violation):
        file = pack.messages[message].schema
        return f"content-{message}-{trial.found.kind}-{place}", f"schema {file.name}: {trial.edit.name}", Where(file)
    table = Where(pack.root / "constraints.yaml")
    if trial.found.rule is not None:
        name = f"content-{message}-rule-{trial.found.rule}"
        several = f"-{trial.found.code}" if pack.rules[trial.found.rule].codes else ""
        return f"{name}{several}", f"rule {trial.found.rule}: {trial.edit.name}", table
    return f"content-{message}-code-{place}", f"code list of {place}: {trial.edit.name}", table


def _around(kind: str, place: str) -> Iterator[str]:
    """Where else a pointer may show; an attribute may be named by its element, or without ``@``."""
    element, _, name = place.rpartition("/")
    if name.startswith("@"):
        yield f"{element}/{name[1:]}"
    if name.startswith("@") or kind in _STRUCTURE:
        yield element or "/"


def _expectation(pack: Pack, trial: Trial) -> tuple[Expectation, str | None]:
    """How a receiver must answer, and the demand that this is."""
    if isinstance(trial.found, Breach):
        return _of_breach(pack, trial.found), trial.found.requirement
    constraint = pack.constraints.get(trial.found.kind)
    if constraint is None:
        return Expectation(), None
    constraint = constraint.at(trial.found.pointer)
    places = [trial.found.pointer] + ([trial.edit.place] if trial.found.kind == "order" else [])
    around = [each for place in places for each in _around(trial.found.kind, place)]
    whole = constraint.expectation
    expect = tuple(_at(outcome, place) for place in places for outcome in whole.expect)
    permitted = tuple(_at(outcome, place) for place in around for outcome in whole.expect)
    others = tuple(dict.fromkeys(each for each in (*permitted, *whole.permitted) if each not in expect))
    return replace(whole, expect=expect, permitted=others), constraint.requirement


def _of_breach(pack: Pack, breach: Breach) -> Expectation:
    """The code at the place; the same code elsewhere, or what a schema with the same list would say, is legal too."""
    if breach.rule is not None:
        others = pack.rules[breach.rule].permitted
    else:
        coded, listed = code_list_of(pack, breach), pack.constraints.get("enumeration")
        same = (*listed.expectation.expect, *listed.expectation.permitted) if listed is not None else ()
        others = (*(coded.permitted if coded is not None else ()), *same)
    permitted = tuple(dict.fromkeys((Outcome("error", breach.code), *others)))
    return Expectation((Outcome("error", breach.code, breach.pointer),), permitted)


def _at(outcome: Outcome, place: str) -> Outcome:
    """The outcome with the place that it must name, where it is an error that names none yet."""
    return outcome._replace(pointer=place) if outcome.kind == "error" and outcome.pointer is None else outcome
