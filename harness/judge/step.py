"""The judge of one step: what was expected, what was observed, and which word that deserves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from harness.check.model import Finding
from harness.check.registry import broken_by, severity
from harness.evidence.clock import UNCERTAINTY
from harness.evidence.conversation import Part
from harness.evidence.message import Opened, status_of
from harness.evidence.model import Event
from harness.judge.model import StepVerdict, Verdict
from harness.judge.outcome import departs, describe_all, meets
from harness.message.plain import plain
from harness.pack.model import Outcome, Pack
from harness.scenario.model import Case, Exchange
from harness.scenario.project import everything, exchanges, held_back, is_limited, mode
from harness.security.model import SignatureReport
from harness.security.problems import OF_WHO_VERIFIES

SIMULATED = "Simulated: no evidence about the system under test."
NOT_REACHED = "Not reached."
DEPARTED = "The script does not apply any more: an answer before it was legal, and led another way."
UNSURE = "our own clock may be off by as much."
"""How a reason ends that is not certain."""
HELD_UP = "That proves nothing: this program was held up meanwhile."
"""How a reason ends where the SUT may have been kept waiting by us."""
_SEVERITY = {"error": Verdict.FAIL, "warning": Verdict.WARNING, "info": Verdict.NOT_APPLICABLE}


def weight(finding: Finding) -> Verdict:
    """What a finding makes of a step: nothing is proven where it lies with what the operator gave us to verify with."""
    if finding.severity == "error" and f"{finding.check}/{finding.code}" in OF_WHO_VERIFIES:
        return Verdict.INCONCLUSIVE
    return _SEVERITY[finding.severity]


def worst(steps: Iterable[StepVerdict]) -> StepVerdict | None:
    """The step that decides: the worst one, the first of equals; neutral ones do not count."""
    decisive: StepVerdict | None = None
    for step in steps:
        if step.verdict is Verdict.NOT_APPLICABLE:
            continue
        if decisive is None or step.verdict.rank > decisive.verdict.rank:
            decisive = step
    return decisive


@dataclass
class Seen:
    """What was observed of one step, gathered while walking through the events.

    Parameters:
        events: all events of the step.
        opened, at: the messages and their events, by part.
        findings: of the checks, in the SUT's messages.
        exercised: ids of the requirements that those checks tested.
        outcomes: how the exchange ended, empty when it did not.
        unreadable: what came to whoever waits for a message, cannot be read, and names no case.
        failed: what came to our port while a message was awaited, and became no request.
    """

    events: list[Event] = field(default_factory=list)
    opened: dict[Part, Opened] = field(default_factory=dict)
    at: dict[Part, Event] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    exercised: set[str] = field(default_factory=set)
    outcomes: tuple[Outcome, ...] = ()
    unreadable: Event | None = None
    failed: Event | None = None

    @property
    def waits_at(self) -> str | None:
        """The party that is waiting for a message that has not come so far; ``None`` where none is awaited."""
        waiting = self.first("waiting")
        over = self.first("received") or self.first("silence")
        return str(waiting.data["receiver"]) if waiting is not None and over is None else None

    @property
    def signatures(self) -> dict[int, SignatureReport]:
        """What the signature of each received message says, by the number of its event."""
        return {self.at[part].seq: each.report for part, each in self.opened.items() if each.report is not None}

    def first(self, kind: str) -> Event | None:
        """The first event of a kind."""
        return next((event for event in self.events if event.kind == kind), None)


class Ruling(NamedTuple):
    """What is said of a step before findings and times are looked at; parameters as of :class:`StepVerdict`."""

    verdict: Verdict
    reason: str
    expected: str
    observed: str = ""
    findings: tuple[Finding, ...] = ()

    @property
    def unsaid(self) -> Verdict:
        """The verdict, unless its findings say it."""
        return Verdict.NOT_APPLICABLE if self.findings else self.verdict


@dataclass(frozen=True)
class Departure:
    """Where a legal answer of the SUT led another way than the script.

    Parameters:
        step: id of the exchange; ``None`` when the script was not left.
        after: ids of the steps that do not apply any more.
        written: the script itself has some of them; without it they are only what the other answer would have caused.
    """

    step: str | None = None
    after: frozenset[str] = frozenset()
    written: bool = False


def departure(case: Case, seen: Mapping[str, Seen]) -> Departure:
    """Where the case left its script."""
    script = tuple(everything(case.steps))
    for number, step in enumerate(script):
        if not isinstance(step, Exchange) or mode(step, case.sut) != "deliver" or step.id not in seen:
            continue
        if departs(seen[step.id].outcomes, step.expectation):
            after = script[number + 1 :]
            written = any(not isinstance(each, Exchange) or each.reaction is None for each in after)
            return Departure(step.id, frozenset(each.id for each in after), written)
    return Departure()


def judge_exchange(
    step: Exchange,
    case: Case,
    pack: Pack,
    seen: Seen,
    budget: timedelta | None,
    lag: float = 0.0,
    *,
    more: timedelta,
    held_up: bool = False,
    applies: bool = True,
) -> StepVerdict:
    """Judge one exchange.

    Parameters:
        step, case, pack: what was planned.
        seen: what was observed.
        budget: the time for an answer.
        lag: seconds by which our own loop was late in this case.
        more: what the SUT may take beyond the budget, see :func:`allowance`.
        held_up: it was once late for so long that the SUT may have given up on us.
        applies: the script still applied here; if not, only what checks found counts.
    """
    numbers = tuple([event.seq for event in seen.events])
    part = mode(step, case.sut)
    if part == "simulate":
        return StepVerdict(step.id, Verdict.NOT_APPLICABLE, SIMULATED, events=numbers)
    if not applies:
        ruling = Ruling(Verdict.NOT_APPLICABLE, DEPARTED, "")
    else:
        ruling = _awaited(step, case, pack, seen) if part == "await" else _delivered(step, case, pack, seen)
    if held_up and ruling.verdict in (Verdict.FAIL, Verdict.INCONCLUSIVE):
        ruling = unproven(ruling)
    verdict, reason = ruling.verdict, ruling.reason
    over = _over(seen, budget, more) if applies and is_limited(step, case.sut) else 0.0
    when = f"{over:.3f} s after its time limit"
    if more:
        when += f" and the {more.total_seconds():g} s for which we held answers back"
    late = [_too_late(when, step, case, pack)] if over > 0 else []
    sure = over > UNCERTAINTY + lag
    findings = (*seen.findings, *ruling.findings, *(late if sure else ()))
    for finding in findings:
        hit = weight(finding)
        if hit.rank > verdict.rank:
            verdict, reason = hit, finding.message
    grave = any(finding.severity == "error" for finding in late)
    if grave and not sure and verdict in (Verdict.PASS, Verdict.WARNING):
        verdict, reason = Verdict.INCONCLUSIVE, f"It came {when}; {UNSURE}"
    clocks = _clocks(seen.at, budget)
    return StepVerdict(
        step.id,
        verdict,
        reason,
        ruling.expected,
        ruling.observed,
        findings,
        numbers,
        clocks,
        seen.signatures,
        ruling.unsaid,
    )


def unproven(ruling: Ruling) -> Ruling:
    """What is left of it where this program was held up: the SUT may have acted on what we did not do in time."""
    return ruling._replace(verdict=Verdict.INCONCLUSIVE, reason=f"{ruling.reason} {HELD_UP}", findings=())


def _allowed(waiting: Event) -> float:
    """The time limit of what is waited for, in seconds."""
    return (datetime.fromisoformat(waiting.data["until"]) - datetime.fromisoformat(waiting.at)).total_seconds()


def _over(seen: Seen, budget: timedelta | None, more: timedelta) -> float:
    """Seconds by which the SUT's message came after what it may take; not above 0 when it came in time."""
    waiting, request, answer = seen.first("waiting"), seen.at.get("request"), seen.at.get("answer")
    if request is not None and request.kind == "received":
        if waiting is None:
            return 0.0
        return (request.mono - waiting.mono) / 1e9 - _allowed(waiting)
    if answer is not None and answer.kind == "received" and request is not None and budget is not None:
        return (answer.mono - request.mono) / 1e9 - (budget + more).total_seconds()
    return 0.0


