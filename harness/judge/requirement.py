"""What one case says about each requirement that it touched.

A requirement fails only by a finding against it. What a check finds is put down to the requirement that names
the check; the purpose of the case in which it happened to show keeps its own verdict.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.judge.model import StepVerdict, Verdict
from harness.judge.step import NOT_REACHED, Seen, weight
from harness.pack.model import Pack
from harness.scenario.model import Case
from harness.scenario.project import exchanges, mode


def requirement_verdicts(
    case: Case, pack: Pack, steps: Sequence[StepVerdict], seen: Mapping[str, Seen], verdict: Verdict
) -> dict[str, Verdict]:
    """The verdict for each requirement, worst wins.

    Parameters:
        case, pack: what was planned.
        steps: verdicts of the steps.
        seen: what was observed, by step.
        verdict: of the case.
    """
    found: dict[str, Verdict] = {}

    def put(name: str | None, new: Verdict) -> None:
        if name in pack.requirements:
            old = found.get(str(name))
            found[str(name)] = new if old is None or new.rank > old.rank else old

    for record in seen.values():
        found.update(dict.fromkeys(sorted(record.exercised), Verdict.PASS))
    by_id = {step.step: step for step in steps}
    for exchange in exchanges(case.steps):
        part, judged = mode(exchange, case.sut), by_id[exchange.id]
        owed = {"await": exchange.requirement, "deliver": exchange.received, "simulate": None}[part]
        if owed is not None and judged.verdict is not Verdict.NOT_APPLICABLE:
            put(owed, _own(judged, (owed,)))
    for step in steps:
        for finding in step.findings:
            if finding.severity != "info":
                put(finding.requirement, weight(finding))
    for name in case.requirements:
        put(name, _purpose(name, case, steps, verdict))
    return found


def _purpose(name: str, case: Case, steps: Sequence[StepVerdict], verdict: Verdict) -> Verdict:
    """The verdict for a requirement of the purpose: that of the case, unless another requirement is to blame.

    It is not met where no step of the purpose was judged, such as behind a legal answer that led another way.
    """
    if verdict not in (Verdict.FAIL, Verdict.WARNING):
        return verdict
    own = Verdict.NOT_APPLICABLE
    for step in steps:
        if step.step in case.purpose_steps:
            unreached = step.verdict is Verdict.NOT_APPLICABLE and step.reason == NOT_REACHED
            each = Verdict.INCONCLUSIVE if unreached else _own(step, (name,))
            own = each if each.rank > own.rank else own
    return Verdict.INCONCLUSIVE if own is Verdict.NOT_APPLICABLE else own


def _own(step: StepVerdict, requirements: Sequence[str]) -> Verdict:
    """The verdict of a step without the findings that break other requirements."""
    if step.verdict not in (Verdict.FAIL, Verdict.WARNING):
        return step.verdict
    broken = [finding for finding in step.findings if finding.severity != "info"]
    if not broken:
        return step.verdict
    own = (finding for finding in broken if finding.requirement is None or finding.requirement in requirements)
    hits = (weight(finding) for finding in own)
    return max(Verdict.PASS, step.unsaid, *hits, key=lambda hit: hit.rank)
