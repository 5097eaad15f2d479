"""What waivers make of a judgement: which failures they excuse, and which of them should not be there any more.

A pure function of verdicts and waivers. Verdicts and statuses stay as they are; only the sentence about the run takes
notice.

1. A waiver of a requirement excuses that one, in every case.
2. A waiver of a requirement in a case excuses it there.
3. A waiver of a case excuses what the case is for: the requirements of its purpose, and a failure that is put down to
   none. What else breaks in it, such as a signature, is not what somebody decided about.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal, TypeAlias

from harness.judge.model import CaseVerdict, Verdict
from harness.scenario.plan import END

if TYPE_CHECKING:
    from harness.scenario.waiver import Waiver

State = Literal["used", "unused", "stale", "expired"]
Purposes: TypeAlias = "Mapping[str, Collection[str]]"
"""Id of each case to the requirements that it is for."""

_SETTLED = (Verdict.PASS, Verdict.WARNING, Verdict.NOT_APPLICABLE)


@dataclass(frozen=True)
class Waived:
    """One waiver after the run.

    Parameters:
        waiver: the waiver.
        state: ``used``; ``unused`` when nothing that it speaks of was played; ``stale`` when all of that passed;
            ``expired`` when it did not hold any more as the run began.
        cases: ids of the cases in which nothing is bad that is not waived, by this waiver and others.
        left: of a waiver that names a case: the requirements that are bad in it, and that no waiver excuses.
    """

    waiver: Waiver
    state: State
    cases: tuple[str, ...] = ()
    left: tuple[str, ...] = ()


@dataclass(frozen=True)
class Excused:
    """What all waivers of a run excuse together.

    Parameters:
        cases: ids of cases.
        requirements: ids of requirements that are bad nowhere but where they are excused.
    """

    cases: frozenset[str] = field(default=frozenset())
    requirements: frozenset[str] = field(default=frozenset())


def apply_waivers(
    waivers: Sequence[Waiver], began: datetime | None, purposes: Purposes, cases: Sequence[CaseVerdict]
) -> tuple[Waived, ...]:
    """Which failures the waivers of a run excuse; a case also where it is played once more at the end.

    Parameters:
        waivers: of the plan.
        began: when the run began; ``None`` when it never did.
        purposes: of the cases.
        cases: their verdicts, beside their controls.
    """
    holding = [each for each in waivers if began is None or not each.expired(began)]
    return tuple(
        _applied(each, holding, purposes, cases) if each in holding else Waived(each, "expired") for each in waivers
    )


def excused_by(
    applied: Sequence[Waived],
    purposes: Purposes,
    cases: Sequence[CaseVerdict],
    beside: Collection[str | None] = (),
) -> Excused:
    """The cases and requirements that are excused.

    Parameters:
        applied: the waivers, with what they excuse.
        purposes, cases: as for :func:`apply_waivers`.
        beside: requirements that something outside of all cases broke: only a waiver that names them, and no case,
            excuses that.
    """
    used = [each.waiver for each in applied if each.state == "used"]
    bad = {name for case in cases for name, verdict in case.requirements.items() if _is_bad(verdict)}
    left = {name for case in cases for name in _left(case, used, purposes)}
    waived = {each.requirement for each in used if each.requirement and not each.case}
    names = frozenset(name for each in applied if each.state == "used" for name in each.cases)
    return Excused(names, frozenset(waived | (bad - left - set(beside))))


def _applied(waiver: Waiver, holding: Sequence[Waiver], purposes: Purposes, cases: Sequence[CaseVerdict]) -> Waived:
    own = [each for each in cases if _speaks_of(waiver, each)]
    touched = {
        each.case: each.requirements[waiver.requirement] if waiver.requirement else each.verdict
        for each in own
        if not waiver.requirement or waiver.requirement in each.requirements
    }
    bad = [each for each in own if each.case in touched and _is_bad(touched[each.case])]
    if not bad:
        return Waived(waiver, "stale" if touched else "unused")
    left = dict.fromkeys(name for each in bad if waiver.case for name in _left(each, holding, purposes))
    cleared = tuple(each.case for each in bad if _is_cleared(each, holding, purposes))
    return Waived(waiver, "used", cleared, tuple(left))


def _speaks_of(waiver: Waiver, case: CaseVerdict) -> bool:
    return waiver.case in ("", case.case.removesuffix(END))


def _left(case: CaseVerdict, holding: Sequence[Waiver], purposes: Purposes) -> list[str]:
    """The requirements that are bad in a case, and that no waiver excuses there."""
    own = [each for each in holding if _speaks_of(each, case)]
    excused = {each.requirement for each in own}
    if "" in excused:
        excused.update(purposes[case.case])
    return [name for name, verdict in case.requirements.items() if _is_bad(verdict) and name not in excused]


def _is_cleared(case: CaseVerdict, holding: Sequence[Waiver], purposes: Purposes) -> bool:
    """Whether nothing is bad in a case but what is waived; a failure that is put down to nothing needs the case."""
    said = case.verdict is not Verdict.FAIL or Verdict.FAIL in case.requirements.values()
    whole = any(_speaks_of(each, case) and not each.requirement for each in holding)
    return (said or whole) and not _left(case, holding, purposes)


def _is_bad(verdict: Verdict) -> bool:
    return verdict not in _SETTLED and verdict is not Verdict.HARNESS_ERROR