def allowance(step: Exchange, seen: Mapping[str, Seen], limits: Mapping[str, timedelta | None]) -> timedelta:
    """How long the SUT may take beyond its time limit: as long as answers inside the exchange were held back by us.

    Parameters:
        step: the exchange.
        seen: what was observed, by step.
        limits: the time for an answer to it and to each exchange inside it, by step.
    """
    total = until = 0
    for start, end in sorted(_holding_back(step, seen, limits)):
        total += max(end - max(start, until), 0)
        until = max(until, end)
    return timedelta(microseconds=total / 1e3)


def _holding_back(
    step: Exchange, seen: Mapping[str, Seen], limits: Mapping[str, timedelta | None]
) -> Iterator[tuple[int, int]]:
    """From when until when answers inside an exchange were held back on purpose, in nanoseconds."""
    for inner in exchanges(step.during):
        at, limit = seen[inner.id].at if inner.id in seen else {}, limits[inner.id]
        if "request" in at and "answer" in at and at["answer"].kind == "sent" and limit is not None:
            end, longest = at["answer"].mono, round(held_back(inner, limit.total_seconds()) * 1e9)
            yield max(at["request"].mono, end - longest), end


def _too_late(when: str, step: Exchange, case: Case, pack: Pack) -> Finding:
    """What coming too late breaks: the demand on time, and nothing else; a warning where the pack has none."""
    what = f"The answer to {step.message}" if mode(step, case.sut) == "deliver" else step.message
    late = Finding("timing", "late", f"{what} came {when}.", severity="warning")
    broken = next(broken_by(pack, late, case.parties[case.sut].role, step.message), None)
    return replace(late, requirement=broken.id, severity=severity(broken)) if broken is not None else late


