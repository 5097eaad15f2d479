"""Whether the mark of a run, which follows from its challenge, is in what was exchanged.

Rules:

1. Every request that we sent carries the mark in its reference. One that is wrong on purpose, or whose reference the
   case itself sets, may lack it.
2. Our own requests prove nothing, because we could make them again. An answer that the system under test signed and
   that repeats our reference was signed after the challenge was known.
3. One such answer speaks for its case, not for the run: every passed case that sent the mark must have one of its own.
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
from harness.judge.trust import trust_of
from harness.scenario.model import Exchange
from harness.scenario.plan import mark_of
from harness.scenario.project import everything, wrong

_PASSED = ("pass", "warning")
_NAMED = 5
"""Cases that are named."""


def check_mark(bundle: Bundle) -> tuple[bool, str]:
    """Look for the mark of the run in every request that was sent, and in every answer that came.

    Returns:
        whether a signature of the system covers it in every passed case that sent it, and in how many it does, in
        words.

    Raises:
        BundleFault: a request lacks it, or plan and challenge do not belong together.
    """
    parameters = bundle.plan.parameters
    if parameters.challenge not in (None, parameters.token):
        raise BundleFault("plan.json names a challenge, but its token is another one")
    begins = f"{mark_of(parameters.token)}-"
    passed = {case["id"] for case in bundle.record["cases"] if case["verdict"] in _PASSED}
    requests, covered = 0, dict[str, bool]()
    with blaming_the_bundle("the references in the evidence cannot be read"):
        for event, step in _messages(bundle):
            if step is None:
                covered.pop(event.case or "", None)
            elif event.kind == "sent" and event.data["role"] == "request":
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
                covered.setdefault(event.case or "", False)
            elif event.kind == "received" and event.data["role"] == "answer" and event.case in covered:
                covered[event.case] |= _covers(bundle, _open(bundle, event, step), begins)
    what = f"challenge {parameters.challenge}" if parameters.challenge else "mark of the run (there was no challenge)"
    if requests == 0:
        return False, f"Nothing was sent that had to carry the {what}: no signature of the system covers it."
    ours = {name: signed for name, signed in covered.items() if name in passed}
    lacking = [name for name, signed in ours.items() if not signed]
    text = (
        f"All {requests} requests that had to carry the {what} do so, as {begins} in their references. "
        f"In {len(ours) - len(lacking)} of the {len(ours)} passed cases that sent it, an answer of the system repeats "
        f"it under a trusted signature."
    )
    if lacking:
        more = f" and {len(lacking) - _NAMED} more" if len(lacking) > _NAMED else ""
        text += f" None does in {', '.join(lacking[:_NAMED])}{more}."
    return bool(ours) and not lacking, text


def _messages(bundle: Bundle) -> Iterator[tuple[Event, Exchange | None]]:
    """The messages with their steps; ``None`` where an attempt at a case begins, which leaves earlier ones behind.

    What came while a step watched that nothing comes belongs to no exchange.
    """
    scripts = {case.id: {step.id: step for step in everything(case.steps)} for case in bundle.plan.cases}
    for event in read_events(bundle.folder / "evidence"):
        if event.kind == "case-started":
            yield event, None
        elif event.kind in ("sent", "received"):
            step = scripts.get(event.case or "", {}).get(event.step or "")
            if step is None:
                raise BundleFault(f"event {event.seq} belongs to no step of the plan")
            if isinstance(step, Exchange):
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
        trust=None if ours else trust_of(parameters),
        answer_to=step.message if part == "answer" else None,
        name=step.message if ours else None,
    )


def _covers(bundle: Bundle, answer: Opened, begins: str) -> bool:
    name = name_made_by(bundle.pack, answer.name, "reply") if answer.name else None
    if name is None or answer.report is None or not (answer.report.trusted and answer.report.covers_body()):
        return False
    return (answer.text(name) or "").startswith(begins)
