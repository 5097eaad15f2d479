from __future__ import annotations

import asyncio
import gc
import json
from collections import Counter
from contextlib import nullcontext, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from pack_kit import pack_named
from play_kit import PATIENT, QUICK, World
from play_kit import Outcome as Ended

from harness.check import registry
from harness.check.model import Finding
from harness.check.named import hookimpl, register, unregister
from harness.errors import ConfigurationFault
from harness.evidence.clock import SystemClock
from harness.evidence.store import Store, bytes_beside
from harness.exchange import compose
from harness.exchange.data import NoDataError
from harness.exchange.engine import Played
from harness.exchange.stage import demand_playable, seldom_collected
from harness.exchange.wire import Listener, WireAnswer, WireTransport, client_context, post, server_context
from harness.pack.fault import Fault
from harness.pack.model import Expectation, Maker
from harness.pack.model import Outcome as PackOutcome
from harness.pack.violation import Violation
from harness.reference.serve import serve
from harness.scenario.project import exchanges

PACK = pack_named("neighbours")


def world(tmp_path, position="import", **options):
    return World(PACK, "customs", tmp_path, (position,), **options)


def hasty(here, **timers):
    """The same with short time limits."""
    here.parameters = replace(here.parameters, timers={**QUICK, **timers})
    return here


def kinds(outcome, case=None):
    return [event.kind for event in outcome.events if case is None or event.case == case]


@pytest.mark.parametrize("position", ["export", "import"])
@pytest.mark.parametrize("at_once", [1, 6])
def test_a_right_system_passes_everything(tmp_path, position, at_once):
    outcome = asyncio.run(world(tmp_path, position, at_once=at_once).run())
    assert outcome.played.complete
    assert set(outcome.verdicts) == {case.id for case in outcome.plan.cases}
    assert {case for case, verdict in outcome.verdicts.items() if verdict != "pass"} == set()
    assert kinds(outcome)[0] == "run-started"
    assert kinds(outcome)[-1] == "run-finished"


def test_live_verdicts_are_those_of_the_evidence(tmp_path):
    outcome = asyncio.run(world(tmp_path, at_once=4).run())
    later = {verdict.case: verdict.steps for verdict in outcome.judged().cases}
    assert {verdict.case: verdict.steps for verdict in outcome.played.verdicts} == later


@pytest.mark.parametrize("hours", [1, -1])
def test_a_clock_that_is_set_in_the_middle_changes_no_verdict(tmp_path, hours):
    ahead = timedelta()

    def set_it(*_):
        nonlocal ahead
        ahead = timedelta(hours=hours)

    clock = SystemClock(lambda: datetime.now(UTC) + ahead)
    began = datetime.now(UTC)
    outcome = asyncio.run(world(tmp_path, at_once=2).run(clock=clock, on_judged=set_it))
    assert outcome.played.complete
    assert set(outcome.verdicts.values()) == {"pass"}
    told = [event for event in outcome.events if event.kind == "clock-set"]
    assert [round(event.data["seconds"] / 3600) for event in told] == [hours]
    assert all(abs(datetime.fromisoformat(event.at) - began) < timedelta(minutes=10) for event in outcome.events)
    findings = [each for each in outcome.judged().findings if each.code == "clock-set"]
    assert [("forward by 3600 s" in each.message, each.severity) for each in findings] == [(hours > 0, "info")]


@pytest.mark.usefixtures("steady")
def test_every_fault_is_caught(tmp_path):
    for number, fault in enumerate(PACK.faults.values()):
        for position in PACK.roles[fault.role].positions:
            folder = tmp_path / f"{number}-{position}"
            folder.mkdir()
            outcome = asyncio.run(hasty(world(folder, position, faults=(fault.id,), at_once=6)).run())
            broken = {
                requirement
                for verdict in outcome.played.verdicts
                for requirement, word in verdict.requirements.items()
                if word.value == "fail"
            }
            if fault.requirement in broken:
                break
        else:
            pytest.fail(f"{fault.id} was not caught")


