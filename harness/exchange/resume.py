"""What an earlier part of a run has left: which cases have a verdict, and which numbers are used.

Rules:

1. A case that was played to an end keeps its verdict. One that was cut or cancelled, or in which this program itself
   went wrong, is played again, as a new attempt.
2. A complete run can be repeated in part: cases that failed or have no verdict are played again, with their positive
   controls. See :mod:`harness.judge.again`.
3. No number is used twice: a new attempt takes one behind all that were planned, or taken by earlier attempts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from harness.evidence.model import Event
from harness.judge.attempt import REPEATED, SETTLED, events_by_case
from harness.judge.case import judge_case
from harness.judge.model import CaseVerdict, Verdict
from harness.judge.step import HELD_UP, UNSURE
from harness.judge.walk import Fetch
from harness.pack.model import Pack
from harness.scenario.plan import END, Plan

_KEPT = (Verdict.PASS, Verdict.WARNING, Verdict.REVIEW, Verdict.NOT_APPLICABLE)


@dataclass(frozen=True)
class Past:
    """The earlier part of a run.

    Parameters:
        verdicts: by case, of those that need not be played again.
        attempts: how often each case was begun.
        spoiled: ids of cases with a verdict that are to be played once more, see :func:`is_spoiled`.
        repeated: ids of cases that are played again after they had a verdict.
        next_serial: the first number that is not used yet.
        drawn: the next entry of each pool whose entries are used up.
        asked: ids of the cases that came to an end, also of those in annexes.
    """

    verdicts: Mapping[str, CaseVerdict] = field(default_factory=dict)
    attempts: Mapping[str, int] = field(default_factory=dict)
    spoiled: tuple[str, ...] = ()
    repeated: tuple[str, ...] = ()
    next_serial: int = 0
    drawn: Mapping[str, int] = field(default_factory=dict)
    asked: frozenset[str] = frozenset()


def look_back(plan: Plan, pack: Pack, events: Sequence[Event], fetch: Fetch) -> Past:
    """What the evidence of a run says about how far it came.

    Parameters:
        plan, pack: what it was planned with.
        events: its evidence.
        fetch: digest to bytes.
    """
    begun = [event for event in events if event.kind == "case-started"]
    attempts: dict[str, int] = {}
    drawn: dict[str, int] = {}
    for event in begun:
        attempts[str(event.case)] = max(attempts.get(str(event.case), 0), int(event.data["attempt"]))
        drawn |= {name: max(number, drawn.get(name, 0)) for name, number in event.data.get("drawn", {}).items()}
    verdicts, spoiled = {}, []
    by_case = events_by_case((case.id for case in plan.cases), events)
    due = _due(events)
    for case in plan.cases:
        if case.id in due:
            continue
        own = _last_attempt(by_case[case.id])
        end = next((event for event in reversed(own) if event.kind == "case-finished"), None)
        settled = end is not None and end.data["ended"] in SETTLED
        verdict = judge_case(case, plan, pack, by_case[case.id], fetch)
        if not settled and verdict.verdict is not Verdict.FAIL:
            continue
        if verdict.verdict is not Verdict.HARNESS_ERROR:
            verdicts[case.id] = verdict
            if attempts[case.id] == 1 and is_spoiled(verdict, own):
                spoiled.append(case.id)
    first = 1 + max((case.serial for case in plan.cases), default=plan.parameters.first - 1)
    repeated = sum(int(event.data["attempt"]) > 1 for event in begun)
    asked = frozenset(str(event.case) for event in events if event.kind == "case-finished")
    return Past(verdicts, attempts, tuple(spoiled), (), first + repeated, drawn, asked)


def repeating(plan: Plan, past: Past, verdicts: Sequence[CaseVerdict]) -> Past:
    """The same, with the cases of a complete run to be played again that failed or have no verdict.

    Parameters:
        plan, past: of the run.
        verdicts: of its cases, beside their controls: a refusal proves nothing where its control failed.
    """
    bad = {
        case.id: case.control
        for case, verdict in zip(plan.cases, verdicts, strict=True)
        if verdict.verdict not in _KEPT
    }
    controls = {name for control in bad.values() if control for name in (control, control + END)}
    repeated = tuple(case.id for case in plan.cases if case.id in bad or case.id in controls)
    kept = {name: verdict for name, verdict in past.verdicts.items() if name not in repeated}
    return replace(past, verdicts=kept, spoiled=(), repeated=repeated)


def beyond(past: Past, number: int, pools: Iterable[str]) -> Past:
    """The same, without the numbers and entries that other runs against the system have used meanwhile.

    Parameters:
        past: of this run.
        number: the first number that no run has used.
        pools: names of all pools.
    """
    if number <= past.next_serial:
        return past
    return replace(past, next_serial=number, drawn={name: max(number, past.drawn.get(name, 0)) for name in pools})


def is_spoiled(verdict: CaseVerdict, events: Sequence[Event]) -> bool:
    """Whether a case has no verdict because of what it cannot help.

    A message that belongs to nobody came while something was watched, or waited for in vain, or a limit was missed by
    less than our own uncertainty, or this program was held up.
    """
    strays = [event.at for event in events if event.kind == "unmatched"]
    watched = [event.data for event in events if event.kind in ("quiet", "silence")]
    disturbed = any(str(data["since"]) <= at <= str(data["until"]) for data in watched for at in strays)
    unsure = any(step.reason.endswith((UNSURE, HELD_UP)) for step in verdict.steps)
    return verdict.verdict is Verdict.INCONCLUSIVE and (disturbed or unsure)


def _due(events: Iterable[Event]) -> set[str]:
    """The cases that a repetition was to play again, and has not begun yet."""
    due: set[str] = set()
    for event in events:
        if event.kind == REPEATED:
            due.update(event.data["cases"])
        elif event.kind == "case-started":
            due.discard(str(event.case))
    return due


def _last_attempt(events: Sequence[Event]) -> Sequence[Event]:
    starts = [number for number, event in enumerate(events) if event.kind == "case-started"]
    return events[starts[-1] :] if starts else ()