def _awaited(step: Exchange, case: Case, pack: Pack, seen: Seen) -> Ruling:
    """The SUT sends: did it?"""
    name = step.message
    expected = f"{name} from {step.sender}"
    if "request" in seen.at:
        return _answer_taken(step, seen) or Ruling(Verdict.PASS, f"{name} came.", expected, f"{name} came")
    if not seen.events:
        return Ruling(Verdict.NOT_APPLICABLE, NOT_REACHED, expected)
    silence, failed = seen.first("silence"), seen.first("failed")
    if silence is not None and (step.reaction is not None or step.floating):
        reason = f"{name} to {step.receiver} did not come until {silence.data.get('until')}.{_meanwhile(seen)}"
        finding = Finding("reaction", "missing", reason, requirement=step.requirement or _purpose(step, case, pack))
        return Ruling(Verdict.FAIL, reason, expected, "nothing came", (finding,))
    refused = next((event for event in seen.events if event.kind == "control-answer" and not _done(event)), None)
    if refused is not None:
        detail = refused.data.get("error") or f"status {refused.data.get('status')}: {refused.data.get('body')}"
        reason = f"The control interface did not make the system send {name}: {plain(str(detail), 300)}"
        return Ruling(Verdict.INCONCLUSIVE, reason, expected, "the control interface refused")
    if silence is not None:
        reason = f"Time-out: asked to send {name}, and nothing came until {silence.data.get('until')}."
        reason += _meanwhile(seen)
    elif failed is not None:
        reason = str(failed.data.get("text", "")) or f"{name} could not be received."
    else:
        reason = f"{name} was still awaited when the case ended."
    return Ruling(Verdict.INCONCLUSIVE, reason, expected, "nothing came")


def _meanwhile(seen: Seen) -> str:
    """What may have been meant for a message that did not come; nobody is blamed for what may be anybody's."""
    stray, failed = seen.unreadable, seen.failed
    said = f" What came meanwhile cannot be read and names no case (event {stray.seq})." if stray is not None else ""
    if failed is not None:
        text = plain(str(failed.data.get("text", "")), 300)
        said += f" Meanwhile something failed at our port (event {failed.seq}): {text}"
    return said


