"""What waivers make of a judgement: which failures they excuse, and which of them should not be there any more.

A pure function of verdicts and waivers. Verdicts and statuses stay as they are; only the sentence about the run takes
notice.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from harness.judge.model import CaseVerdict, Verdict
from harness.scenario.plan import END

if TYPE_CHECKING:
    from harness.scenario.waiver import Waiver

State = Literal["used", "unused", "stale", "expired"]
_SETTLED = (Verdict.PASS, Verdict.WARNING, Verdict.NOT_APPLICABLE)


@dataclass(frozen=True)
class Waived:
    """One waiver after the run.

    Parameters:
        waiver: the waiver.
        state: ``used``; ``unused`` when nothing that it speaks of was played; ``stale`` when all of that passed;
            ``expired`` when it did not hold any more as the run began.
        cases: ids of the cases that it excuses: of a requirement, those in which nothing is bad that is not waived.
    """

    waiver: Waiver
    state: State
    cases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Excused:
    """What all waivers of a run excuse together.

    Parameters:
        cases: ids of cases.
        requirements: ids of requirements, none of whose cases is bad without being excused.
    """

    cases: frozenset[str] = field(default=frozenset())
    requirements: frozenset[str] = field(default=frozenset())


def apply_waivers(
    waivers: Sequence[Waiver], began: datetime | None, cases: Sequence[CaseVerdict]
) -> tuple[Waived, ...]:
    """Which failures the waivers of a run excuse; a case also where it is played once more at the end.

    Parameters:
        waivers: of the plan.
        began: when the run began; ``None`` when it never did.
        cases: their verdicts, beside their controls.
    """
    holding = [each for each in waivers if began is None or not each.expired(began)]
    waived = {each.requirement for each in holding if each.requirement}
    return tuple(_applied(each, cases, waived) if each in holding else Waived(each, "expired") for each in waivers)


def excused_by(applied: Sequence[Waived], cases: Sequence[CaseVerdict], beside: Collection[str | None] = ()) -> Excused:
    """The cases and requirements that are excused.

    Parameters:
        applied: the waivers, with what they excuse.
        cases: all verdicts.
        beside: requirements that something outside of all cases broke: only a waiver that names them excuses that.
    """
    holding = [each for each in applied if each.state == "used"]
    names = frozenset(name for each in holding for name in each.cases)
    waived = {each.waiver.requirement for each in holding if each.waiver.requirement}
    bad: dict[str, set[str]] = {}
    for case in cases:
        for requirement, verdict in case.requirements.items():
            if _is_bad(verdict):
                bad.setdefault(requirement, set()).add(case.case)
    passed = {name for name, where in bad.items() if where <= names and name not in beside}
    return Excused(names, frozenset(waived | passed))


def _applied(waiver: Waiver, cases: Sequence[CaseVerdict], waived: Collection[str]) -> Waived:
    touched = {
        case.case: (case, case.requirements.get(waiver.requirement, case.verdict))
        for case in cases
        if case.case.removesuffix(END) == waiver.case or waiver.requirement in case.requirements
    }
    bad = [case for case, verdict in touched.values() if _is_bad(verdict)]
    if bad:
        return Waived(waiver, "used", tuple(each.case for each in bad if waiver.case or _is_all(each, waived)))
    return Waived(waiver, "stale" if touched else "unused")


def _is_all(case: CaseVerdict, waived: Collection[str]) -> bool:
    """Whether nothing is bad in a case but what is waived."""
    bad = {name: verdict for name, verdict in case.requirements.items() if _is_bad(verdict)}
    said = case.verdict is not Verdict.FAIL or Verdict.FAIL in bad.values()
    return said and bad.keys() <= set(waived)


def _is_bad(verdict: Verdict) -> bool:
    return verdict not in _SETTLED and verdict is not Verdict.HARNESS_ERROR