def test_events_of_an_awaited_step(tmp_path):
    outcome = asyncio.run(world(tmp_path, "export").run(["movement@export"]))
    case = "movement@export"
    seen = kinds(outcome, case)
    assert seen[:3] == ["case-started", "waiting", "control-call"]
    assert seen.index("received") < seen.index("sent")
    received = next(event for event in outcome.events if event.kind == "received" and event.case == case)
    assert received.data["role"] == "request"
    assert received.data["tls"]["peer"]["subject"]
    assert received.data["head"]["line"].startswith("POST /customs.import/notices ")
    assert "token" not in json.dumps([dict(event.data) for event in outcome.events])


def test_a_sut_that_nobody_asks_is_waited_for_and_said(tmp_path):
    here = hasty(world(tmp_path, "export", control=False), answer=timedelta(seconds=0.2))
    outcome = asyncio.run(here.run(["movement@export"]))
    assert set(outcome.verdicts.values()) == {"inconclusive"}
    waiting = next(event for event in outcome.events if event.kind == "waiting")
    assert waiting.data["why"].startswith("Make customs.export send notice to customs.import at https://")
    assert "silence" in kinds(outcome)
    finished = next(event for event in outcome.events if event.kind == "case-finished")
    assert finished.data["ended"] == "stopped"


async def without_sut(here, plan, **options):
    async with here.engine(plan, **options) as engine:
        return await engine.run()


def test_nobody_there_is_never_a_fail(tmp_path):
    here = world(tmp_path)
    played: Played = asyncio.run(without_sut(here, here.plan(["lifecycle-*"])))
    assert {verdict.verdict.value for verdict in played.verdicts} <= {"inconclusive", "not_applicable", "not_run"}


def test_a_used_up_pool_is_no_data(tmp_path):
    here = world(tmp_path)
    plan = here.plan(["lifecycle-notice-accepted*"], pools={"carriers": ()})
    played = asyncio.run(without_sut(here, plan))
    assert {verdict.verdict.value for verdict in played.verdicts} == {"not_run"}
    assert "carriers" in played.verdicts[0].reason


@pytest.mark.parametrize(
    ("position", "case"),
    [("import", "lifecycle-notice-accepted"), ("import", "body-altered"), ("export", "arrival-of-unknown")],
)
def test_a_message_that_we_build_wrong_is_our_fault_and_not_sent(tmp_path, monkeypatch, position, case):
    monkeypatch.setattr(compose, "violations", lambda *_: [Violation("missing", "/x", None, "Something is missing.")])
    outcome = asyncio.run(world(tmp_path, position).run([f"{case}@{position}"]))
    assert outcome.verdicts[f"{case}@{position}"] == "harness_error"
    assert "sent" not in kinds(outcome, f"{case}@{position}")


def test_what_cannot_be_answered_rightly_is_no_fault_of_ours(tmp_path):
    how = {"message": "arrival", "path": "reference", "as": "four-times"}
    long = Fault("long", "customs", "Makes long references.", "NB-SCHEMA", "text", how)
    here = World(replace(PACK, faults={**PACK.faults, long.id: long}), "customs", tmp_path, ("import",), (long.id,))
    name = "movement@import"
    outcome = asyncio.run(here.run([name]))
    assert outcome.verdicts[name] == "fail"
    assert "fault" not in kinds(outcome, name)


