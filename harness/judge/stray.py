"""The judge of strays: messages of the system under test that belong to a case, but for which no step of it waited.

What it must not do is to send twice what it has sent, to act on what it refused, to answer too late or twice, or to
refuse a right answer. Anything else is written down and decides nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from harness.check.model import Finding
from harness.check.registry import broken_by, severity
from harness.evidence.conversation import Part, name_made_by, tells_of
from harness.evidence.message import Opened
from harness.evidence.model import Event
from harness.judge.model import StepVerdict, Verdict
from harness.judge.step import HELD_UP, Seen, weight
from harness.pack.model import Cell, Pack, Reaction
from harness.scenario.model import Case, Exchange, Quiet
from harness.scenario.project import everything, exchanges, mode, settles
from harness.security.model import SignatureReport

Open = Callable[[Event], Opened]

_UNKNOWN = "No signature that can be trusted bears out who sent that."
_KINDS = {"accepted": "accepted", "refused": "error"}
_OTHER = {"accepted": "refused", "refused": "accepted"}


@dataclass(frozen=True)
class Stray:
    """What the judge says about one stray.

    Parameters:
        event: the stray.
        step: id of the step that it repeats, or that should have prevented it.
        finding: what is wrong.
        signature: what its signature says, where it was looked at.
    """

    event: Event
    step: str
    finding: Finding
    signature: SignatureReport | None = None

    @property
    def unknown(self) -> bool:
        """Whether nobody knows who sent it."""
        return self.signature is not None and self.signature.doubtful


def judge_strays(
    case: Case,
    pack: Pack,
    strays: Sequence[Event],
    seen: Mapping[str, Seen],
    opening: Open,
    illegal: Mapping[int, Cell],
) -> tuple[Stray, ...]:
    """Judge the strays of a case.

    Parameters:
        case, pack: what was planned.
        strays: events of the kind ``extra``.
        seen: what was observed, by step.
        opening: opens the message of an event.
        illegal: by number of the event, the cell of the life-cycle table that refused the message when it came.
    """
    found: list[Stray] = []
    for event in strays:
        opened = opening(event)
        reply = _reply(case, pack, event, opened, seen)
        if reply is not None:
            found.append(reply)
            continue
        step = _repeated(case, pack, event, opened, seen)
        if step is not None:
            found.append(Stray(event, step.id, _repetition(case, pack, event, step)))
            continue
        wrong = (
            *_not_concerned(case, pack, event, opened, seen),
            *_undue(case, pack, event, opened, seen),
            *_sent_anew(case, pack, event, opened, seen),
            *_too_early(case, pack, event, opened, illegal.get(event.seq)),
        )
        found.extend(wrong[:1])
    return tuple(found)


def with_strays(
    steps: Sequence[StepVerdict], strays: Sequence[Stray], *, held_up: bool = False
) -> Iterator[StepVerdict]:
    """The verdicts of the steps, each with what the strays say about it.

    Nothing is found where we were *held_up*, since who waited for us may send again, nor where no signature bears out
    who sent the stray; but the step is left open by what would be a fail.
    """
    for step in steps:
        own = [stray for stray in strays if stray.step == step.step]
        if not own:
            yield step
            continue
        verdict, reason, findings = step.verdict, step.reason, step.findings
        for stray in own:
            hit, text = weight(stray.finding), stray.finding.message
            if doubt := HELD_UP if held_up else _UNKNOWN if stray.unknown else "":
                hit, text = Verdict.INCONCLUSIVE if hit is Verdict.FAIL else Verdict.PASS, f"{text} {doubt}"
            else:
                findings = (*findings, stray.finding)
            if hit.rank > verdict.rank:
                verdict, reason = hit, text
        yield replace(
            step,
            verdict=verdict,
            reason=reason,
            findings=findings,
            events=(*step.events, *(stray.event.seq for stray in own)),
            signatures={**step.signatures, **{each.event.seq: each.signature for each in own if each.signature}},
        )


def _repeated(case: Case, pack: Pack, event: Event, opened: Opened, seen: Mapping[str, Seen]) -> Exchange | None:
    """The step whose message the stray repeats.

    Whoever was not answered, or answered wrongly on purpose, may send again; whoever was refused may send something
    better.
    """
    alike = []
    for step in exchanges(case.steps):
        if mode(step, case.sut) != "await":
            continue
        record = seen.get(step.id, Seen())
        request = record.at.get("request")
        if request is not None and request.seq > event.seq:
            request = None
        answered = ("answer" in record.at or settled_by_silence(pack, step)) and step.answer_defect is None
        if request is not None and answered and request.data["digest"] == event.data["digest"]:
            return step
        if step.message == opened.name and step.receiver == event.data.get("receiver"):
            alike.append((step, record.opened.get("request") if request is not None else None, answered))
    if any(earlier is None and tells_of(pack, step.message, step.event, opened) for step, earlier, _ in alike):
        return None  # perhaps it is the one that is still to come
    names = _telling(case, pack, opened.name) if alike else ()
    for step, earlier, answered in reversed(alike):
        accepted = answered and step.expectation.expect[0].kind == "accepted"
        if accepted and earlier and all(earlier.values.get(name) == opened.values.get(name) for name in names):
            return step
    return None


def settled_by_silence(pack: Pack, step: Exchange) -> bool:
    """Whether a simulated receiver accepts the request of a step by saying nothing."""
    expected = step.expectation.expect[0]
    silent = expected.kind in ("accepted", "silence") and pack.silence(step.message).kind == "accepted"
    return silent and step.answer_defect is None


def _reply(case: Case, pack: Pack, event: Event, opened: Opened, seen: Mapping[str, Seen]) -> Stray | None:
    """An answer that came too late or once more, or a refusal of an answer of ours that was right."""
    if pack.answers == "reply" or opened.name is None or not pack.messages[opened.name].replies:
        return None
    name = name_made_by(pack, opened.name, "reply")
    reference = opened.text(name) if name is not None else None
    for step in exchanges(case.steps) if reference else ():
        part: Part = "request" if mode(step, case.sut) == "deliver" else "answer"
        record = seen.get(step.id, Seen())
        said = record.opened.get(part)
        own = name_made_by(pack, said.name, "reference") if said is not None and said.name is not None else None
        if said is None or own is None or said.text(own) != reference or record.at[part].kind != "sent":
            continue
        if part == "answer" and step.answer_defect is not None:
            return None
        return Stray(event, step.id, _reply_finding(case, pack, event, opened, step, record))
    return None


def _reply_finding(case: Case, pack: Pack, event: Event, opened: Opened, step: Exchange, record: Seen) -> Finding:
    said = " and ".join(sorted({f"error {each.code}" for each in opened.errors})) or "no error"
    if mode(step, case.sut) != "deliver":
        text = f"{opened.name} with {said} refuses the answer to {step.message}, which is right (event {event.seq})."
        finding = Finding("answer", "refused", text)
    elif "answer" in record.at:
        text = f"{step.message} was answered once more, with {opened.name} (event {event.seq})."
        finding = Finding("answer", "repeated", text)
    else:
        text = f"{opened.name} with {said} came after the time in which {step.message} is answered (event {event.seq})."
        finding = Finding("timing", "late-answer", text)
    broken = next(broken_by(pack, finding, case.parties[case.sut].role, step.message), None)
    return replace(finding, requirement=broken.id, severity=severity(broken)) if broken is not None else finding


def _telling(case: Case, pack: Pack, message: str | None) -> tuple[str, ...]:
    """Names of the values by which two messages of one kind are told apart, besides their references.

    What both are about, what happened and to whom, and what the script changes between them.
    """
    if message is None:
        return ()
    event = name_made_by(pack, message, "event")
    changed = {name for step in exchanges(case.steps) for name in step.changes}
    bound = pack.messages[message].bindings
    others = (name for name in bound if pack.values[name].scope == "position" or name in changed)
    return (*pack.messages[message].correlate, *([event] if event else []), *others)


def _repetition(case: Case, pack: Pack, event: Event, step: Exchange) -> Finding:
    text = f"{step.sender} sent {step.message} to {step.receiver} once more (event {event.seq})."
    if step.reaction is not None:
        return Finding("reaction", "repeated", text, requirement=step.requirement)
    finding = Finding("correlation", "repeated", text, severity="warning")
    broken = next(broken_by(pack, finding, case.parties[step.sender].role, step.message), None)
    if broken is None:
        return finding
    return replace(finding, requirement=broken.id, severity="error" if broken.level == "MUST" else "warning")


def _sent_anew(case: Case, pack: Pack, event: Event, opened: Opened, seen: Mapping[str, Seen]) -> Iterator[Stray]:
    """A request whose answer was lost, sent again under a new reference: its receiver cannot tell that it is one.

    Who may doubt whether a request arrived repeats it as it is.
    """
    name = name_made_by(pack, opened.name, "reference") if opened.name is not None else None
    for step in exchanges(case.steps):
        record = seen.get(step.id, Seen())
        earlier = record.opened.get("request")
        failed = any(each.kind == "failed" and each.data.get("role") == "answer" for each in record.events)
        lost = failed or (step.answer_defect or "").startswith("delivery/")
        if (
            name is None
            or earlier is None
            or step.message != opened.name
            or mode(step, case.sut) != "await"
            or not lost
        ):
            continue
        same = all(earlier.values.get(each) == opened.values.get(each) for each in _telling(case, pack, opened.name))
        if same and earlier.text(name) != opened.text(name):
            text = f"{step.message} was sent again under a new reference although its answer was lost"
            finding = Finding("resend", "new-reference", f"{text} (event {event.seq}).", severity="warning")
            broken = next(broken_by(pack, finding, case.parties[case.sut].role, step.message), None)
            if broken is not None:
                finding = replace(finding, requirement=broken.id, severity=severity(broken))
            yield Stray(event, step.id, finding)


def _too_early(case: Case, pack: Pack, event: Event, opened: Opened, cell: Cell | None) -> Iterator[Stray]:
    """A request that the life-cycle table refused when it came, such as one that builds on an answer still to come."""
    role = case.parties[case.sut].role
    if cell is None or cell.refuse is None or opened.name is None or pack.messages[opened.name].sender != role:
        return
    if any(outcome.kind == "accepted" for outcome in cell.permitted):
        return
    steps = [step for step in everything(case.steps) if getattr(step, "message", None) == opened.name]
    place = steps[0].id if steps else case.purpose_steps[-1]
    text = f"{opened.name} came although its time had not come: it would be refused with {cell.refuse.code}"
    finding = Finding("legality", cell.refuse.code or "not-allowed", f"{text} (event {event.seq}).")
    broken = next(broken_by(pack, finding, role, opened.name), None)
    if broken is not None:
        finding = replace(finding, requirement=broken.id, severity=severity(broken))
    yield Stray(event, place, finding)


def _not_concerned(case: Case, pack: Pack, event: Event, opened: Opened, seen: Mapping[str, Seen]) -> Iterator[Stray]:
    """A message that tells somebody of a movement that does not concern him, such as a country off its route.

    Whom the movement concerned before it was changed may be told of the change, and of nothing after it.
    """
    role, receiver = case.parties[case.sut].role, event.data.get("receiver")
    party = case.parties.get(str(receiver)) or pack.parties.get(str(receiver))
    owed = [each for each in pack.reactions if each.send == opened.name and each.by == role and each.among]
    told = name_made_by(pack, opened.name, "event") if opened.name else None
    causes = {each.on for each in owed if not told or each.event == opened.values.get(told)}
    triggers = {each.on for each in owed}
    ours = [
        (step.message, seen[step.id].at["request"].seq, seen[step.id].opened["request"])
        for step in exchanges(case.steps)
        if step.message in triggers and settles(step) and "request" in seen.get(step.id, Seen()).opened
    ]
    for among in {each.among: None for each in owed if each.among}:
        said = [(name, seq, each.values[among.value] or ()) for name, seq, each in ours if each.values.get(among.value)]
        before = [each for each in said if each[1] < event.seq] or said[:1]
        if party is None or not before:
            continue
        fact, now = party.facts.get(among.fact), before[-1][2]
        brought = next(name for name, _, listed in before if listed == now)
        if fact in now or (brought in causes and any(fact in listed for _, _, listed in before)):
            continue
        text = f"{opened.name} came to {receiver}, which the {among.value} does not name (event {event.seq})."
        finding = Finding("reaction", "not-concerned", text)
        broken = next(broken_by(pack, finding, role, opened.name), None)
        if broken is not None:
            finding = replace(finding, requirement=broken.id, severity=severity(broken))
            yield Stray(event, case.purpose_steps[-1], finding)
            return


def _undue(case: Case, pack: Pack, event: Event, opened: Opened, seen: Mapping[str, Seen]) -> Iterator[Stray]:
    """A message that is owed only after another one was accepted, or refused, which ended the other way."""
    played = [step for step in exchanges(case.steps) if mode(step, case.sut) != "simulate" and step.id in seen]
    role = case.parties[case.sut].role
    told = name_made_by(pack, opened.name, "event") if opened.name else None
    happened = opened.values.get(told) if told else ""
    owed = (each for each in pack.reactions if each.send == opened.name and each.by == role)
    causes = [each for each in owed if not told or each.event == happened]

    def ended(reaction: Reaction, kind: str) -> list[Exchange]:
        steps = (step for step in played if step.message == reaction.on)
        return [step for step in steps if any(each.kind == kind for each in seen[step.id].outcomes)]

    if any(ended(reaction, _KINDS[reaction.after]) for reaction in causes):
        return
    for reaction in causes:
        for step in ended(reaction, _KINDS[_OTHER[reaction.after]]):
            quiet = next((each for each in case.steps if isinstance(each, Quiet) and each.message == opened.name), None)
            text = f"{opened.name} came to {event.data.get('receiver')} although {step.message}, which it follows, was "
            text += f"{_OTHER[reaction.after]} (event {event.seq})."
            finding = Finding("reaction", "undue", text, requirement=reaction.requirement)
            yield Stray(event, (quiet or step).id, finding)
            return
