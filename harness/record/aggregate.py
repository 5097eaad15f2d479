"""The record: one document that says everything about a run, from which every report is derived.

Rules:

1. It is a pure function of plan, pack, events and judgement: no clock, no chance, no machine. The same run gives the
   same bytes, years later.
2. It decides nothing. Verdicts are the judge's words.
3. It is shown to people, so that it is masked. The exact bytes stay in the evidence and are named by digest.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from harness.evidence.clock import stamp
from harness.judge.attempt import REPEATED
from harness.judge.model import RunVerdict, Status
from harness.record.annex import about_annexes, answer_of
from harness.record.detail import alternatives, certificate_facts, defect_texts
from harness.record.identity import evidence_of
from harness.record.redact import places_of, redact_finding, redact_head, redact_text
from harness.scenario.claim import unclaimed
from harness.scenario.guide import COVERED
from harness.scenario.waiver import waiver_to_json

if TYPE_CHECKING:
    from harness.check.model import Finding
    from harness.evidence.model import Event
    from harness.judge.model import CaseVerdict, StepVerdict
    from harness.judge.run import RunJudgement
    from harness.pack.model import Pack
    from harness.scenario.model import Case
    from harness.scenario.plan import Plan
    from harness.security.model import SignatureReport

SCHEMA = "c2c-harness/record/1"
VALID_DAYS = 365
_PARTS = ("run-started", "run-resumed", REPEATED, "run-finished")
_OF_AN_ATTEMPT = ("attempt", "started", "seconds", "verdict", "reason", "touched", "steps", "evidence")
_WIRE = ("sent", "received", "simulated")


def make_record(
    plan: Plan,
    pack: Pack,
    events: Sequence[Event],
    judgement: RunJudgement,
    *,
    tool: Mapping[str, str],
    valid_days: int = VALID_DAYS,
) -> dict[str, Any]:
    """Make the record of a run.

    Parameters:
        plan, pack: what was played.
        events: everything that was observed, in order.
        judgement: of the same events.
        tool: see :func:`harness.record.tool.this_tool`.
        valid_days: days from the last message of the system for which a statement about it holds, where it says
            conformant, or would if there were no waivers.

    Returns:
        JSON values only, as ``harness/schemas/record.json`` describes.
    """
    attempts = _attempts(events)
    places = places_of(pack)
    start = next((event for event in events if event.kind == "run-started"), None)
    end = next((event for event in reversed(events) if event.kind in _PARTS), None)
    end = end if end is not None and end.kind == "run-finished" else None
    resumed = [event.at for event in events if event.kind == "run-resumed"]
    repeated = [{"at": event.at, "cases": event.data["cases"]} for event in events if event.kind == REPEATED]
    started = events[0].at if events else ""
    came = [event.at for event in events if event.kind == "received"]
    finished = end.at if end is not None else events[-1].at if events else ""
    return {
        "schema": SCHEMA,
        "tool": dict(tool),
        "pack": _pack(pack, places),
        "sut": {
            "authority": plan.subject.authority,
            "product": plan.subject.product,
            "version": plan.subject.version,
            "contact": plan.subject.contact,
            "signers": list(plan.subject.signers),
        },
        "language": plan.subject.language,
        "role": plan.subject.role,
        "positions": list(plan.subject.positions or pack.roles[plan.subject.role].positions),
        "assurance": plan.parameters.assurance,
        "plan": {
            "baseline": plan.baseline,
            "environment": plan.environment,
            "seed": plan.parameters.seed,
            "challenge": plan.parameters.challenge,
            "depth": plan.parameters.depth,
            "adopt_assumed": plan.parameters.adopt_assumed,
            "timers": _changed_timers(plan, pack),
            "unclaimed": list(unclaimed(pack, plan.subject.role, plan.subject.claims)),
            "by_hand": plan.parameters.by_hand,
            "spared": [each.id for each in plan.excluded if each.rule == COVERED],
            "excluded": [{"id": each.id, "rule": each.rule} for each in plan.excluded],
        },
        "started": started,
        "finished": finished,
        **({"resumed": resumed} if resumed else {}),
        **({"repeated": repeated} if repeated else {}),
        "evidence": list(evidence_of(plan.parameters.token, events)),
        "complete": bool(end is not None and end.data.get("complete", False)),
        "observed": {"first": min(came, default=""), "last": max(came, default="")},
        "validity": _validity(max(came, default=finished) if _can_hold(judgement) else "", valid_days),
        "environment": _environment(start),
        "verdict": judgement.verdict.value,
        "reason": redact_text(judgement.reason),
        "counts": {
            "required": judgement.counts.required,
            "executed": judgement.counts.executed,
            "passed": judgement.counts.passed,
        },
        "statuses": {
            status.value: sum(each.status is status and each.level == "MUST" for each in judgement.requirements)
            for status in Status
        },
        "cases": [
            {
                **_case(case, verdict, _judged(verdict, attempts.get(case.id, ())), places),
                **_earlier(case, judgement.earlier.get(case.id, ()), attempts.get(case.id, ()), places),
            }
            for case, verdict in zip(plan.cases, judgement.cases, strict=True)
        ],
        "requirements": [
            {
                "id": each.id,
                "level": each.level,
                "status": each.status.value,
                "cases": list(each.cases),
                "reason": each.reason,
                **_demand(pack, each.id),
            }
            for each in judgement.requirements
        ],
        "on_waivers": judgement.on_waivers,
        "waivers": [
            {
                **waiver_to_json(each.waiver),
                "state": each.state,
                "cases": list(each.cases),
                **({"left": list(each.left)} if each.left else {}),
            }
            for each in judgement.waivers
        ],
        "findings": [_finding(finding, redact_text) for finding in judgement.findings],
        "defects": defect_texts(events),
        **({"annexes": list(about_annexes(plan, judgement, events))} if plan.annexes else {}),
        "teeth": None if pack.teeth is None else asdict(pack.teeth),
    }


def _pack(pack: Pack, places: Mapping[str, list[str]]) -> dict[str, Any]:
    return {
        "id": pack.id,
        "version": pack.version,
        "title": pack.title,
        "digest": pack.digest,
        "extends": list(pack.extends),
        "bases": [{"id": base.id, "version": base.version, "digest": base.digest} for base in pack.bases],
        "notice": pack.notice,
        "provenance": pack.provenance,
        "disputes": pack.disputes,
        "format": pack.format,
        "roles": {role.id: role.title for role in pack.roles.values()},
        "messages": {message.name: message.title for message in pack.messages.values()},
        "masked": places,
    }


def _changed_timers(plan: Plan, pack: Pack) -> dict[str, dict[str, float | None]]:
    """The time limits, in seconds, that are not those of the pack: ``None`` where the pack has none."""
    own = pack.timers
    return {
        name: {"pack": own[name].total_seconds() if name in own else None, "run": value.total_seconds()}
        for name, value in sorted(plan.parameters.timers.items())
        if own.get(name) != value
    }


def _demand(pack: Pack, name: str) -> dict[str, Any]:
    requirement = pack.requirements[name]
    return {
        "bearer": requirement.bearer,
        "group": requirement.group,
        "text": requirement.text,
        "effect": requirement.effect,
        "source": {"mark": requirement.source.mark, "text": requirement.source.text},
    }


def _can_hold(judgement: RunJudgement) -> bool:
    """Whether there is something that a statement can vouch for until a day: conformity, or what waivers left of it."""
    return judgement.on_waivers or judgement.verdict is RunVerdict.CONFORMANT


def _validity(finished: str, days: int) -> dict[str, str]:
    if not finished:
        return {"from": "", "until": ""}
    return {"from": finished, "until": stamp(datetime.fromisoformat(finished) + timedelta(days=days))}


def _environment(start: Event | None) -> dict[str, Any]:
    facts = start.data if start is not None else {}
    return {name: facts[name] for name in ("run", "python", "platform", "clock") if name in facts}


def _attempts(events: Iterable[Event]) -> dict[str, list[list[Event]]]:
    """The events of each attempt at each case."""
    found: dict[str, list[list[Event]]] = {}
    for event in events:
        if event.case is not None:
            own = found.setdefault(event.case, [])
            if event.kind == "case-started" or not own:
                own.append([])
            own[-1].append(event)
    return found


def _judged(verdict: CaseVerdict, attempts: Sequence[Sequence[Event]]) -> Sequence[Event]:
    """The events of the attempt that a verdict is about: not always the last, see :func:`judge_case`."""
    own = [each for each in attempts if each[0].data.get("attempt") == verdict.attempt]
    return own[-1] if own else ()


def _earlier(
    case: Case,
    verdicts: Sequence[CaseVerdict],
    attempts: Sequence[Sequence[Event]],
    places: Mapping[str, list[str]],
) -> dict[str, Any]:
    """What earlier attempts at a case showed, where it was played again."""
    shown = []
    for verdict in verdicts:
        made = _case(case, verdict, _judged(verdict, attempts), places)
        shown.append({name: made[name] for name in _OF_AN_ATTEMPT})
    return {"earlier": shown} if shown else {}


def _case(case: Case, verdict: CaseVerdict, events: Sequence[Event], places: Mapping[str, list[str]]) -> dict[str, Any]:
    by_step: dict[str, list[tuple[int, Event]]] = {}
    blamed = {number: step.step for step in verdict.steps for number in step.events}
    number = 0
    for event in events:
        if event.kind in _WIRE or (event.kind == "extra" and event.seq in blamed):
            number += 1
            by_step.setdefault(event.step or blamed.get(event.seq, ""), []).append((number, event))
    masked = _masking(verdict, by_step, places)
    allowed = {step: {"alternatives": each} for step, each in alternatives(case).items()}
    told = {event.step: answer_of(event.data) for event in events if event.kind == "attested"}
    end = next((event for event in reversed(events) if event.kind != "extra"), None)
    return {
        "id": case.id,
        "version": case.version,
        "title": case.title,
        "group": case.group,
        "effect": case.effect,
        "purpose": case.purpose,
        "sut": case.sut,
        "requirements": list(case.requirements),
        "touched": {name: each.value for name, each in verdict.requirements.items()},
        "verdict": verdict.verdict.value,
        "reason": masked(verdict.reason),
        "negative": case.negative,
        "control": case.control,
        "is_control": case.is_control,
        "derived_from": case.derived_from,
        "attempt": verdict.attempt,
        "started": events[0].at if events else None,
        "seconds": round((end.mono - events[0].mono) / 1e9, 3) if end else 0.0,
        "steps": [
            {
                **_step(step, by_step.get(step.step, ()), masked, case.sut),
                **allowed.get(step.step, {}),
                **told.get(step.step, {}),
            }
            for step in verdict.steps
        ],
        "evidence": list(dict.fromkeys(_digests(events))),
    }


def _digests(events: Iterable[Event]) -> Iterator[str]:
    return (digest for event in events for digest in event.digests)


def _masking(
    verdict: CaseVerdict,
    by_step: Mapping[str, Sequence[tuple[int, Event]]],
    places: Mapping[str, list[str]],
) -> Callable[[str], str]:
    """Masks sentences of one case: what a finding quotes from a masked place is masked wherever it is repeated."""
    known: dict[str, str] = {}
    for step in verdict.steps:
        names = {str(event.data.get("message")) for _, event in by_step.get(step.step, ())}
        here = [place for name in names for place in places.get(name, ())]
        known |= {each.message: redact_finding(each.message, each.pointer, here) for each in step.findings}
    return lambda text: known.get(text) or redact_text(text)


def _step(
    step: StepVerdict, messages: Sequence[tuple[int, Event]], masked: Callable[[str], str], sut: str
) -> dict[str, Any]:
    return {
        "id": step.step,
        "verdict": step.verdict.value,
        "reason": masked(step.reason),
        "expected": masked(step.expected),
        "observed": masked(step.observed),
        "findings": [_finding(finding, masked) for finding in step.findings],
        "clocks": dict(step.clocks),
        "events": list(step.events),
        "messages": [_message(number, event, step.signatures, sut) for number, event in messages],
    }


def _finding(finding: Finding, masked: Callable[[str], str]) -> dict[str, Any]:
    return {
        "check": finding.check,
        "code": finding.code,
        "severity": finding.severity,
        "requirement": finding.requirement,
        "pointer": finding.pointer,
        "line": finding.line,
        "message": masked(finding.message),
    }


def _message(number: int, event: Event, signatures: Mapping[int, SignatureReport], sut: str) -> dict[str, Any]:
    """A message; one for which no step waited names no sender, and is held against the system under test."""
    data = event.data
    stray = event.kind == "extra"
    report = signatures.get(event.seq)
    return {
        "number": number,
        "event": event.seq,
        "direction": "received" if stray else event.kind,
        "part": _shared(data.get("role", "request")),
        "message": _shared(data.get("message")),
        "sender": _shared(sut if stray else data.get("sender")),
        "receiver": _shared(data.get("receiver")),
        "at": event.at,
        "digest": data.get("digest"),
        "head": _head(redact_head(data.get("head") or {})),
        "tls": _shared(data.get("tls")),
        "defect": data.get("defect"),
        **({"variation": data["variation"]} if "variation" in data else {}),
        "signature": None if report is None else {name: _shared(each) for name, each in _signature(report).items()},
    }


def _head(head: Mapping[str, Any]) -> dict[str, Any]:
    return {"line": _shared(head["line"]), "headers": [_shared(each) for each in head["headers"]]}


def _shared(value: Any) -> Any:
    """A JSON value that thousands of messages repeat, kept once."""
    return _once(json.dumps(value))


_once = lru_cache(maxsize=4096)(json.loads)


def _signature(report: SignatureReport) -> dict[str, Any]:
    return {
        "signed": list(report.signed),
        "signer": report.signer,
        "algorithms": dict(report.algorithms),
        "created": None if report.created is None else stamp(report.created),
        "expires": None if report.expires is None else stamp(report.expires),
        "path": list(report.path),
        "revocation": report.revocation,
        "trusted": report.trusted,
        **certificate_facts(report.certificate),
        "problems": [
            {"code": problem.code, "text": redact_text(problem.text), "pointer": problem.pointer}
            for problem in report.problems
        ],
    }