@pytest.mark.parametrize("mended", [True, False])
def test_a_check_that_fails_spoils_its_case_and_no_other(tmp_path, monkeypatch, mended):
    first = next(iter(registry.CHECKS))
    check, calls = registry.CHECKS[first], []

    def failing(subject):
        calls.append(subject)
        return 1 / 0 if len(calls) == 1 or (broken and subject.opened == calls[0].opened) else check(subject)

    broken = not mended
    monkeypatch.setitem(registry.CHECKS, first, failing)
    outcome = asyncio.run(world(tmp_path, at_once=1).run(["lifecycle-notice-accepted*", "movement*"]))
    assert outcome.played.complete
    words = [verdict.verdict.value for verdict in outcome.played.verdicts]
    assert words.count("harness_error") == 1
    assert "pass" in words
    fault = next(verdict for verdict in outcome.played.verdicts if verdict.verdict.value == "harness_error")
    assert "ZeroDivisionError" in fault.reason
    assert {each.case: each.steps for each in outcome.judged().cases} == {
        each.case: each.steps for each in outcome.played.verdicts
    }


def test_a_port_in_use_is_told_before_anything_is_played(tmp_path):
    here = world(tmp_path)

    async def scene():
        other = await Listener.start("127.0.0.1", here.setup.listen_port, None, lambda _: asyncio.sleep(0))
        try:
            await without_sut(here, here.plan())
        finally:
            await other.close()

    with pytest.raises(ConfigurationFault, match="cannot listen"):
        asyncio.run(scene())


@pytest.mark.parametrize("now", [True, False])
def test_stopping_leaves_a_complete_log(tmp_path, now):
    here = world(tmp_path)
    plan = here.plan()

    async def scene():
        started = asyncio.Event()

        def look(event):
            if event.kind == "sent":
                started.set()

        async with serve(here.config, PACK), here.engine(plan, on_event=look) as engine:
            run = asyncio.create_task(engine.run())
            await started.wait()
            engine.stop(now=now)
            return await run

    played = asyncio.run(scene())
    assert not played.complete
    assert "stopped" in played.reason
    assert len(played.verdicts) < len(plan.cases)
    events = Ended(here, plan, played).events
    assert events[-1].kind == "run-finished"
    assert events[-1].data["complete"] is False
    ended = Counter(event.kind for event in events)
    assert ended["case-started"] == ended["case-finished"] == 1
    finished = next(event for event in events if event.kind == "case-finished")
    assert finished.data["ended"] == ("cancelled" if now else "complete")


def test_a_cancelled_engine_leaves_a_complete_log(tmp_path):
    here = world(tmp_path, "export", control=False)
    plan = here.plan()

    async def scene():
        waiting = asyncio.Event()

        async with here.engine(plan, on_event=lambda event: event.kind == "waiting" and waiting.set()) as engine:
            run = asyncio.create_task(engine.run())
            await waiting.wait()
            run.cancel()
            with suppress(asyncio.CancelledError):
                await run

    asyncio.run(scene())
    events = Ended(here, plan, Played((), False, "", 0)).events
    assert [event.kind for event in events][-2:] == ["case-finished", "run-finished"]
    assert events[-1].data["complete"] is False


@pytest.mark.parametrize(("wrong", "attempt", "word"), [(False, 2, "pass"), (True, 1, "fail")])
def test_a_stray_message_spoils_a_watch_and_what_it_leaves_open_is_played_again(tmp_path, wrong, attempt, word):
    pack = pack_named("etir-4.3")
    here = World(pack, "customs", tmp_path, ("departure",))
    here.parameters = replace(here.parameters, timers={**PATIENT, "reaction": timedelta(seconds=2)})
    quiet = next(case for case in here.plan().cases if case.id == "unknown-guarantee@departure")
    plan = here.plan([quiet.id])
    plan = replace(plan, cases=tuple(replace(case, control=None) for case in plan.cases if case.id == quiet.id))
    if wrong:
        how = {"defect": "signature/missing"}
        unsigned = Fault("unsigned", "customs", "Does not sign.", "ETIR-SEC-SIGNED", "sign", how)
        pack = replace(pack, faults={**pack.faults, unsigned.id: unsigned})
        here.config = replace(here.config, faults=(unsigned.id,))

    async def scene():
        context = client_context(here.setup.identities["platform"], here.setup.tls_anchors)
        transport, tasks = WireTransport(context), []

        def look(event):
            if event.kind == "sent" and event.case == quiet.id and not tasks and event.data["role"] == "answer":
                url = f"https://127.0.0.1:{here.setup.listen_port}/platform"
                tasks.append(asyncio.get_running_loop().create_task(stray(url)))

        async def stray(url):
            await asyncio.sleep(0.1)  # until the watch is open
            return await post(transport, url, b"{}", (("Content-Type", "application/json"),), seconds=60)

        async with serve(here.config, pack), here.engine(plan, on_event=look) as engine:
            played = await engine.run()
        answer = await tasks[0]
        await transport.aclose()
        return played, answer

    played, answer = asyncio.run(scene())
    assert answer.response.status == 400
    verdict = next(each for each in played.verdicts if each.case == quiet.id)
    assert (verdict.attempt, verdict.verdict.value) == (attempt, word), verdict.reason
    assert played.next_serial == plan.cases[0].serial + attempt


