"""Messages for which no step waited: what is sent twice, what should not be sent at all, and what decides nothing."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from judge.stage import Stage, World

from harness.evidence.model import Event
from harness.exchange.resume import is_spoiled
from harness.judge.model import CaseVerdict, RunVerdict, Status, Verdict
from harness.judge.run import judge_run
from harness.scenario.model import Probe, Quiet
from harness.scenario.project import exchanges, mode

ACCEPTED = "lifecycle-I9-accepted@platform"
REFUSED = "lifecycle-I9-declaration-absent@platform"


def reaction(stage: Stage):
    """The first message that the SUT owes for an accepted I9."""
    owed = {each.id for each in stage.world.pack.reactions if each.on == "I9"}
    steps = (step for step in exchanges(stage.case.steps) if step.reaction in owed)
    return next(step for step in steps if mode(step, stage.case.sut) == "await")


def extra(stage: Stage, step: str, *, again: bool = False, receiver: str | None = None, **values: str) -> Event:
    """What the SUT sent in a step, byte for byte, or the same message again with another reference."""
    first = next(e for e in stage.events if e.step == step and e.kind == "received" and e.data["role"] == "request")
    data = dict(first.data)
    if again:
        stage.send(stage.step(step), "request", values=values)
        data = dict(stage.events.pop().data)
    return stray(stage, data, receiver)


def stray(stage: Stage, data: dict[str, object], receiver: str | None = None, **more: object) -> Event:
    for name in ("role", "message", "sender"):
        data.pop(name)
    event = stage.write("extra", **{**data, "receiver": receiver or data["receiver"], **more})
    stage.events[-1] = event._replace(step=None)
    return event


def codes(verdict: CaseVerdict) -> list[str]:
    return [f"{found.check}/{found.code}" for step in verdict.steps for found in step.findings]


@pytest.mark.parametrize("again", [False, True])
def test_a_reaction_that_comes_twice_breaks_its_requirement(world: World, again: bool) -> None:
    stage = world.stage(world.plan("platform"), ACCEPTED).play()
    step = reaction(stage)
    extra(stage, step.id, again=again)
    came = stage.events[-1]
    verdict = stage.end().judge()
    assert codes(verdict) == ["reaction/repeated"]
    assert verdict.verdict is Verdict.FAIL
    assert verdict.requirements[str(step.requirement)] is Verdict.FAIL
    assert verdict.requirements["ETIR-I9-OK"] is Verdict.PASS
    blamed = next(each for each in verdict.steps if each.findings)
    assert blamed.signatures[came.seq].trusted


@pytest.mark.parametrize(("seconds", "word"), [(0.5, Verdict.FAIL), (60.0, Verdict.INCONCLUSIVE)])
def test_what_comes_twice_while_we_were_held_up_is_played_again(world: World, seconds: float, word: Verdict) -> None:
    stage = world.stage(world.plan("platform"), ACCEPTED).play()
    stage.write("lag", seconds=seconds)
    stage.events[-1] = stage.events[-1]._replace(case=None)
    extra(stage, reaction(stage).id)
    verdict = stage.end().judge()
    assert verdict.verdict is word
    assert is_spoiled(verdict, stage.events) is (word is Verdict.INCONCLUSIVE)
    assert codes(verdict) == (["reaction/repeated"] if word is Verdict.FAIL else [])


@pytest.mark.parametrize("defect", ["signature/missing", "signature/body-altered", "certificate/foreign-ca"])
def test_a_stray_that_no_signature_bears_out_proves_nothing(world: World, defect: str) -> None:
    stage = world.stage(world.plan("platform"), ACCEPTED).play()
    step = reaction(stage)
    stage.send(stage.step(step.id), "request", defect=defect)
    stray(stage, dict(stage.events.pop().data))
    came = stage.events[-1]
    verdict = stage.end().judge()
    assert verdict.verdict is Verdict.INCONCLUSIVE
    assert not codes(verdict)
    left = next(each for each in verdict.steps if came.seq in each.events)
    assert left.verdict is Verdict.INCONCLUSIVE
    assert "No signature that can be trusted" in left.reason
    assert not left.signatures[came.seq].trusted


def other_value(stage: Stage, step: str) -> None:
    extra(stage, step, again=True, guarantee="XC0000000")


def other_receiver(stage: Stage, step: str) -> None:
    extra(stage, step, again=True, receiver="somebody")


def unanswered(stage: Stage, step: str) -> None:
    stage.events = [e for e in stage.events if not (e.step == step and e.kind == "sent")]
    extra(stage, step)


@pytest.mark.parametrize("come", [other_value, other_receiver, unanswered])
def test_what_is_no_repetition_decides_nothing(world: World, come: Callable[[Stage, str], None]) -> None:
    stage = world.stage(world.plan("platform"), ACCEPTED).play()
    come(stage, reaction(stage).id)
    assert codes(stage.end().judge()) == []


def test_a_request_that_comes_twice_is_told(world: World) -> None:
    plan = world.plan("customs")
    case = next(case for case in plan.cases if case.id.startswith("lifecycle-I9-accepted@"))
    stage = world.stage(plan, case.id).play()
    extra(stage, "I9")
    verdict = stage.end().judge()
    assert "correlation/repeated" in codes(verdict)
    assert verdict.verdict in (Verdict.WARNING, Verdict.FAIL)


def test_a_notification_of_what_was_refused_is_undue(world: World) -> None:
    plan = world.plan("platform")
    accepted = world.stage(plan, ACCEPTED).play()
    step = reaction(accepted)
    sent = next(e for e in accepted.events if e.step == step.id and e.kind == "received")
    stage = world.stage(plan, REFUSED).play()
    stage.store.update(accepted.store)
    stray(stage, dict(sent.data))
    verdict = stage.end().judge()
    assert codes(verdict) == ["reaction/undue"]
    assert verdict.requirements[str(step.requirement)] is Verdict.FAIL


def test_what_comes_after_the_end_of_a_case_fails_the_run(world: World) -> None:
    plan = world.plan("platform")
    stage = world.stage(plan, ACCEPTED).play().end()
    step = reaction(stage)
    plan = replace(plan, cases=(stage.case,))
    calm = judge_run(plan, world.pack, stage.events, stage.store.__getitem__)
    extra(stage, step.id)
    judged = judge_run(plan, world.pack, stage.events, stage.store.__getitem__)
    assert judged.cases == calm.cases
    assert [f"{each.check}/{each.code}" for each in judged.findings] == ["reaction/repeated", "exchange/extra"]
    statuses = {each.id: each.status for each in judged.requirements}
    assert statuses[str(step.requirement)] is Status.FAILED
    assert (calm.verdict, judged.verdict) == (RunVerdict.NOT_FULLY_VERIFIED, RunVerdict.NOT_CONFORMANT)


def test_what_follows_a_refusal_only_is_undue_after_an_acceptance(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = world.stage(world.plan("platform"), ACCEPTED).play()
    step = reaction(stage)
    extra(stage, step.id, again=True)
    kept = tuple(each for each in stage.case.steps if each.id != step.id)
    stage.case = replace(stage.case, steps=kept)
    stage.events = [event for event in stage.events if event.step != step.id]
    stage.end()
    assert codes(stage.judge()) == []
    changed = tuple(
        replace(each, after="refused") if each.id == step.reaction else each for each in world.pack.reactions
    )
    monkeypatch.setattr(world, "pack", replace(world.pack, reactions=changed))
    assert codes(stage.judge()) == ["reaction/undue"]


@pytest.mark.parametrize(("again", "expected"), [(True, ["resend/new-reference"]), (False, [])])
def test_whoever_lost_an_answer_repeats_the_request_as_it_was(world: World, again: bool, expected: list[str]) -> None:
    plan = world.plan("customs")
    name, step = next(
        (case.id, step.id)
        for case in plan.cases
        for step in exchanges(case.steps)
        if case.sut == "customs.departure" and step.answer_defect == "delivery/closed"
    )
    stage = world.stage(plan, name).play()
    extra(stage, step, again=again)
    for watched in stage.case.steps:
        if isinstance(watched, Quiet):
            stage.write("quiet", watched.id, message=watched.message, party=watched.party, since="1", until="2")
        elif isinstance(watched, Probe):
            stage.write("state", watched.id, object=watched.object, key={}, state=watched.states[0])
    verdict = stage.end().judge()
    assert [code for code in codes(verdict) if code.startswith("resend")] == expected
    assert (verdict.requirements["ETIR-ANS-LOST"] is Verdict.FAIL) == again


@pytest.mark.parametrize(("receiver", "hit"), [("customs.destination", True), ("customs.departure", False)])
def test_nobody_is_told_of_a_transport_that_does_not_come_to_him(world: World, receiver: str, hit: bool) -> None:
    stage = world.stage(world.plan("platform"), "short-route@platform").play()
    told = next(step for step in exchanges(stage.case.steps) if step.reaction == "customs-told-started")
    extra(stage, told.id, again=True, receiver=receiver)
    verdict = stage.end().judge()
    assert ("reaction/not-concerned" in codes(verdict)) == hit
    assert (verdict.requirements["ETIR-I15-ROUTE"] is Verdict.FAIL) == hit


@pytest.mark.parametrize(("event", "hit"), [("DEC", False), ("TER", True)])
def test_a_country_that_is_left_out_may_be_told_of_that_and_of_nothing_after_it(
    world: World, event: str, hit: bool
) -> None:
    stage = world.stage(world.plan("platform"), "route-shortened@platform").play()
    told = [step for step in exchanges(stage.case.steps) if step.message == "I15" and step.event == event][-1]
    assert told.receiver == "customs.departure"
    extra(stage, told.id, again=True, receiver="customs.destination")
    verdict = stage.end().judge()
    assert codes(verdict) == (["reaction/not-concerned"] if hit else [])
    assert (verdict.requirements["ETIR-I15-ROUTE"] is Verdict.FAIL) == hit


@pytest.mark.parametrize(
    ("told", "expected"),
    [({}, ["reaction/repeated"]), ({"event": "STA"}, [])],
    ids=["what it has told", "what it has not told yet"],
)
def test_a_notification_comes_twice_although_others_are_still_to_come(
    world: World, told: dict[str, str], expected: list[str]
) -> None:
    stage = world.stage(world.plan("platform"), "nominal-movement@platform")
    stage.write("case-started", attempt=1)
    first = next(step for step in stage.outer() if step.reaction == "chain-told-accepted")
    for step in stage.outer():
        stage.exchange(step.id)
        if step.id == first.id:
            extra(stage, first.id, again=True, **told)
    assert codes(stage.end().judge()) == expected


@pytest.mark.parametrize(("first", "hit"), [(True, True), (False, False)])
def test_a_country_is_told_nothing_before_it_comes_onto_the_route(world: World, first: bool, hit: bool) -> None:
    stage = world.stage(world.plan("platform"), "route-extended@platform")
    stage.write("case-started", attempt=1)
    early = next(step for step in stage.outer() if step.reaction == "customs-told-started")
    for step in stage.outer():
        stage.exchange(step.id)
        if first and step.id == early.id:
            extra(stage, early.id, again=True, receiver="customs.destination")
    if not first:
        extra(stage, early.id, again=True, receiver="customs.destination")
    verdict = stage.end().judge()
    assert ("reaction/not-concerned" in codes(verdict)) == hit


@pytest.mark.parametrize(("before", "expected"), [(("E1", "I1"), ["legality/220"]), (("E1", "I1", "I7"), [])])
def test_nobody_starts_before_the_acceptance_has_arrived(
    world: World, before: tuple[str, ...], expected: list[str]
) -> None:
    stage = world.stage(world.plan("customs"), "lifecycle-I9-accepted@departure")
    stage.write("case-started", attempt=1)
    for name in before:
        stage.exchange(name)
    stage.send(stage.step("I9"), "request")
    data = dict(stage.events.pop().data)
    stray(stage, data)
    for name in ("I7", "I9"):
        if name not in before:
            stage.exchange(name)
    assert codes(stage.end().judge()) == expected


@pytest.mark.parametrize("over", [False, True])
@pytest.mark.parametrize(("attempt", "found"), [(1, []), (2, ["legality/301"])])
def test_what_comes_late_for_an_earlier_attempt_says_nothing_of_the_next(
    world: World, attempt: int, found: list[str], over: bool
) -> None:
    """Where we were held up, the system goes on with what we have given up, while the case is played again."""
    stage = world.stage(world.plan("customs"), "lifecycle-I9-accepted@departure").play().end()
    late = dict(next(e for e in stage.events if e.kind == "received" and e.data["message"] == "I9").data)
    stage.write("case-started", attempt=2)
    if not over:
        stray(stage, late, attempt=attempt)
    again = replace(stage, events=[])
    again.play().end()
    for event in again.events[1:]:
        stage.write(event.kind, event.step, **event.data)
    stage.store.update(again.store)
    if over:
        stray(stage, late, attempt=attempt)
    assert codes(stage.judge()) == ([] if over else found)
    run = judge_run(stage.plan, world.pack, stage.events, stage.store.__getitem__)
    repeated = [each.code for each in run.findings if each.check != "exchange"]
    assert repeated == (["repeated"] if over and attempt == 2 else [])
