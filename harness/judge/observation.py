"""The judge of what is no exchange: what must not come, what the control interface tells, what a person sees."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from harness.evidence.model import Event
from harness.judge.model import StepVerdict, Verdict
from harness.judge.step import DEPARTED, NOT_REACHED, Ruling, Seen, unproven
from harness.scenario.model import Attest, Probe, Quiet


def judge_observation(
    step: Quiet | Probe | Attest,
    seen: Seen,
    events: Sequence[Event],
    *,
    observable: bool,
    states: Collection[str] = (),
    held_up: bool = False,
    applies: bool = True,
) -> StepVerdict:
    """Judge a quiet, a probe or an attestation.

    Parameters:
        step: the step.
        seen: what was observed of it.
        events: all events of the case, with messages of the run that belong to nobody.
        held_up: our own loop was once late for so long that the SUT may have given up on us.
        states: for a probe, all states that its object can be in.
        observable: whether the SUT's state can be asked for at all.
        applies: the script still applied here.
    """
    if not applies:
        return StepVerdict(step.id, Verdict.NOT_APPLICABLE, DEPARTED, events=tuple(event.seq for event in seen.events))
    match step:
        case Quiet():
            ruling = _quiet(step, seen, events)
        case Probe():
            ruling = _probe(step, seen, states, observable=observable)
        case Attest():
            ruling = _attested(step, seen)
    if held_up and (ruling.verdict is Verdict.FAIL or (isinstance(step, Quiet) and ruling.verdict is Verdict.PASS)):
        ruling = unproven(ruling)
    numbers = tuple(event.seq for event in seen.events)
    word = ruling.verdict
    return StepVerdict(
        step.id, word, ruling.reason, ruling.expected, ruling.observed,
        events=numbers, signatures=seen.signatures, unsaid=word,
    )  # fmt: skip


def _quiet(step: Quiet, seen: Seen, events: Sequence[Event]) -> Ruling:
    expected = f"no {step.message} from {step.party}"
    watched = seen.first("quiet")
    if seen.first("received") is not None:
        if any(report.doubtful for report in seen.signatures.values()):
            reason = f"{step.message} came, but no signature that can be trusted bears out that {step.party} sent it."
            return Ruling(Verdict.INCONCLUSIVE, reason, expected, f"{step.message} came, from nobody knows whom")
        reason = f"{step.party} sent {step.message} although it had been refused what that message builds on."
        return Ruling(Verdict.FAIL, reason, expected, f"{step.message} came")
    if watched is None:
        return Ruling(Verdict.NOT_APPLICABLE, NOT_REACHED, expected)
    since, until = str(watched.data["since"]), str(watched.data["until"])
    if any(event.kind == "unmatched" and since <= event.at <= until for event in events):
        reason = "A message that belongs to no step came meanwhile."
        return Ruling(Verdict.INCONCLUSIVE, reason, expected, "a stray message")
    return Ruling(Verdict.PASS, f"Nothing came until {until}.", expected, "nothing came")


def _attested(step: Attest, seen: Seen) -> Ruling:
    """A question waits for a grade, whatever was answered."""
    told = seen.first("attested")
    reason = f"A person must look: {step.question}"
    if told is None or told.data.get("answer") is None:
        return Ruling(Verdict.REVIEW, reason, step.question, "not answered")
    names = ", ".join(str(each["name"]) for each in told.data.get("files", ()))
    answer = f"{told.data['person']}: {told.data['answer']}" + (f" (files: {names})" if names else "")
    return Ruling(Verdict.REVIEW, reason, step.question, answer)


def _right(states: Collection[str], every: Collection[str]) -> str:
    """Which states are right, in the fewest words: those, or all but the others."""
    others = [each.replace("_", " ") for each in every if each not in states]
    if not 0 < len(others) < len(states):
        return " or ".join(each.replace("_", " ") for each in states)
    return f"not {others[0]}" if len(others) == 1 else f"neither {' nor '.join(others)}"


def _probe(step: Probe, seen: Seen, states: Collection[str], *, observable: bool) -> Ruling:
    right = _right(step.states, states)
    expected = f"{step.object}: {right}"
    answer = seen.first("state")
    question = f"For what state does {step.party} hold the {step.object}? Right is: {right}."
    if not observable:
        return Ruling(Verdict.REVIEW, f"A person must look: {question}", question, "cannot be seen")
    if answer is None:
        return Ruling(Verdict.NOT_APPLICABLE, NOT_REACHED, expected)
    state = answer.data.get("state")
    if state is None:
        return Ruling(Verdict.REVIEW, f"A person must look: {question}", question, "not told")
    if state in step.states:
        return Ruling(
            Verdict.PASS, f"As expected, the {step.object} is {str(state).replace('_', ' ')}.", expected, str(state)
        )
    return Ruling(Verdict.FAIL, f"{step.party} holds {step.object} for {state}.", expected, str(state))