@pytest.mark.parametrize("at_once", [1, 6])
def test_a_notification_that_is_sent_twice_breaks_its_requirement(tmp_path, at_once):
    pack = pack_named("etir-4.3")
    how = {"reaction": "chain-told-started", "as": "twice"}
    twice = Fault("twice", "platform", "Tells everything twice.", "ETIR-E7-STA", "notify", how)
    pack = replace(pack, faults={**pack.faults, twice.id: twice})
    here = World(pack, "platform", tmp_path, faults=(twice.id,), at_once=at_once)
    outcome = asyncio.run(here.run(["lifecycle-I9-accepted@platform"]))
    assert "extra" in kinds(outcome)
    assert "unmatched" not in kinds(outcome)
    judged = outcome.judged()
    assert "ETIR-E7-STA" in {each.id for each in judged.requirements if each.status.value == "failed"}
    later = {verdict.case: (verdict.verdict.value, verdict.steps) for verdict in judged.cases}
    assert later == {verdict.case: (verdict.verdict.value, verdict.steps) for verdict in outcome.played.verdicts}


@pytest.mark.parametrize(("first", "number"), [(0, "C-0"), (2, "C-2"), (3, None)])
def test_a_second_run_goes_on_in_a_pool_where_the_first_one_ended(tmp_path, first, number):
    values = dict(PACK.values)
    values["consignment"] = replace(values["consignment"], make=Maker("pool", "consignments"))
    here = World(replace(PACK, values=values), "customs", tmp_path, ("import",))
    plan = here.plan(["lifecycle-notice-accepted*"], pools={"consignments": ("C-0", "C-1", "C-2")}, first=first)
    plan = replace(plan, cases=plan.cases[:1])
    played = asyncio.run(without_sut(here, plan))
    started = next(event for event in Ended(here, plan, played).events if event.kind == "case-started")
    assert started.data["values"].get("consignment") == number
    assert (played.verdicts[0].verdict.value == "not_run") == (number is None)


def with_first_step(here, select, **changes):
    """A plan of one case whose first exchange is changed."""
    plan = here.plan([select])
    case = next(each for each in plan.cases if each.id == select)
    step = next(exchanges(case.steps))
    changed = replace(case, steps=(replace(step, during=(), **changes),), control=None)
    return replace(plan, cases=(changed,))


@pytest.mark.parametrize(
    ("defect", "ends"),
    [
        ("delivery/truncated", "connection closed"),
        ("delivery/wrong-content-type", "HTTP 4"),
        ("delivery/repeated", "error "),
        ("signature/body-altered", "HTTP 4"),
        ("certificate/expired", "HTTP 4"),
        ("message/not-well-formed", "HTTP 4"),
    ],
)
def test_defects_reach_the_sut(tmp_path, defect, ends):
    here = world(tmp_path)
    plan = with_first_step(here, "lifecycle-notice-accepted@import", defect=defect, violation=True)

    async def scene():
        async with serve(here.config, PACK):
            return await without_sut(here, plan)

    played = asyncio.run(scene())
    assert played.verdicts[0].steps[0].observed.startswith(ends)
    sent = [event for event in Ended(here, plan, played).events if event.kind == "sent"]
    assert [event.data["defect"] for event in sent] == [defect] * len(sent)
    assert len(sent) == (2 if defect == "delivery/repeated" else 1)


