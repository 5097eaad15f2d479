"""What the record says of questions that were asked beside a run, and of the answers to them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from harness.record.redact import redact_text

if TYPE_CHECKING:
    from harness.evidence.model import Event
    from harness.judge.model import StepVerdict
    from harness.judge.run import RunJudgement
    from harness.scenario.plan import Plan


def about_annexes(plan: Plan, judgement: RunJudgement, events: Sequence[Event]) -> Iterator[dict[str, Any]]:
    """Every annex of a run.

    Parameters:
        plan: of the run.
        judgement: of the run.
        events: everything that was observed.

    Yields:
        JSON values only, as ``harness/schemas/record.json`` describes.
    """
    told = {(event.case, event.step): event.data for event in events if event.kind == "attested"}
    for annex, judged in zip(plan.annexes, judgement.annexes, strict=True):
        pack = annex.pack
        answers = [told[key] for case in annex.plan.cases for step in case.steps if (key := (case.id, step.id)) in told]
        yield {
            "pack": {name: getattr(pack, name) for name in ("id", "version", "title", "digest", "notice")},
            "persons": sorted({str(each["person"]) for each in answers if each.get("person")}),
            "statuses": dict(sorted(Counter(each.status.value for each in judged.requirements).items())),
            "requirements": [
                {
                    "id": each.id,
                    "level": each.level,
                    "status": each.status.value,
                    "cases": list(each.cases),
                    "group": pack.requirements[each.id].group,
                    "text": pack.requirements[each.id].text,
                    "effect": pack.requirements[each.id].effect,
                    "source": {
                        "mark": pack.requirements[each.id].source.mark,
                        "text": pack.requirements[each.id].source.text,
                    },
                }
                for each in judged.requirements
            ],
            "cases": [
                {
                    "id": case.id,
                    "version": case.version,
                    "title": case.title,
                    "verdict": verdict.verdict.value,
                    "steps": [_step(step, told.get((case.id, step.step), {})) for step in verdict.steps],
                }
                for case, verdict in zip(annex.plan.cases, judged.cases, strict=True)
            ],
        }


def _step(step: StepVerdict, told: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": step.step,
        "verdict": step.verdict.value,
        "reason": redact_text(step.reason),
        "expected": step.expected,
        **answer_of(told),
    }


def answer_of(told: Mapping[str, Any]) -> dict[str, Any]:
    """What a person answered to a question, with name and documents, from the event; empty where nobody was asked."""
    return {
        "answer": redact_text(str(told["answer"])) if told.get("answer") is not None else None,
        "person": told.get("person"),
        "files": [dict(each) for each in told.get("files", ())],
    }
