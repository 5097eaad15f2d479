"""Cases that were played again after they had a verdict: what they showed before.

Rules:

1. The last attempt is judged. What the system did before is not undone by it: both stand in the record.
2. A demand that was broken and is met when it is played again is *not verified*: one of the two attempts is not how the
   system behaves. A case that had no verdict before (inconclusive, not run) may be settled by the last attempt.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.evidence.model import Event
from harness.judge.attempt import REPEATED, events_by_case
from harness.judge.beside import beside_controls
from harness.judge.case import judge_case
from harness.judge.model import CaseVerdict, Verdict
from harness.judge.walk import Fetch
from harness.pack.model import Pack
from harness.scenario.plan import END, Plan

Earlier = Mapping[str, tuple[CaseVerdict, ...]]
_GOOD = (Verdict.PASS, Verdict.WARNING)


def earlier_verdicts(
    plan: Plan, pack: Pack, events: Sequence[Event], fetch: Fetch, verdicts: Sequence[CaseVerdict]
) -> dict[str, tuple[CaseVerdict, ...]]:
    """What each case that was played again had shown before, oldest first.

    Parameters:
        plan, pack, events, fetch: as for :func:`harness.judge.run.judge_run`.
        verdicts: of the last attempts, in the order of the plan.
    """
    marks = [(event.seq, frozenset(event.data["cases"])) for event in events if event.kind == REPEATED]
    if not marks:
        return {}
    by_case = events_by_case((case.id for case in plan.cases), events)
    last = {each.case: each.attempt for each in verdicts}
    found: dict[str, dict[int, CaseVerdict]] = {}
    for seq, repeated in marks:
        controls = {case.control for case in plan.cases if case.id in repeated and case.control}
        asked = repeated | controls | {name + END for name in controls}
        cases = [case for case in plan.cases if case.id in asked]
        own = {case.id: [event for event in by_case[case.id] if event.seq < seq] for case in cases}
        then = [judge_case(case, plan, pack, own[case.id], fetch) for case in cases]
        for each in beside_controls(cases, then):
            if each.case in repeated and 0 < each.attempt < last[each.case]:
                found.setdefault(each.case, {})[each.attempt] = each
    return {name: tuple(attempts.values()) for name, attempts in found.items()}


def unsteady(earlier: Earlier, verdicts: Sequence[CaseVerdict]) -> tuple[str, ...]:
    """The cases that failed, and passed when they were played again."""
    return tuple(
        each.case
        for each in verdicts
        if each.verdict in _GOOD and any(one.verdict is Verdict.FAIL for one in earlier.get(each.case, ()))
    )
