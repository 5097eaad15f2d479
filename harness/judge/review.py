"""Reviews: what a person decided about steps that only a person can see.

Rules:

1. Only a step whose verdict is *review* can be graded: nobody overrules what the judge saw.
2. The grade is a verdict like any other, worst wins; of several grades of one step the worst counts.
3. The reason says that a person graded it, who, and what the step was before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from harness.judge.model import StepVerdict, Verdict

GRADES = (Verdict.PASS, Verdict.WARNING, Verdict.INCONCLUSIVE, Verdict.FAIL)
"""What a step can be graded as."""


@dataclass(frozen=True)
class Review:
    """What a person decided about one step.

    Parameters:
        case, step: ids.
        verdict: one of :data:`GRADES`.
        reason: what the person saw, in a sentence.
        person: who decided.
    """

    case: str
    step: str
    verdict: Verdict
    reason: str
    person: str


def graded(case: str, step: StepVerdict, reviews: Sequence[Review]) -> StepVerdict:
    """The verdict of a step after what persons decided about it."""
    own = [each for each in reviews if (each.case, each.step) == (case, step.step)]
    if step.verdict is not Verdict.REVIEW or not own:
        return step
    decisive = max(own, key=lambda each: each.verdict.rank)
    reason = f"Graded {decisive.verdict.value} by {decisive.person}: {decisive.reason} (was: {step.reason})"
    word = decisive.verdict
    return replace(step, verdict=word, reason=reason, observed=decisive.reason, unsaid=word)
