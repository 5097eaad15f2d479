"""A stage without sockets: writes the events of a case that the judge then sees.

Messages are golden samples with fresh references, signed by a throw-away test PKI. A test changes exactly one thing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding
from pack_kit import pack_named

from harness.evidence.model import Event
from harness.judge.case import judge_case
from harness.judge.model import CaseVerdict
from harness.message.build import build, write_errors
from harness.message.document import parse
from harness.message.model import Document, Value
from harness.pack.model import Pack
from harness.scenario.model import Case, Exchange, FromSeats
from harness.scenario.plan import Parameters, Plan, Subject, make_plan
from harness.scenario.project import exchanges, mode
from harness.security.model import Identity
from harness.security.pki import TestPki
from harness.security.protect import protect
from harness.security.spares import make_spares

T0 = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
Change = Callable[[bytes], bytes]


@dataclass
class World:
    """Pack, test PKI and plans, made once."""

    folder: Path
    pack: Pack = field(default_factory=lambda: pack_named("etir-4.3"))
    plans: dict[Any, Plan] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.pki = TestPki.create(self.folder, T0 - timedelta(days=1))
        self.sut = self.pki.issue("sut", country="UZ", hosts=("localhost",))
        self.other = self.pki.issue("other", country="UZ", hosts=("localhost",))
        self.spares = make_spares(self.pki, self.sut)
        trust = self.pki.trust
        known = (*trust.anchors, *trust.intermediates)
        self.anchors = tuple(each.public_bytes(Encoding.PEM).decode() for each in known)

    def plan(self, role: str, **parameters: Any) -> Plan:
        asked = (role, tuple(sorted(parameters.items())))
        if asked not in self.plans:
            self.plans[asked] = make_plan(
                self.pack, Subject(role), Parameters(anchors=self.anchors, adopt_assumed=True, **parameters)
            )
        return self.plans[asked]

    def stage(self, plan: Plan, name: str) -> Stage:
        return Stage(self, plan, next(case for case in plan.cases if case.id == name))


@dataclass
class Stage:
    """One case being written down."""

    world: World
    plan: Plan
    case: Case
    events: list[Event] = field(default_factory=list)
    store: dict[str, bytes] = field(default_factory=dict)
    references: int = 0

    def write(self, kind: str, step: str | None = None, **data: Any) -> Event:
        number = len(self.events)
        at = (T0 + timedelta(milliseconds=number)).isoformat()
        event = Event(number, kind, at, number * 1_000_000, self.case.id, step, data)
        self.events.append(event)
        return event

    def keep(self, data: bytes) -> str:
        digest = "sha256:" + hashlib.sha256(data).hexdigest()
        self.store[digest] = data
        return digest

    def step(self, name: str) -> Exchange:
        return next(step for step in exchanges(self.case.steps) if step.id == name)

    def document(self, name: str, shape: str, values: dict[str, Value]) -> Document:
        message = self.world.pack.messages[name]
        sample = parse("xml", message.golden[shape].read_bytes())
        return build(sample, message.bindings, {key: value for key, value in values.items() if key in message.bindings})

    def send(
        self,
        step: Exchange,
        part: str,
        *,
        values: dict[str, Value] | None = None,
        error: tuple[str, str] | None = None,
        defect: str | None = None,
        change: Change = bytes,
        status: int = 200,
        signer: Identity | None = None,
    ) -> None:
        """One message of an exchange, as the step's mode says: sent, received or simulated."""
        pack, mine = self.world.pack, mode(step, self.case.sut)
        request = pack.messages[step.message]
        name = step.message if part == "request" else str(request.answer)
        self.references += 1
        fresh: dict[str, Value] = {"reference": f"REF-{self.references}", **self.facts(step, name, part)}
        if part == "answer":
            fresh["in_reply_to"] = self.request_reference
        else:
            self.request_reference = fresh["reference"]
        fresh.update(values or {})
        document = self.document(name, "refused" if error else "accepted", fresh)
        if error:
            shape = pack.messages[name].errors
            assert shape is not None
            item = {"code": error[0], "pointer": error[1], "text": "no"}
            document = write_errors(document, shape.each, shape.code, shape.pointer, shape.text, [item])
        protected = protect(
            document, signer or self.world.sut, pack.security, T0, defect, spares=self.world.spares if defect else {}
        )
        from_sut = (mine == "await") == (part == "request")
        kind = "simulated" if mine == "simulate" else "received" if from_sut else "sent"
        line = f"POST /{step.receiver} HTTP/1.1" if part == "request" else f"HTTP/1.1 {status} OK"
        headers = [["Content-Type", pack.media_type], *([key, value] for key, value in protected.headers.items())]
        self.write(
            kind, step.id, role=part, message=name, sender=step.sender, receiver=step.receiver,
            digest=self.keep(change(protected.data)), head={"line": line, "headers": headers},
        )  # fmt: skip

    def facts(self, step: Exchange, name: str, part: str) -> dict[str, Value]:
        """What the message says about its parties."""
        pack, found = self.world.pack, {}
        sender, receiver = (step.sender, step.receiver) if part == "request" else (step.receiver, step.sender)
        for bound in pack.messages[name].bindings:
            maker = pack.values[bound].make
            who, _, fact = maker.text.rpartition(".")
            seat = {"sender": sender, "receiver": receiver}.get(who)
            if who == "subject" and step.subject:
                seat = next((each for each in self.case.parties if each.endswith(f".{step.subject}")), None)
            if maker.kind == "fact" and seat and fact in self.case.parties[seat].facts:
                found[bound] = self.case.parties[seat].facts[fact]
            if maker.kind == "facts":
                seats = self.changed(step, bound)
                takes_part = [party for each, party in self.case.parties.items() if fnmatchcase(each, who)]
                takes_part = [self.case.parties[each] for each in seats] if seats else takes_part
                found[bound] = [party.facts[fact] for party in takes_part]
            if maker.kind == "event":
                found[bound] = step.event
        return found

    def changed(self, step: Exchange, name: str) -> tuple[str, ...]:
        """The seats of which a value is made at a step, where the script has said so until then."""
        seats: tuple[str, ...] = ()
        for each in exchanges(self.case.steps):
            given = each.values.get(name)
            if name in each.changes and isinstance(given, FromSeats):
                seats = given.seats
            if each.id == step.id:
                break
        return seats

    def exchange(self, name: str, **answer: Any) -> None:
        """A whole exchange; keywords change the SUT's message: its request where it sends, else its answer."""
        step = self.step(name)
        sends = mode(step, self.case.sut) == "await"
        self.send(step, "request", **(answer if sends else {}))
        reference = self.request_reference
        for inner in step.during:
            self.exchange(inner.id)
        self.request_reference = reference
        if sends:
            first = step.expectation.expect[0]
            refused = (first.code or "", first.pointer or "/") if first.kind == "error" else None
            self.send(step, "answer", error=refused)
        elif step.expectation.expect[0].kind == "error" and not answer:
            first = step.expectation.expect[0]
            self.send(step, "answer", error=(first.code or "", first.pointer or "/"))
        else:
            self.send(step, "answer", **answer)

    def play(self, **changed: dict[str, Any]) -> Stage:
        """The whole case as it should go, but for the exchanges that are named (``I9={"defect": ...}``)."""
        self.write("case-started", attempt=1)
        for step in self.outer():
            self.exchange(step.id, **changed.get(step.id, {}))
        return self

    def outer(self) -> list[Exchange]:
        """The exchanges of the case that happen inside no other one."""
        inner = {each.id for step in exchanges(self.case.steps) for each in step.during}
        return [step for step in exchanges(self.case.steps) if step.id not in inner]

    def end(self, ended: str = "complete", reason: str = "") -> Stage:
        self.write("case-finished", ended=ended, reason=reason)
        return self

    def judge(self) -> CaseVerdict:
        return judge_case(self.case, self.plan, self.world.pack, self.events, self.store.__getitem__)