@pytest.mark.parametrize("defect", ["delivery/closed", "delivery/truncated", "signature/missing"])
def test_defects_of_answers_reach_the_sut(tmp_path, defect):
    here = world(tmp_path, "export")
    plan = with_first_step(here, "movement@export", answer_defect=defect)

    async def scene():
        async with serve(here.config, PACK):
            return await without_sut(here, plan)

    played = asyncio.run(scene())
    assert played.verdicts[0].verdict.value == "pass", played.verdicts[0].reason
    spoken_of = {digest for event in Ended(here, plan, played).events for digest in event.digests}
    assert bytes_beside(here.folder / "evidence", spoken_of) == 0, "bytes of what never left are no evidence"


@pytest.mark.usefixtures("steady")
def test_a_silent_sut_fails(tmp_path):
    here = hasty(world(tmp_path), answer=timedelta(seconds=0.2))

    async def scene():
        async def never(_):
            await asyncio.Event().wait()
            return WireAnswer(500)

        listener = await Listener.start(
            "127.0.0.1", here.config.port, server_context(here.setup.listener, here.setup.tls_anchors), never
        )
        try:
            return await without_sut(here, here.plan(["lifecycle-notice-accepted@import"]))
        finally:
            await listener.close()

    played = asyncio.run(scene())
    assert {verdict.verdict.value for verdict in played.verdicts} == {"fail"}
    assert "no answer in time" in played.verdicts[0].reason


@pytest.mark.parametrize("word", ["inconclusive", "warning"])
def test_a_legal_answer_that_leads_another_way_ends_the_script(tmp_path, word):
    here = world(tmp_path)
    plan = here.plan(["movement@import"])
    case = next(each for each in plan.cases if each.id == "movement@import")
    first, *rest = case.steps
    assert rest
    either = Expectation((PackOutcome("error", "L99"),), (PackOutcome("accepted"),), word)
    plan = replace(plan, cases=(replace(case, steps=(replace(first, expectation=either), *rest), control=None),))

    async def scene():
        async with serve(here.config, PACK):
            return await without_sut(here, plan)

    outcome = Ended(here, plan, asyncio.run(scene()))
    assert outcome.verdicts == {case.id: word}
    assert {event.step for event in outcome.events if event.step} == {first.id}
    assert outcome.judged().cases[0].verdict.value == word


class Mixing:
    """A control interface that makes the system report the other one of two consignments."""

    available = True

    def __init__(self, control, orders):
        self._control, self._orders = control, orders

    async def send(self, order):
        self._orders.append(order)
        first = self._orders[0].parameters["consignment"]
        return await self._control.send(replace(order, parameters={**order.parameters, "consignment": first}))

    async def state(self, *asked):
        return await self._control.state(*asked)

    async def close(self):
        await self._control.close()


def test_two_movements_of_one_case_are_told_apart(tmp_path):
    here, orders = world(tmp_path), []
    here.setup = replace(here.setup, control=Mixing(here.setup.control, orders))
    outcome = asyncio.run(here.run(["two-movements@import"]))
    assert [order.step for order in orders][:2] == ["arrival", "arrival.2"]
    assert orders[0].parameters["consignment"] != orders[1].parameters["consignment"]
    verdict = next(each for each in outcome.played.verdicts if each.case == "two-movements@import")
    assert verdict.verdict.value == "fail"
    found = {(each.check, each.code) for step in verdict.steps for each in step.findings}
    assert ("consistency", "consignment") in found


