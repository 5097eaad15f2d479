"""Coverage: which cases test each requirement of a role, or why none does; and which show each error code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness.check.registry import exercised, timed
from harness.pack.model import Pack, Requirement
from harness.scenario.model import Case
from harness.scenario.project import exchanges, is_limited, mode


@dataclass(frozen=True)
class Covered:
    """How one requirement of a role is tested.

    Parameters:
        requirement: the demand.
        cases: ids of the cases whose purpose it is, or in which it is owed.
        checked: how many cases hold a message in which a check looks for it.
        reason: why no case tests it; empty where one does.
    """

    requirement: Requirement
    cases: tuple[str, ...]
    checked: int
    reason: str

    @property
    def hole(self) -> bool:
        """Neither tested nor excused."""
        return not (self.cases or self.checked or self.reason)


def coverage(pack: Pack, role: str, cases: Sequence[Case]) -> tuple[Covered, ...]:
    """Every requirement of a role.

    Parameters:
        pack, role: whose.
        cases: all cases of the role, without the controls that are played once more at the end.
    """
    purposes = {case.id: {*case.requirements, *_owed(case)} for case in cases}
    checks = {case.id: frozenset().union(*_checked(pack, role, case)) for case in cases}
    found = []
    for requirement in pack.requirements.values():
        if requirement.bearer in (role, "any"):
            named = tuple(case.id for case in cases if requirement.id in purposes[case.id])
            checked = sum(requirement.id in checks[case.id] for case in cases)
            reason = "" if named or checked else requirement.untested or ""
            found.append(Covered(requirement, named, checked, reason))
    return tuple(found)


def shown_codes(cases: Sequence[Case]) -> Mapping[str, tuple[str, ...]]:
    """Error code to the cases in which the system answers with it, or is told it, beside a positive control."""
    found: dict[str, dict[str, None]] = {}
    for case in cases:
        for step in exchanges(case.steps):
            if case.control is None or mode(step, case.sut) == "simulate":
                continue
            for outcome in step.expectation.expect:
                if outcome.kind == "error" and outcome.code:
                    found.setdefault(outcome.code, {})[case.id] = None
    return {code: tuple(names) for code, names in found.items()}


def _owed(case: Case) -> set[str]:
    """What the system owes by the reactions of the pack."""
    found = set()
    for step in exchanges(case.steps):
        part = mode(step, case.sut)
        name = {"await": step.requirement, "deliver": step.received, "simulate": None}[part]
        if name is not None:
            found.add(name)
    return found


def _checked(pack: Pack, role: str, case: Case) -> Iterator[frozenset[str]]:
    """What checks look for in the messages that the system sends in a case."""
    for step in exchanges(case.steps):
        part = mode(step, case.sut)
        said = {"await": (step.message,), "deliver": pack.answering(step.message), "simulate": ()}[part]
        yield from (exercised(pack, role, name) for name in said)
        if said and is_limited(step, case.sut):
            yield timed(pack, role, step.message)
