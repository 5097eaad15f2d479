"""Whether the mark of a run, which follows from its challenge, is in what was exchanged.

Rules:

1. Every request that we sent carries the mark in its reference. One that is wrong on purpose, or whose reference the
   case itself sets, may lack it.
2. Our own requests prove nothing, because we could make them again. An answer that the system under test signed and
   that repeats our reference was signed after the challenge was known.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from harness.bundle.rejudge import Bundle, blaming_the_bundle
from harness.errors import BundleFault
from harness.evidence.conversation import Part, name_made_by
from harness.evidence.log import read_events
from harness.evidence.message import Opened, open_message
from harness.evidence.model import Event
from harness.judge.case import trust_of
from harness.scenario.model import Exchange
from harness.scenario.plan import mark_of
from harness.scenario.project import exchanges, wrong


def check_mark(bundle: Bundle) -> tuple[bool, str]:
    """Look for the mark of the run in every request that was sent, and in every answer that came.

    Returns:
        whether a signature of the system covers it, and how many messages carry it, in one or two sentences.

    Raises:
        BundleFault: a request lacks it, or plan and challenge do not belong together.
    """
    parameters = bundle.plan.parameters
    if parameters.challenge not in (None, parameters.token):
        raise BundleFault("plan.json names a challenge, but its token is another one")
    begins = f"{mark_of(parameters.token)}-"
    requests = answers = signed = 0
    with blaming_the_bundle("the references in the evidence cannot be read"):
        for event, step in _messages(bundle):
            if event.kind == "sent" and event.data["role"] == "request":
                name = name_made_by(bundle.pack, step.message, "reference")
                if name is None or wrong(step) or name in step.values:
                    continue
                if not (_open(bundle, event, step).text(name) or "").startswith(begins):
                    raise BundleFault(
                        f"a request does not carry the mark of the run: event {event.seq}, case {event.case}, "
                        f"step {event.step}",
                        expected=f"a reference that begins with {begins}",
                    )
                requests += 1
            elif event.kind == "received" and event.data["role"] == "answer":
                answers += 1
                signed += _covers(bundle, _open(bundle, event, step), begins)
    what = f"challenge {parameters.challenge}" if parameters.challenge else "mark of the run (there was no challenge)"
    if requests == 0:
        return False, f"Nothing was sent that had to carry the {what}: no signature of the system covers it."
    return signed > 0, (
        f"All {requests} requests that had to carry the {what} do so, as {begins} in their references. "
        f"Of {answers} answers of the system, {signed} repeat such a reference under a trusted signature: "
        f"so many of its signatures cover it."
    )


def _messages(bundle: Bundle) -> Iterator[tuple[Event, Exchange]]:
    scripts = {case.id: {step.id: step for step in exchanges(case.steps)} for case in bundle.plan.cases}
    for event in read_events(bundle.folder / "evidence"):
        if event.kind in ("sent", "received"):
            step = scripts.get(event.case or "", {}).get(event.step or "")
            if step is None:
                raise BundleFault(f"event {event.seq} belongs to no step of the plan")
            yield event, step


def _open(bundle: Bundle, event: Event, step: Exchange) -> Opened:
    """Open a message as the judge opens it."""
    part: Part = event.data["role"]
    ours, parameters = event.kind == "sent", bundle.plan.parameters
    return open_message(
        bundle.pack,
        event.data.get("head") or {},
        bundle.fetch(event.data["digest"]),
        at=datetime.fromisoformat(event.at),
        trust=None if ours else trust_of(parameters.anchors, parameters.crls),
        answer_to=step.message if part == "answer" else None,
        name=step.message if ours else None,
    )


def _covers(bundle: Bundle, answer: Opened, begins: str) -> bool:
    name = name_made_by(bundle.pack, answer.name, "reply") if answer.name else None
    if name is None or answer.report is None or not (answer.report.trusted and answer.report.covers_body()):
        return False
    return (answer.text(name) or "").startswith(begins)