@pytest.mark.usefixtures("steady")
@pytest.mark.parametrize(("fault", "expected"), [(None, "pass"), ("none", "fail")])
def test_what_is_owed_after_a_refusal_is_demanded(tmp_path, fault, expected):
    pack = pack_named("etir-4.3")
    started = next(each for each in pack.reactions if (each.on, each.send) == ("I9", "E7"))
    owed = replace(started, id="chain-told-refusal", after="refused")
    faults = {"keeps-quiet": Fault("keeps-quiet", "platform", "", str(owed.requirement), "notify", {"as": fault})}
    faults["keeps-quiet"].parameters.update({"reaction": owed.id})
    pack = replace(pack, reactions=(*pack.reactions, owed), faults={**pack.faults, **faults})
    here = World(pack, "platform", tmp_path, faults=("keeps-quiet",) if fault else ())
    here.parameters = replace(here.parameters, timers={**PATIENT, "notification": timedelta(seconds=3)})
    name = "lifecycle-I9-declaration-absent@platform"
    outcome = asyncio.run(here.run([name]))
    case = next(each for each in outcome.plan.cases if each.id == name)
    twice = [step.id for step in exchanges(case.steps) if step.reaction == owed.id]
    assert twice == ["I9/chain-told-refusal>chain", "I9.again/chain-told-refusal>chain"]
    assert outcome.verdicts[name] == expected
    assert outcome.verdicts["lifecycle-I9-accepted@platform"] == "pass"


SAVED = """\
id: saved-plate
version: 1
title: The truck that left is the truck that arrives
effect: Goods could be exchanged on the way.
bearers:
  customs.import: {purpose: Reports the vehicle that was announced., requirements: [NB-SAME]}
steps:
  - exchange: notice
    from: customs.export
    to: customs.import
    save: {left_with: {request: vehicle/plate}}
  - exchange: arrival
    from: customs.import
    to: customs.export
    check: {name: same, with: {plate: {saved: left_with}}}
  - exchange: notice
    from: customs.export
    to: customs.import
    movement: second
    with: {plate: {saved: left_with}}
"""


class Same:
    """Gives a check that compares with what was saved, and one that always finds something."""

    def __init__(self, offset):
        self._offset, self.heard = offset, []

    @hookimpl
    def c2c_checks(self):
        return {"same": self._same}

    def _same(self, subject, parameters):
        self.heard.append((subject.opened.text("plate"), parameters["plate"]))
        if subject.opened.text("plate") + self._offset != parameters["plate"]:
            yield Finding("same", "another-vehicle", "another vehicle arrived")


@pytest.mark.parametrize(("offset", "expected"), [("", "pass"), ("-X", "fail")])
def test_a_saved_value_comes_back_and_a_named_check_is_asked(tmp_path, offset, expected):
    file, plugin = tmp_path / "saved-plate.yaml", Same(offset)
    file.write_text(SAVED, "utf-8")
    register(plugin)
    try:
        here = World(replace(PACK, scenarios=(*PACK.scenarios, file)), "customs", tmp_path, ("import",))
        outcome = asyncio.run(here.run(["saved-plate@import"]))
        judged = outcome.judged()
    finally:
        unregister(plugin)
    assert outcome.verdicts["saved-plate@import"] == expected
    assert {each.case: each.verdict.value for each in judged.cases} == outcome.verdicts
    status = next(each.status.value for each in judged.requirements if each.id == "NB-SAME")
    assert (status == "failed") == (expected == "fail")
    (plate, saved), *again = plugin.heard
    assert plate == saved
    assert set(again) == {(plate, saved)}
    notices = [event for event in outcome.events if event.kind == "sent" and event.data["message"] == "notice"]
    store = Store(tmp_path / "evidence")
    assert {json.loads(store.get(event.data["digest"]))["vehicle"]["plate"] for event in notices} == {plate}


