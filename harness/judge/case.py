"""The judge of one case: a pure function of the plan, the pack and what was observed.

Rules:

1. The judge sees events and bytes, never sockets, clocks or files. The same call, live or years later, gives
   the same verdict.
2. Only what the system under test sent is evidence about it.
3. Blame follows the event: ``fault`` is ours, ``environment`` is nobody's, the rest is the SUT's.
4. A set-up step that goes wrong makes the case inconclusive, never failed; but what a check finds in a
   message of the SUT counts wherever it stands.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from harness.check.model import Finding
from harness.evidence.conversation import name_made_by
from harness.evidence.model import Event
from harness.judge.attempt import cut_off, is_of, last_attempt
from harness.judge.model import CaseVerdict, StepVerdict, Verdict
from harness.judge.observation import judge_observation
from harness.judge.outcome import meets
from harness.judge.requirement import requirement_verdicts
from harness.judge.review import Review, graded
from harness.judge.step import Departure, Seen, allowance, departure, judge_exchange, worst
from harness.judge.stray import Stray, judge_strays, with_strays
from harness.judge.trust import trust_of
from harness.judge.walk import Fetch, Walked, open_stray, walk
from harness.pack.model import ANSWER, Pack
from harness.scenario.model import Attest, Case, Probe, Quiet
from harness.scenario.plan import Plan
from harness.scenario.project import ACCEPTED, exchanges, mode
from harness.scenario.rivals import as_it_came, not_owed


def judge_case(
    case: Case, plan: Plan, pack: Pack, events: Sequence[Event], fetch: Fetch, reviews: Sequence[Review] = ()
) -> CaseVerdict:
    """Judge the last attempt at a case; what an attempt that was cut off has proven against the system stays proven.

    Parameters:
        case: the case, as planned.
        plan, pack: what it was played with.
        events: the events of the case, in order; unmatched messages of the run may stand between them.
        fetch: digest to bytes.
        reviews: what persons decided since.
    """
    attempt, own = last_attempt(case, events)
    if attempt == 0:
        return CaseVerdict(case.id, Verdict.NOT_RUN, "The case was not started.", (), _untested(case), 0)
    last = _judge_attempt(case, plan, pack, attempt, own, fetch, reviews)
    if last.verdict.rank < Verdict.FAIL.rank:
        for number, cut in cut_off(case, events):
            earlier = _judge_attempt(case, plan, pack, number, cut, fetch, reviews)
            if earlier.verdict is Verdict.FAIL:
                return earlier
    return last


def _judge_attempt(
    case: Case,
    plan: Plan,
    pack: Pack,
    attempt: int,
    own: Sequence[Event],
    fetch: Fetch,
    reviews: Sequence[Review],
) -> CaseVerdict:
    own = [event for event in own if event.kind != "extra" or is_of(attempt, event)]
    walked = walk(case, plan, pack, own, fetch)
    seen = walked.seen
    case = as_it_came(case, {name for name, each in seen.items() if ACCEPTED in each.outcomes})
    strays = _signed(_strays(case, pack, own, walked, fetch), plan, pack, fetch)
    left = departure(case, seen)
    held_up = _was_held_up(case, plan, pack, own)
    gone = left.after | {*not_owed(case)}
    steps = tuple(_steps(case, plan, pack, own, seen, gone, held_up=held_up))
    judged = with_strays(steps, strays, held_up=held_up)
    steps = tuple(graded(case.id, step, reviews) for step in judged)
    verdict, reason = _sum(case, steps, own, left)
    touched = requirement_verdicts(case, pack, steps, seen, verdict)
    references, refusals = tuple(_references(pack, seen)), tuple(_refusals(case, seen))
    return CaseVerdict(case.id, verdict, reason, steps, touched, attempt, references, refusals)


def _refusals(case: Case, seen: Mapping[str, Seen]) -> Iterator[tuple[frozenset[str], frozenset[str]]]:
    """Of each refusal as expected that names several codes: the expected ones among them, and all that it names."""
    for step in exchanges(case.steps):
        outcomes = seen[step.id].outcomes if step.id in seen else ()
        named = frozenset(each.code for each in outcomes if each.kind == "error" and each.code)
        if mode(step, case.sut) == "deliver" and len(named) > 1 and meets(outcomes, step.expectation) == "expect":
            yield named & {each.code for each in step.expectation.expect}, named


def _references(pack: Pack, seen: Mapping[str, Seen]) -> Iterator[str]:
    """The references of the messages that the SUT sent, in the order of the script."""
    for record in seen.values():
        for part, opened in record.opened.items():
            name = name_made_by(pack, opened.name, "reference") if opened.name is not None else None
            text = opened.text(name) if name is not None else None
            if text and record.at[part].kind == "received" and "shared" not in record.at[part].data:
                yield text


def judge_late(case: Case, plan: Plan, pack: Pack, events: Sequence[Event], fetch: Fetch) -> tuple[Finding, ...]:
    """What is wrong with the messages that came for a case after its end.

    Parameters:
        case, plan, pack, fetch: as for :func:`judge_case`.
        events: the events of the case, also those after its end.
    """
    attempt, own = last_attempt(case, events)
    extras = [event for event in events if event.kind == "extra" and is_of(attempt, event)]
    late = [event for event in extras if own and event.seq > own[-1].seq]
    if not late or own[-1].kind != "case-finished" or _was_held_up(case, plan, pack, own):
        return ()
    walked = walk(case, plan, pack, own, fetch)
    return tuple(stray.finding for stray in _strays(case, pack, late, walked, fetch))


def _strays(case: Case, pack: Pack, events: Sequence[Event], walked: Walked, fetch: Fetch) -> tuple[Stray, ...]:
    extras = [event for event in events if event.kind == "extra"]
    opening = partial(open_stray, pack, fetch=fetch)
    return judge_strays(case, pack, extras, walked.seen, opening, walked.illegal)


def _signed(strays: Sequence[Stray], plan: Plan, pack: Pack, fetch: Fetch) -> list[Stray]:
    """The strays, each with what its signature says."""
    trust = trust_of(plan.parameters)
    return [replace(each, signature=open_stray(pack, each.event, fetch, trust).report) for each in strays]


def _steps(
    case: Case,
    plan: Plan,
    pack: Pack,
    events: Sequence[Event],
    seen: Mapping[str, Seen],
    gone: Container[str],
    *,
    held_up: bool,
) -> Iterator[StepVerdict]:
    nothing = Seen()
    timers = plan.parameters.timers
    lag = sum(_lags(events))
    said = tuple(exchanges(case.steps))
    limits = {each.id: timers.get(pack.messages[each.message].within, timers.get(ANSWER)) for each in said}
    for step in said:
        applies = step.id not in gone
        record, more = seen.get(step.id, nothing), allowance(step, seen, limits)
        yield judge_exchange(
            step, case, pack, record, limits[step.id], lag, more=more, held_up=held_up, applies=applies
        )
    for other in case.steps:
        if isinstance(other, Quiet | Probe | Attest):
            record, observable = seen.get(other.id, nothing), plan.subject.observable
            states = pack.objects[other.object].states if isinstance(other, Probe) else ()
            yield judge_observation(
                other, record, events, observable=observable, states=states, held_up=held_up,
                applies=other.id not in gone,
            )  # fmt: skip


def _lags(events: Iterable[Event]) -> Iterator[float]:
    """By how many seconds our own loop was late, each time that it was."""
    return (float(event.data["seconds"]) for event in events if event.kind == "lag")


def _was_held_up(case: Case, plan: Plan, pack: Pack, events: Iterable[Event]) -> bool:
    """Whether we were away for half the time that somebody waits in this case: whoever waited for us may have given up.

    Several short absences within that time are as bad as a long one. Where silence accepts, that time is often the
    shortest: an objection that could not be heard, or not be sent, in time is none.
    """
    timers = plan.parameters.timers
    names = {ANSWER, *(pack.messages[step.message].within for step in exchanges(case.steps))}
    patience = min((timers[name] for name in names if name in timers), default=None)
    if patience is None:
        return False
    recent: deque[tuple[datetime, float]] = deque()
    away = 0.0
    for event in events:
        if event.kind != "lag":
            continue
        at, seconds = datetime.fromisoformat(event.at), float(event.data["seconds"])
        recent.append((at, seconds))
        away += seconds
        while recent[0][0] <= at - patience:
            away -= recent.popleft()[1]
        if away >= patience.total_seconds() / 2:
            return True
    return False


def _sum(case: Case, steps: Sequence[StepVerdict], events: Sequence[Event], left: Departure) -> tuple[Verdict, str]:
    """Verdict of the case before its positive control is looked at: worst of the steps, and how the case ended.

    Parameters:
        case: as planned.
        steps, events: what was judged, and of what.
        left: where a legal answer left the script. Nothing is open then if it only warns, or if all was said before.
    """
    fault = next((event for event in events if event.kind == "fault"), None)
    if fault is not None:
        return Verdict.HARNESS_ERROR, str(fault.data.get("text", "The harness made a mistake."))
    end = next((event for event in reversed(events) if event.kind == "case-finished"), None)
    decisive = worst(steps)
    ended = end.data["ended"] if end is not None else "cut"
    if ended == "no-data":
        return Verdict.NOT_RUN, str(end.data.get("reason") or "No data left for this case.") if end else ""
    if ended in ("cancelled", "cut") and (decisive is None or decisive.verdict.rank < Verdict.NOT_RUN.rank):
        words = "The case was cancelled." if ended == "cancelled" else "The record ends in the middle of the case."
        return Verdict.NOT_RUN, words
    if decisive is None:
        return Verdict.NOT_RUN, "No step of the case was reached."
    at = next((step.verdict for step in steps if step.step == left.step), None)
    unmet = decisive.verdict is Verdict.WARNING and any(
        (each.check, each.code) == ("answer", "unexpected") and each.requirement in case.requirements
        for each in decisive.findings
    )  # what should be answered otherwise is not, and that is all that the case asks
    settled = unmet or at is Verdict.WARNING or (at is Verdict.PASS and not left.written)
    if ended == "stopped" and decisive.verdict in (Verdict.PASS, Verdict.WARNING) and not settled:
        return Verdict.INCONCLUSIVE, str(end.data.get("reason") or "The case stopped early.") if end else ""
    return decisive.verdict, (_shows(case, steps) if decisive.verdict is Verdict.PASS else decisive).reason


def _shows(case: Case, steps: Sequence[StepVerdict]) -> StepVerdict:
    """Of the steps of a case that passed, the one that shows its purpose.

    It is the first answer of the system under test there; where it answers nothing, what was observed last.
    """
    passed = {step.step: step for step in steps if step.verdict is Verdict.PASS}
    shown = [passed[name] for name in case.purpose_steps if name in passed]
    answers = {step.id for step in exchanges(case.steps) if mode(step, case.sut) == "deliver"}
    return next((step for step in shown if step.step in answers), (shown or [*passed.values()])[-1])


def _untested(case: Case) -> dict[str, Verdict]:
    return dict.fromkeys(case.requirements, Verdict.NOT_RUN)
