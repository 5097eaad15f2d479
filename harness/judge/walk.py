"""The walk through the events of a case: what was observed of each step, and what the checks find in each message.

The checks see a message as its receiver saw it: with all that was said before, and nothing that came later.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from harness.check.model import Dialogue, Finding, Subject
from harness.check.registry import asked, exercised, findings, timed
from harness.evidence.conversation import Conversation, Part, name_made_by
from harness.evidence.message import Opened, open_message, outcomes_of
from harness.evidence.model import Event
from harness.judge.step import Seen
from harness.judge.stray import settled_by_silence
from harness.judge.trust import trust_of
from harness.pack.model import Cell, Outcome, Pack
from harness.scenario.hearing import heard
from harness.scenario.model import Case, Exchange
from harness.scenario.oracle import Ledger, accept, refusals, remember
from harness.scenario.plan import Plan
from harness.scenario.project import ACCEPTED, exchanges, is_limited, mode, wrong
from harness.security.model import Trust

Fetch = Callable[[str], bytes]
"""The bytes of a digest."""


@dataclass(frozen=True)
class Walked:
    """What a walk has gathered.

    Parameters:
        seen: what was observed, by step.
        illegal: by number of its event, the cell of the life-cycle table that refuses a message for which no step
            waited.
    """

    seen: Mapping[str, Seen]
    illegal: Mapping[int, Cell]


def walk(case: Case, plan: Plan, pack: Pack, events: Sequence[Event], fetch: Fetch) -> Walked:
    """Go through the events of one attempt at a case; parameters as for :func:`harness.judge.case.judge_case`."""
    walker = _Walker(case, plan, pack, fetch)
    for event in events:
        walker.pass_by(event)
    return Walked(walker.seen, walker.illegal)


def open_stray(pack: Pack, event: Event, fetch: Fetch, trust: Trust | None = None) -> Opened:
    """Open a message for which no step waited; without *trust* its signature is not looked at."""
    head, at = event.data.get("head") or {}, datetime.fromisoformat(event.at)
    return open_message(pack, head, fetch(event.data["digest"]), at=at, trust=trust)


@dataclass
class _Walker:
    """Where the walk is: what was said so far, and in which states that leaves the objects."""

    case: Case
    plan: Plan
    pack: Pack
    fetch: Fetch
    seen: dict[str, Seen] = field(default_factory=dict)
    illegal: dict[int, Cell] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._script = {step.id: step for step in exchanges(self.case.steps)}
        self._conversation = Conversation(self.pack)
        self._ledger = Ledger()

    def pass_by(self, event: Event) -> None:
        """Take in one event."""
        if event.kind == "extra":
            self._note_illegal(event)
        if event.kind == "unmatched" and open_stray(self.pack, event, self.fetch).name is None:
            for record in self.seen.values():
                if record.waits_at == event.data["receiver"]:
                    record.unreadable = event
        if event.kind == "failed" and event.data.get("role") == "request":
            for record in self.seen.values():
                if record.waits_at is not None and (record.failed is None or event.data.get("blame") == "sut"):
                    record.failed = event
        if event.step is None:
            return
        if event.step not in self.seen:
            self.seen[event.step] = Seen()
        record = self.seen[event.step]
        record.events.append(event)
        step = self._script.get(event.step)
        if step is None:
            if event.kind == "received":
                trust = trust_of(self.plan.parameters)
                record.opened["request"] = open_stray(self.pack, event, self.fetch, trust)
                record.at["request"] = event
            return
        if event.kind in ("failed", "silence") and event.data.get("role", "answer") == "answer":
            outcome = event.data.get("outcome")
            ended = Outcome(outcome["kind"], outcome.get("code")) if outcome else self.pack.silence(step.message)
            self._end(step, record, ended)
        elif event.kind in ("sent", "received", "simulated"):
            self._hear(step, record, event)

    def _note_illegal(self, event: Event) -> None:
        stray = open_stray(self.pack, event, self.fetch)
        cell = next(iter(refusals(self._ledger, self.pack, stray.name, stray.values)), None) if stray.name else None
        if cell is not None:
            self.illegal[event.seq] = cell

    def _hear(self, step: Exchange, record: Seen, event: Event) -> None:
        """A message of a step: check it if the SUT sent it, then let it be part of what was said."""
        part: Part = event.data["role"]
        opened = self._open(step, part, event)
        sender = step.sender if part == "request" else step.receiver
        if event.kind == "received":
            self._check(step, record, part, opened, event)
        record.opened[part], record.at[part] = opened, event
        self._conversation = heard(self._conversation, step, part, opened)
        if part == "answer":
            if event.kind == "received" and opened.shape == "accepted":
                record.findings.extend(self._too_early(step))
            self._end(step, record, *outcomes_of(self.pack, opened))
        elif opened.name is not None:
            self._remember(sender, opened)
            if mode(step, self.case.sut) != "deliver" and not wrong(step) and settled_by_silence(self.pack, step):
                self._end(step, record, ACCEPTED)

    def _open(self, step: Exchange, part: Part, event: Event) -> Opened:
        ours = event.kind != "received"
        return open_message(
            self.pack,
            event.data.get("head") or {},
            self.fetch(event.data["digest"]),
            at=datetime.fromisoformat(event.at),
            trust=None if ours else trust_of(self.plan.parameters),
            answer_to=step.message if part == "answer" else None,
            name=event.data.get("message") if ours else None,
        )

    def _check(self, step: Exchange, record: Seen, part: Part, opened: Opened, event: Event) -> None:
        """Run the checks on a message of the SUT."""
        pack, case, conversation, head = self.pack, self.case, self._conversation, event.data.get("head", {})
        asks = part == "request"
        sender, receiver = (step.sender, step.receiver) if asks else (step.receiver, step.sender)
        dialogue = Dialogue(
            step.id, part, step.subject, conversation, case.parties, sender, receiver,
            request=None if asks else record.opened.get("request"),
            forwards=conversation.message(step.forwards, "request") if step.forwards else None,
            own=frozenset(step.values), changes=step.changes, later=self._after(step),
            refusals=refusals(self._ledger, pack, step.message, opened.values) if asks else (),
            signers=self.plan.subject.signers, movement=step.movement,
        )  # fmt: skip
        subject = Subject(
            pack, opened, (step.message,) if asks else pack.answering(step.message),
            {name.lower(): value for name, value in head.get("headers", ())},
            head.get("line", ""), event.data.get("body_complete", True), dialogue,
        )  # fmt: skip
        role = case.parties[sender].role
        record.findings.extend(findings(subject, role))
        if step.check is not None:
            parameters = step.check.resolved(conversation.saved)
            purpose = next(iter(case.requirements), None)
            record.findings.extend(asked(subject, role, step.check.name, parameters, purpose))
        record.exercised.update(exercised(pack, role, opened.name, signers=bool(self.plan.subject.signers)))
        if is_limited(step, case.sut):
            record.exercised.update(timed(pack, role, step.message))

    def _end(self, step: Exchange, record: Seen, *outcomes: Outcome) -> None:
        """How an exchange ended; an acceptance changes the states of the objects."""
        record.outcomes = outcomes
        request = record.opened.get("request")
        if request is not None and step.answer_defect is None and ACCEPTED in outcomes:
            self._ledger = accept(self._ledger, self.pack, step.message, request.values)

    def _remember(self, sender: str, opened: Opened) -> None:
        """Keep the reference of a request: it must not come again."""
        reference = name_made_by(self.pack, str(opened.name), "reference")
        if reference is not None:
            self._ledger = remember(self._ledger, sender, opened.values.get(reference))

    def _after(self, step: Exchange) -> frozenset[str]:
        """The ids of the exchanges that follow a step in the script."""
        names = list(self._script)
        return frozenset(names[names.index(step.id) + 1 :])

    def _too_early(self, step: Exchange) -> Iterator[Finding]:
        """What had to happen before this answer and had not: the SUT answers only when what it owes inside is done."""
        for inner in step.during:
            if mode(inner, self.case.sut) == "await" and "answer" not in self.seen.get(inner.id, Seen()).at:
                text = f"{step.message} was accepted before {inner.message} to {inner.receiver} was answered."
                yield Finding("reaction", "too-early", text, requirement=inner.requirement)
