"""Which cases a fault can affect."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase

from harness.pack.fault import Fault
from harness.pack.model import Outcome, Pack
from harness.scenario.model import Case, Exchange
from harness.scenario.project import exchanges, mode

MOST = 24
"""Cases that are played of those that are made for a demand: first those whose purpose shows in the message of the
fault, of these first those in which the answer is due that the fault forgets, and then those that were written."""
SHORTEST, LONGEST = 3, 6
"""Cases that are played where a demand stands on every message and not on single cases."""


def affected(pack: Pack, fault: Fault, cases: Sequence[Case]) -> tuple[str, ...]:
    """Ids of the cases that a fault can affect; empty when that cannot be said, so that all are played.

    Those that are made for the demand it breaks and in which its message passes. Where there are none, the demand is on
    every message and looked at wherever it stands: then the shortest in which the message passes, the longest, in which
    more was said before that it can contradict, and those in which a value becomes new that the fault writes.

    Parameters:
        pack: the profile.
        fault: the mistake.
        cases: those that a system in that role would be certified with.
    """
    cases = [case for case in cases if not case.is_control]
    passing = [case for case in cases if _concerned(pack, fault, case)]
    carrying = [case for case in passing if fault.requirement in case.requirements]
    if carrying:
        forgotten = _forgotten(pack, fault)
        carrying.sort(
            key=lambda case: (
                not _is_about(pack, fault, case),
                not _is_due(forgotten, case),
                case.derived_from is not None,
            )
        )
        return tuple(case.id for case in carrying[:MOST])
    passing.sort(key=lambda case: len(case.steps))
    written = fault.parameters.get("set")
    new = [case for case in passing if isinstance(written, Mapping) and _changes(case, written)]
    return tuple(dict.fromkeys(case.id for case in (*passing[:SHORTEST], *passing[-LONGEST:], *new[:LONGEST])))


def _changes(case: Case, names: Collection[str]) -> bool:
    """Whether one of these values becomes new in a case."""
    return any(not step.changes.isdisjoint(names) for step in exchanges(case.steps))


def usual(cases: Sequence[Case]) -> tuple[str, ...]:
    """Ids of the cases that a legal variation is tried with.

    As few as show, in every seat, each message with each way in which it may end, each thing that is broken on purpose
    outside of the content, and each answer that is lost; written cases first. The many that follow from a schema differ
    only in the place that is wrong.
    """
    left = [case for case in cases if not case.is_control and _is_usual(case)]
    open_ = {each for case in left for each in _shows(case)}
    chosen: list[str] = []
    while open_:
        best = max(left, key=lambda case: len(open_ & _shows(case)))
        open_ -= _shows(best)
        chosen.append(best.id)
    return tuple(case.id for case in left if case.id in chosen)


def _is_usual(case: Case) -> bool:
    lost = any((step.answer_defect or "").startswith("delivery/") for step in exchanges(case.steps))
    return lost or case.derived_from is None or case.derived_from.endswith((": accepted", ": duplicate"))


def _shows(case: Case) -> set[tuple[str | None, ...]]:
    """What a case shows of its seat: message, part, how it ends, what is broken, and the reaction that it is."""
    return {
        (
            case.sut,
            step.message,
            mode(step, case.sut),
            step.expectation.expect[0].kind,
            step.defect,
            step.answer_defect,
            step.reaction,
        )
        for step in exchanges(case.steps)
        if mode(step, case.sut) != "simulate"
    }


def _concerned(pack: Pack, fault: Fault, case: Case) -> bool:
    """Whether the message of the fault, or of its reaction, passes the system under test in a case."""
    pattern = str(fault.parameters.get("message", "*"))
    reaction = str(fault.parameters.get("reaction", "*"))
    sent = {each.send for each in pack.reactions if fnmatchcase(each.id, reaction)} if reaction != "*" else None
    return any(
        any(fnmatchcase(name, pattern) for name in names) and (sent is None or not sent.isdisjoint(names))
        for names in _spoken(pack, case)
    )


def _is_about(pack: Pack, fault: Fault, case: Case) -> bool:
    """Whether the purpose of a case shows in the message of the fault."""
    pattern = str(fault.parameters.get("message", "*"))
    shown = [step for step in exchanges(case.steps) if step.id in case.purpose_steps]
    return any(fnmatchcase(name, pattern) for step in shown for name in _names(pack, step))


def _forgotten(pack: Pack, fault: Fault) -> tuple[Outcome, ...]:
    """The answers that an implementation forgets which overlooks this kind of violation, or rules with this code."""
    if fault.hook == "accept-schema":
        pattern = str(fault.parameters.get("kind", "*"))
        kinds = (each for kind, each in pack.constraints.items() if fnmatchcase(kind, pattern))
        ways = (way for each in kinds for way in (each, *each.places.values()))
        return tuple(outcome for way in ways for outcome in way.expectation.expect)
    if fault.hook == "accept-rule":
        pattern = str(fault.parameters.get("code", "*"))
        return tuple(Outcome("error", code) for code in _rule_codes(pack) if fnmatchcase(code, pattern))
    return ()


def _rule_codes(pack: Pack) -> Iterator[str]:
    yield from (each.code for each in pack.coded)
    for rule in pack.rules.values():
        yield from (rule.code, *rule.codes.values())


def _is_due(forgotten: Sequence[Outcome], case: Case) -> bool:
    """Whether a case waits for one of these answers."""
    due = [outcome for step in exchanges(case.steps) for outcome in step.expectation.expect]
    return any(
        (one.kind, one.code) == (other.kind, other.code) and one.by in (None, other.by)
        for one in forgotten
        for other in due
    )


def _spoken(pack: Pack, case: Case) -> Iterator[tuple[str, ...]]:
    return (_names(pack, step) for step in exchanges(case.steps) if mode(step, case.sut) != "simulate")


def _names(pack: Pack, step: Exchange) -> tuple[str, ...]:
    return step.message, *pack.answering(step.message)
