"""A small finished run for the tests of record, report and bundle: two neighbours, JSON, no signatures.

The evidence is written as the play would write it, by building every message from its golden sample.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from harness.evidence.clock import FixedClock
from harness.evidence.log import EventLog, read_events
from harness.evidence.model import Event
from harness.evidence.store import Store
from harness.judge.run import RunJudgement, judge_run
from harness.message.build import build, write_errors
from harness.message.document import parse
from harness.message.model import Document
from harness.pack.load import load_pack
from harness.pack.model import Message, Pack
from harness.record.aggregate import make_record
from harness.record.tool import this_tool
from harness.scenario.model import Case, Exchange, Probe, Quiet
from harness.scenario.plan import Parameters, Plan, Subject, make_plan, mark_of
from harness.scenario.project import exchanges, mode
from harness.scenario.waiver import Waiver

START = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
TOKEN = "Bearer s3cr3t-t0k3n-of-the-test"
CONSIGNOR = "Apple Growers of Exland"

OVERLAY = """\
id: open-neighbours
version: "1.0"
extends: neighbours
title: Two neighbours without signatures (test)
notice: Invented for the tests of this harness. No administration exchanges such messages.
provenance: All of it is invented.
"""
SECURITY = """\
style: none
defects: {signature/body-altered: null, signature/missing: null}
"""
FAULTS = """\
faults: {sends-unsigned: null, ignores-altered-body: null}
"""


@dataclass
class Run:
    """A finished run."""

    folder: Path
    pack: Pack
    plan: Plan
    wrong: Mapping[str, str] = field(default_factory=dict)

    @property
    def events(self) -> list[Event]:
        return list(read_events(self.folder / "evidence"))

    @property
    def fetch(self) -> Any:
        return Store(self.folder / "evidence").get

    def judge(self) -> RunJudgement:
        return judge_run(self.plan, self.pack, self.events, self.fetch)

    def record(self) -> dict[str, Any]:
        return make_record(self.plan, self.pack, self.events, self.judge(), tool=this_tool())


def small_pack(folder: Path) -> Pack:
    """The neighbours of the tests, without signatures, as an overlay beside its base."""
    base = Path(__file__).parents[1] / "packs" / "neighbours"
    shutil.copytree(base, folder / "suites" / "neighbours", dirs_exist_ok=True)
    shutil.rmtree(folder / "suites" / "neighbours" / "scenarios")
    for name in ("movement", "arrival-of-unknown"):
        target = folder / "suites" / "neighbours" / "scenarios" / f"{name}.yaml"
        target.parent.mkdir(exist_ok=True)
        shutil.copy(base / "scenarios" / f"{name}.yaml", target)
    top = folder / "suites" / "open-neighbours"
    top.mkdir(exist_ok=True)
    (top / "pack.yaml").write_text(OVERLAY)
    (top / "security.yaml").write_text(SECURITY)
    (top / "faults.yaml").write_text(FAULTS)
    return load_pack(top)


def small_run(
    folder: Path,
    *,
    wrong: Mapping[str, str] | None = None,
    positions: Sequence[str] = ("import",),
    unfinished: bool = False,
    challenge: str | None = None,
    token: str = "",
    waived: Sequence[str] = (),
) -> Run:
    """Play a small run.

    Parameters:
        folder: the pack goes to ``packs/``, the evidence to ``out/evidence/``.
        wrong: case id to error code that the SUT answers instead of accepting its first request.
        positions: of the SUT.
        unfinished: the last event is missing.
        challenge: of the plan.
        token: in the references.
        waived: requirements; with ``NB-CONTENT``, which it does not meet, nothing stands between it and conformity.
    """
    pack = small_pack(folder / "packs")
    subject = Subject(
        "customs", tuple(positions), authority="Customs of Imland", product="ImTransit", version="3.1", contact="it@im"
    )
    parameters = Parameters(seed=7, token=challenge or "", challenge=challenge)
    waivers = tuple(Waiver("", each, "why", "https://x.example", "who", date(2027, 1, 1)) for each in waived)
    plan = make_plan(pack, subject, replace(parameters, waivers=waivers))
    run = Run(folder / "out", pack, plan, wrong or {})
    clock = FixedClock(START)
    with EventLog(run.folder / "evidence", clock) as log:
        log.write("run-started", run="r1", python="3.11", platform="test", seed=7, challenge=None)
        for case in plan.cases:
            log.write("case-started", case.id, attempt=1, values={})
            for kind, step, at, data in _play(case, pack, log.store, run.wrong, token):
                clock.advance(timedelta(milliseconds=at))
                log.write(kind, case.id, step, **data)
            log.write("case-finished", case.id, ended="complete", reason="")
        if not unfinished:
            log.write("run-finished", complete=True, reason="")
    return run


def _play(
    case: Case, pack: Pack, store: Store, wrong: Mapping[str, str], token: str
) -> Iterator[tuple[str, str, int, dict[str, Any]]]:
    code, mark = wrong.get(case.id), mark_of(token)
    for number, step in enumerate(exchanges(case.steps)):
        part = mode(step, case.sut)
        request = _built(pack, pack.messages[step.message], case, step, f"{mark}-{case.serial}-{number}Q", None)
        ours = {"await": ("received", "sent"), "deliver": ("sent", "received"), "simulate": ("simulated", "simulated")}
        kinds = ours[part]
        yield kinds[0], step.id, 20, _wire(pack, store, step, "request", request)
        expected = step.expectation.expect[0]
        error = (expected.code, expected.pointer) if expected.kind == "error" else None
        if code and kinds[1] == "received":
            error, code = (code, "/"), None
        answer_name = pack.messages[step.message].answer
        assert answer_name
        answer = _built(pack, pack.messages[answer_name], case, step, f"{mark}-{case.serial}-{number}A", request, error)
        yield kinds[1], step.id, 35, _wire(pack, store, step, "answer", answer)
    for other in case.steps:
        if isinstance(other, Probe):
            yield "state", other.id, 5, {"object": other.object, "key": {}, "state": other.states[0]}
        elif isinstance(other, Quiet):
            span = {"since": "2026-03-01T09:00:00Z", "until": "2026-03-01T09:00:01Z"}
            yield "quiet", other.id, 5, {"message": other.message, "party": other.party, **span}


def _built(
    pack: Pack,
    message: Message,
    case: Case,
    step: Exchange,
    reference: str,
    request: Document | None,
    error: tuple[str | None, str | None] | None = None,
) -> Document:
    file = message.golden["refused" if error else "accepted"]
    sample = parse(pack.format, file.read_bytes())
    if error and message.errors:
        item = {"code": error[0], "pointer": error[1] or "/", "text": "refused"}
        shape = message.errors
        sample = write_errors(sample, shape.each, shape.code, shape.pointer, shape.text, [item])
    sender, receiver = (step.sender, step.receiver) if request is None else (step.receiver, step.sender)
    values = {
        "reference": reference,
        "sender_id": case.parties[sender].facts["id"],
        "receiver_id": case.parties[receiver].facts["id"],
        "consignment": f"XA26AB{case.serial:06d}",
        "plate": "AB-1234",
        "office": case.parties[sender].facts["office"],
        "seals": ["S1"],
        "sent_at": "2026-03-01T09:00:00Z",
    }
    if request is not None:
        values["in_reply_to"] = request.texts("reference")[0]
    return build(sample, message.bindings, {name: each for name, each in values.items() if name in message.bindings})


def _wire(pack: Pack, store: Store, step: Exchange, role: str, document: Document) -> dict[str, Any]:
    request = role == "request"
    message = pack.messages[step.message]
    line = f"POST /{message.target} HTTP/1.1" if request else "HTTP/1.1 200 OK"
    return {
        "role": role,
        "message": message.name if request else message.answer,
        "sender": step.sender if request else step.receiver,
        "receiver": step.receiver if request else step.sender,
        "digest": store.put(document.to_bytes()),
        "head": {"line": line, "headers": [["content-type", "application/json"], ["authorization", TOKEN]]},
    }


def scaled(record: Mapping[str, Any], count: int) -> dict[str, Any]:
    """The record with so many cases, copies of its own under new ids."""
    cases = [
        {**json.loads(json.dumps(case)), "id": f"{number}-{case['id']}"}
        for number in range(count)
        for case in [record["cases"][number % len(record["cases"])]]
    ]
    return {**record, "cases": cases}