def _answer_taken(step: Exchange, seen: Seen) -> Ruling | None:
    """What it means when our answer, in a message of its own, was not taken; a wrong one may be turned away."""
    failed = next((each for each in seen.events if each.kind == "failed" and each.data.get("role") == "answer"), None)
    receipt = next((each for each in seen.events if each.kind == "receipt" and each.data["role"] == "answer"), None)
    status = status_of(receipt.data["head"]["line"]) if receipt is not None else None
    expected = f"a receipt for the answer to {step.message}"
    if failed is not None and "answer" not in seen.at:
        blame = Verdict.INCONCLUSIVE if failed.data.get("blame") == "environment" else Verdict.FAIL
    elif failed is not None or (status is not None and not 200 <= status < 300):
        blame = Verdict.FAIL
    else:
        return None
    if step.answer_defect is not None:
        return None
    text = str(failed.data["text"]) if failed is not None else f"The answer to {step.message} got HTTP {status}."
    finding = Finding("answer", "not-taken", text)
    return Ruling(blame, text, expected, text, (finding,) if blame is Verdict.FAIL else ())


def _done(event: Event) -> bool:
    status = event.data.get("status")
    return event.data.get("error") is None and (status is None or 200 <= int(status) < 300)


def _delivered(step: Exchange, case: Case, pack: Pack, seen: Seen) -> Ruling:
    """The SUT receives: how did it answer?"""
    expected = describe_all(step.expectation.expect)
    if step.expectation.permitted:
        expected += f" (permitted: {describe_all(step.expectation.permitted)})"
    failed = seen.first("failed")
    if failed is not None and failed.data.get("blame") == "environment":
        reason = str(failed.data.get("text", ""))
        return Ruling(Verdict.INCONCLUSIVE, reason, expected, "it could not be delivered")
    if not seen.outcomes:
        if not seen.events:
            return Ruling(Verdict.NOT_APPLICABLE, NOT_REACHED, expected)
        return Ruling(Verdict.INCONCLUSIVE, "The case ended before an answer came.", expected, "no answer yet")
    observed = describe_all(seen.outcomes)
    if pack.messages[step.message].answer is None and _is_receipt(seen.outcomes):
        if Outcome("accepted") in step.expectation.expect:
            return Ruling(Verdict.PASS, "Received.", "receipt", observed)
        reason = f"{step.message} was received; a receipt does not say whether it was accepted."
        return Ruling(Verdict.INCONCLUSIVE, reason, expected, observed)
    place = meets(seen.outcomes, step.expectation)
    if place == "expect":
        return Ruling(Verdict.PASS, f"Answered as expected: {observed}.", expected, observed)
    if place == "permitted":
        reason = f"Another legal answer: {observed}. Expected was {expected}."
        return Ruling(Verdict(step.expectation.permitted_verdict), reason, expected, observed)
    meanwhile = _meanwhile(seen) if seen.outcomes[0].kind == "silence" else ""
    reason = f"{step.message} was answered with {observed}; expected was {expected}.{meanwhile}"
    if step.id not in case.purpose_steps and step.received is None:
        return Ruling(Verdict.INCONCLUSIVE, f"Set-up failed: {reason}", expected, observed)
    name = step.received if step.received in pack.requirements else _purpose(step, case, pack)
    found = [_against(name, "unexpected", reason, pack)]
    if seen.outcomes[0].kind == "silence":
        late = Finding("timing", "no-answer", reason)
        timely = next(broken_by(pack, late, case.parties[step.receiver].role, step.message), None)
        if timely is not None:
            found.append(replace(late, requirement=timely.id, severity=severity(timely)))
    return Ruling(weight(found[0]), reason, expected, observed, tuple(found))


def _against(name: str | None, code: str, reason: str, pack: Pack) -> Finding:
    """The finding that an exchange did not end as the requirement demands: an error for a MUST, else a warning."""
    found = Finding("answer", code, reason, requirement=name)
    return replace(found, severity=severity(pack.requirements[name])) if name is not None else found


def _is_receipt(outcomes: tuple[Outcome, ...]) -> bool:
    """Whether a one-way message was taken: any HTTP status of the 2xx class."""
    return any(each.kind == "http" and each.code is not None and each.code.startswith("2") for each in outcomes)


def _purpose(step: Exchange, case: Case, pack: Pack) -> str | None:
    """The requirement that the outcome of a purpose step is about: the one of its message's table, else the first."""
    if step.id not in case.purpose_steps or not case.requirements:
        return None
    table = pack.rules_by_message.get(step.message)
    named = {cell.requirement for cell in table.cells} if table is not None else set()
    return next((name for name in case.requirements if name in named), case.requirements[0])


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