@pytest.mark.parametrize("at_once", [1, 6])
def test_one_reference_in_many_cases_breaks_its_requirement(tmp_path, at_once):
    same = Fault("same-reference", "customs", "", "NB-REFERENCE", "build", {"message": "notice", "set": {}})
    same.parameters["set"].update({"reference": "R-ALWAYS"})
    pack = replace(PACK, faults={**PACK.faults, same.id: same})
    here = World(pack, "customs", tmp_path, ("export",), faults=(same.id,), at_once=at_once)
    judged = asyncio.run(here.run(["movement@export", "arrival-*@export"])).judged()
    assert {each.status.value for each in judged.requirements if each.id == "NB-REFERENCE"} == {"failed"}
    assert "reference-reused" in {each.code for each in judged.findings}


@pytest.mark.parametrize(("blind", "expected"), [(False, "pass"), (True, "fail")])
def test_a_message_that_another_party_signed_must_be_refused(tmp_path, blind, expected):
    pack = pack_named("etir-4.3")
    fault = Fault("blind", "chain", "", "ETIR-SEC-NO-OTHER", "accept-signature", {"problem": "certificate/wrong-party"})
    pack = replace(pack, faults={**pack.faults, fault.id: fault})
    here = World(pack, "chain", tmp_path, faults=(fault.id,) if blind else ())
    outcome = asyncio.run(here.run(["defect-*-delivery-other-party@chain"]))
    (verdict,) = (word for name, word in outcome.verdicts.items() if "other-party" in name)
    assert verdict == expected
    status = next(each.status.value for each in outcome.judged().requirements if each.id == "ETIR-SEC-NO-OTHER")
    assert status == ("failed" if blind else "passed")


@pytest.mark.parametrize(("careless", "expected"), [(False, "pass"), (True, "fail")])
def test_an_answer_that_names_another_request_is_no_answer(tmp_path, careless, expected):
    here = World(pack_named("etir-4.3"), "chain", tmp_path, faults=("chain-takes-any-answer",) if careless else ())
    outcome = asyncio.run(here.run(["defect-*-delivery-other-request@chain"]))
    (verdict,) = (word for name, word in outcome.verdicts.items() if "other-request" in name)
    assert verdict == expected


@pytest.mark.parametrize(("there", "word"), [(True, "pass"), (False, "not_run")])
def test_a_case_whose_wrong_certificate_nobody_has_is_not_run_and_the_others_are(tmp_path, there, word):
    here, case = world(tmp_path), "defect-notice-certificate-foreign-ca@import"
    if not there:
        here.setup = replace(here.setup, spares={})
    outcome = asyncio.run(here.run([case]))
    assert outcome.verdicts == {
        "lifecycle-notice-accepted@import": "pass",
        case: word,
        "lifecycle-notice-accepted@import~end": "pass",
    }
    reason = next(each.reason for each in outcome.played.verdicts if each.case == case)
    assert ("has no certificate that shows certificate/foreign-ca" in reason) is not there


@pytest.mark.parametrize("alike", [True, False])
def test_who_has_the_certificate_of_the_sender_does_not_sign_in_his_name(tmp_path, alike):
    """Where one certificate stands in for every party, such a message would be right."""
    pack, case = pack_named("etir-4.3"), "defect-E11-delivery-other-party@platform"
    here = World(pack, "platform", tmp_path)
    if alike:
        one = here.setup.identities["holder"]
        here.setup = replace(here.setup, identities=dict.fromkeys(here.setup.identities, one))
    planned = next(each for each in here.plan([case]).cases if each.id == case)
    with pytest.raises(NoDataError, match="another certificate than that of holder") if alike else nullcontext():
        demand_playable(pack, here.setup, planned)


def test_circles_of_objects_are_looked_for_seldom_only_while_a_run_is_played():
    before = gc.get_threshold()
    with seldom_collected():
        assert gc.get_threshold()[0] > before[0]
        assert gc.isenabled()
    assert gc.get_threshold() == before
