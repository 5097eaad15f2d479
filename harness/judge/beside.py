"""What the other cases of a run say about its refusals."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from harness.judge.model import CaseVerdict, Verdict
from harness.scenario.model import Case
from harness.scenario.plan import END

MOST_MEANT = 3
"""For how many different mistakes one and the same set of codes may stand."""

_GOOD = (Verdict.PASS, Verdict.WARNING)


def beside_controls(cases: Sequence[Case], verdicts: Sequence[CaseVerdict]) -> tuple[CaseVerdict, ...]:
    """A negative case that passed counts only when its positive control passed, before it and at the end."""
    by_id = {verdict.case: verdict for verdict in verdicts}
    judged = []
    for case, verdict in zip(cases, verdicts, strict=True):
        for name in (case.control, case.control + END) if case.control else ():
            control = by_id.get(name)
            if control is not None and control.verdict not in _GOOD:
                reason = f"Its positive control {name} is {control.verdict.value}: the refusal proves nothing."
                verdict = _unproven(case, verdict, reason)
        judged.append(verdict)
    return tuple(judged)


def telling_apart(cases: Sequence[Case], verdicts: Sequence[CaseVerdict]) -> tuple[CaseVerdict, ...]:
    """A refusal may name several codes; who names the same ones for every mistake has not told what is wrong."""
    meant: defaultdict[frozenset[str], set[frozenset[str]]] = defaultdict(set)
    for verdict in verdicts:
        for expected, named in verdict.refusals:
            meant[named].add(expected)
    vague = {named: len(wrong) for named, wrong in meant.items() if len(wrong) > MOST_MEANT}
    judged = []
    for case, verdict in zip(cases, verdicts, strict=True):
        for named in [each for _, each in verdict.refusals if each in vague][:1]:
            reason = f"The same {len(named)} codes were named for {vague[named]} different mistakes: that tells none."
            verdict = _unproven(case, verdict, reason)
        judged.append(verdict)
    return tuple(judged)


def _unproven(case: Case, verdict: CaseVerdict, reason: str) -> CaseVerdict:
    """A case that passed, where that proves nothing for its purpose."""
    if verdict.verdict not in _GOOD:
        return verdict
    demoted = {
        requirement: Verdict.INCONCLUSIVE if requirement in case.requirements else each
        for requirement, each in verdict.requirements.items()
    }
    return replace(verdict, verdict=Verdict.INCONCLUSIVE, reason=reason, requirements=demoted)
