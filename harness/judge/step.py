"""The judge of one step: what was expected, what was observed, and which word that deserves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from harness.check.model import Finding
from harness.evidence.conversation import Part
from harness.evidence.model import Event
from harness.judge.model import StepVerdict, Verdict
from harness.judge.outcome import describe_all, meets
from harness.pack.model import Outcome, Pack
from harness.scenario.model import AnyOrder, Attest, Case, Exchange, Probe, Quiet
from harness.scenario.project import mode

SIMULATED = "Simulated: no evidence about the system under test."
NOT_REACHED = "Not reached."


def worst(steps: Iterable[StepVerdict]) -> StepVerdict | None:
    """The step that decides: the worst one, the first of equals; neutral ones do not count."""
    decisive: StepVerdict | None = None
    for step in steps:
        if step.verdict is Verdict.NOT_APPLICABLE:
            continue
        if decisive is None or step.verdict.rank > decisive.verdict.rank:
            decisive = step
    return decisive


def judge_exchange(
    step: Exchange,
    case: Case,
    pack: Pack,
    events: Sequence[Event],
    outcomes: tuple[Outcome, ...],
    found: tuple[Finding, ...],
    at: Mapping[Part, Event],
    *,
    answered_in: timedelta | None,
) -> StepVerdict:
    """Judge one exchange.

    Parameters:
        step, case, pack: what was planned.
        events: everything observed in this step.
        outcomes: how it ended, empty when it did not.
        found: findings of the checks in the SUT's messages.
        at: event of the request and of the answer.
        answered_in: the time budget for answers, for the clock table.
    """
    part = mode(step, case.sut)
    if part == "simulate":
        return StepVerdict(step.id, Verdict.NOT_APPLICABLE, SIMULATED, events=_numbers(events))
    judged = _awaited if part == "await" else _delivered
    verdict, reason, expected, observed, extra = judged(step, case, pack, events, outcomes, at)
    findings = (*found, *extra)
    for finding in findings:
        hit = {"error": Verdict.FAIL, "warning": Verdict.WARNING, "info": Verdict.PASS}[finding.severity]
        if hit.rank > verdict.rank and hit is not Verdict.PASS:
            verdict, reason = hit, finding.message
    return StepVerdict(
        step.id, verdict, reason, expected, observed, findings, _numbers(events), _clocks(at, answered_in)
    )


_Judged = tuple[Verdict, str, str, str, tuple[Finding, ...]]


def _awaited(
    step: Exchange,
    case: Case,
    pack: Pack,
    events: Sequence[Event],
    outcomes: tuple[Outcome, ...],
    at: Mapping[Part, Event],
) -> _Judged:
    """The SUT sends: did it?"""
    name = step.message
    expected = f"{name} from {step.sender}"
    if "request" in at:
        return Verdict.PASS, f"{name} came.", expected, f"{name} came", ()
    if not events:
        return Verdict.NOT_APPLICABLE, NOT_REACHED, expected, "", ()
    silence = next((event for event in events if event.kind == "silence"), None)
    if silence is not None and (step.reaction is not None or step.floating):
        reason = f"{name} to {step.receiver} did not come until {silence.data.get('until')}."
        finding = Finding("reaction", "missing", reason, requirement=step.requirement or _purpose(step, case))
        return Verdict.FAIL, reason, expected, "nothing came", (finding,)
    refused = next((event for event in events if event.kind == "control-answer" and not _done(event)), None)
    if refused is not None:
        detail = (
            refused.data.get("error") or f"status {refused.data.get('status')}: {refused.data.get('body')}"
        )
        reason = f"The control interface did not make the system send {name}: {detail}"
        return Verdict.INCONCLUSIVE, reason, expected, "the control interface refused", ()
    if silence is not None:
        reason = f"Time-out: asked to send {name}, and nothing came until {silence.data.get('until')}."
        return Verdict.INCONCLUSIVE, reason, expected, "nothing came", ()
    failed = next((event for event in events if event.kind == "failed"), None)
    if failed is not None:
        return (
            Verdict.INCONCLUSIVE,
            str(failed.data.get("text", "")),
            expected,
            "it could not be received",
            (),
        )
    return (
        Verdict.INCONCLUSIVE,
        f"{name} was still awaited when the case ended.",
        expected,
        "nothing came",
        (),
    )


def _done(event: Event) -> bool:
    status = event.data.get("status")
    return event.data.get("error") is None and (status is None or 200 <= int(status) < 300)


def _delivered(
    step: Exchange,
    case: Case,
    pack: Pack,
    events: Sequence[Event],
    outcomes: tuple[Outcome, ...],
    at: Mapping[Part, Event],
) -> _Judged:
    """The SUT receives: how did it answer?"""
    expected = describe_all(step.expectation.expect)
    if step.expectation.permitted:
        expected += f" (permitted: {describe_all(step.expectation.permitted)})"
    failed = next((event for event in events if event.kind == "failed"), None)
    if failed is not None and failed.data.get("blame") == "environment":
        return (
            Verdict.INCONCLUSIVE,
            str(failed.data.get("text", "")),
            expected,
            "it could not be delivered",
            (),
        )
    if not outcomes:
        if not events:
            return Verdict.NOT_APPLICABLE, NOT_REACHED, expected, "", ()
        return Verdict.INCONCLUSIVE, "The case ended before an answer came.", expected, "no answer yet", ()
    observed = describe_all(outcomes)
    if pack.messages[step.message].answer is None and _is_receipt(outcomes):
        return Verdict.PASS, "Received.", "receipt", observed, ()
    place = meets(outcomes, step.expectation)
    if place == "expect":
        return Verdict.PASS, f"Answered as expected: {observed}.", expected, observed, ()
    if place == "permitted":
        verdict = Verdict(step.expectation.permitted_verdict)
        return verdict, f"Another legal answer: {observed}. Expected was {expected}.", expected, observed, ()
    reason = f"{step.message} was answered with {observed}; expected was {expected}."
    if step.id not in case.purpose_steps and step.received is None:
        return Verdict.INCONCLUSIVE, f"Set-up failed: {reason}", expected, observed, ()
    requirement = step.received if step.received in pack.requirements else _purpose(step, case)
    return (
        Verdict.FAIL,
        reason,
        expected,
        observed,
        (Finding("answer", "unexpected", reason, requirement=requirement),),
    )


def _is_receipt(outcomes: tuple[Outcome, ...]) -> bool:
    """Whether a one-way message was taken: any HTTP status of the 2xx class."""
    return any(
        each.kind == "http" and each.code is not None and each.code.startswith("2") for each in outcomes
    )


def _purpose(step: Exchange, case: Case) -> str | None:
    return case.requirements[0] if step.id in case.purpose_steps and case.requirements else None


def judge_observation(
    step: Quiet | Probe | Attest | AnyOrder,
    events: Sequence[Event],
    everything: Sequence[Event],
    *,
    observable: bool,
) -> StepVerdict:
    """Judge a quiet, a probe or an attestation.

    Parameters:
        step: the step.
        events: its own events.
        everything: all events of the case, with messages of the run that belong to nobody.
        observable: whether the SUT's state can be asked for at all.
    """
    match step:
        case Quiet():
            verdict, reason, expected, observed = _quiet(step, events, everything)
        case Probe():
            verdict, reason, expected, observed = _probe(step, events, observable=observable)
        case Attest():
            verdict, reason = Verdict.REVIEW, f"A person must look: {step.question}"
            expected, observed = step.question, "not graded"
        case AnyOrder():
            raise TypeError("the exchanges of a group are judged one by one")
    return StepVerdict(step.id, verdict, reason, expected, observed, events=_numbers(events))


def _quiet(
    step: Quiet, events: Sequence[Event], everything: Sequence[Event]
) -> tuple[Verdict, str, str, str]:
    expected = f"no {step.message} from {step.party}"
    watched = next((event for event in events if event.kind == "quiet"), None)
    came = next((event for event in events if event.kind == "received"), None)
    if came is not None:
        reason = f"{step.party} sent {step.message} although it had been refused what that message builds on."
        return Verdict.FAIL, reason, expected, f"{step.message} came"
    if watched is None:
        return Verdict.NOT_APPLICABLE, NOT_REACHED, expected, ""
    since, until = str(watched.data["since"]), str(watched.data["until"])
    stray = [event for event in everything if event.kind == "unmatched" and since <= event.at <= until]
    if stray:
        return (
            Verdict.INCONCLUSIVE,
            "A message that belongs to no step came meanwhile.",
            expected,
            "a stray message",
        )
    return Verdict.PASS, f"Nothing came until {until}.", expected, "nothing came"


def _probe(step: Probe, events: Sequence[Event], *, observable: bool) -> tuple[Verdict, str, str, str]:
    expected = f"{step.object}: {' or '.join(step.states)}"
    answer = next((event for event in events if event.kind == "state"), None)
    if not observable:
        return Verdict.NOT_APPLICABLE, "Not observable without a control interface.", expected, ""
    if answer is None:
        return Verdict.NOT_APPLICABLE, NOT_REACHED, expected, ""
    state = answer.data.get("state")
    if state is None:
        return Verdict.INCONCLUSIVE, "The control interface does not tell this state.", expected, "unknown"
    if state in step.states:
        return Verdict.PASS, f"{step.object} is {state}.", expected, str(state)
    return Verdict.FAIL, f"{step.party} holds {step.object} for {state}.", expected, str(state)


def _numbers(events: Sequence[Event]) -> tuple[int, ...]:
    return tuple(event.seq for event in events)


def _clocks(at: Mapping[Part, Event], budget: timedelta | None) -> dict[str, str]:
    clocks = {}
    if "request" in at:
        clocks["request"] = at["request"].at
    if "answer" in at:
        clocks["answer"] = at["answer"].at
    if len(at) == 2:
        clocks["seconds"] = f"{(at['answer'].mono - at['request'].mono) / 1e9:.6f}"
    if budget is not None:
        clocks["budget"] = f"{budget.total_seconds():g}"
    return clocks
