"""One case before the judge: everything right passes, and each single thing that is wrong has its own word."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Literal

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from judge.stage import Stage, World

from harness.check.model import Finding
from harness.evidence.model import Event
from harness.exchange.resume import is_spoiled
from harness.judge.attempt import events_by_case
from harness.judge.case import judge_case
from harness.judge.model import CaseVerdict, Verdict
from harness.judge.requirement import requirement_verdicts
from harness.judge.step import DEPARTED, Seen, allowance
from harness.pack.model import Outcome
from harness.scenario.model import OVERDUE
from harness.scenario.plan import Plan
from harness.scenario.project import exchanges
from harness.security.model import Identity

ACCEPTED = "lifecycle-I9-accepted@platform"
REFUSED = "lifecycle-I9-declaration-absent@platform"
TOLD = "lifecycle-I9-declaration-absent@departure"


def finding(verdict: CaseVerdict, step: str) -> list[tuple[str, str]]:
    return [(found.check, found.code) for each in verdict.steps if each.step == step for found in each.findings]


@pytest.mark.parametrize("case", [ACCEPTED, REFUSED, TOLD])
def test_a_case_in_which_everything_is_right_passes_without_a_finding(world: World, case: str) -> None:
    role = "customs" if case == TOLD else "platform"
    stage = world.stage(world.plan(role), case).play()
    if case == TOLD:
        stage.write("quiet", "quiet-I11", message="I11", party="customs.departure", since="1", until="2")
        stage.write("state", "probe-operation", object="operation", key={}, state="none")
    verdict = stage.end().judge()
    assert not [found for step in verdict.steps for found in step.findings]
    assert verdict.verdict is Verdict.PASS, verdict.reason


@pytest.mark.parametrize(
    ("case", "shows"),
    [
        (ACCEPTED, "Answered as expected: accepted."),
        (REFUSED, "Answered as expected: error 220 at /."),
        (TOLD, "As expected, the operation is none."),
    ],
)
def test_the_reason_of_a_case_that_passed_is_what_shows_its_purpose(world: World, case: str, shows: str) -> None:
    stage = world.stage(world.plan("customs" if case == TOLD else "platform"), case).play()
    if case == TOLD:
        stage.write("quiet", "quiet-I11", message="I11", party="customs.departure", since="1", until="2")
        stage.write("state", "probe-operation", object="operation", key={}, state="none")
    assert stage.end().judge().reason == shows


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"defect": "signature/missing"}, ("signature", "missing")),
        ({"defect": "signature/body-altered"}, ("signature", "digest-mismatch")),
        ({"defect": "certificate/foreign-ca"}, ("certificate", "untrusted")),
        ({"values": {"in_reply_to": "OTHER"}}, ("correlation", "wrong-reference")),
        ({"values": {"recipient_id": "NOBODY"}}, ("consistency", "recipient_id")),
        ({"change": lambda data: data[: len(data) // 2]}, ("envelope", "not-well-formed")),
        ({"values": {"reference": None}}, ("schema", "101")),
    ],
)
def test_each_thing_that_is_wrong_in_an_answer_is_found_and_fails(
    world: World, change: dict[str, Any], found: tuple[str, str]
) -> None:
    verdict = world.stage(world.plan("platform"), ACCEPTED).play(I9=change).end().judge()
    assert verdict.verdict is Verdict.FAIL
    assert found in finding(verdict, "I9")


@pytest.mark.parametrize(("ended", "word"), [("cancelled", Verdict.FAIL), ("complete", Verdict.PASS)])
def test_what_a_cut_off_attempt_has_proven_stays_proven(world: World, ended: str, word: Verdict) -> None:
    """A case that ended is played again only where it decided nothing; one that was cut off, by whoever resumes."""
    stage = world.stage(world.plan("platform"), ACCEPTED).play(I9={"defect": "signature/missing"}).end(ended)
    assert stage.judge().verdict is Verdict.FAIL
    assert stage.play().end().judge().verdict is word


def of_the_run(stage: Stage, kind: str, **data: Any) -> None:
    """An event of the run as a whole."""
    stage.events.append(stage.write(kind, **data)._replace(case=None))
    del stage.events[-2]


def judged(stage: Stage) -> CaseVerdict:
    """As the case is judged later, from the events of the whole run."""
    own = events_by_case([stage.case.id], stage.events)[stage.case.id]
    return judge_case(stage.case, stage.plan, stage.world.pack, own, stage.store.__getitem__)


def test_what_happens_when_the_run_goes_on_is_nothing_to_a_case_that_was_cut_off(world: World) -> None:
    stage = world.stage(world.plan("platform"), ACCEPTED).play(I9={"error": ("300", "/")})
    cut = judged(stage)
    assert cut.verdict is Verdict.FAIL
    of_the_run(stage, "run-resumed")
    of_the_run(stage, "lag", seconds=60.0)
    assert judged(stage) == cut


def test_a_repetition_stands_for_itself_also_behind_an_attempt_that_was_cut_off(world: World) -> None:
    """Live it is judged from its own events; what was before stands beside it."""
    stage = world.stage(world.plan("platform"), ACCEPTED).play(I9={"error": ("300", "/")}).end("cancelled")
    of_the_run(stage, "run-repeated", cases=[ACCEPTED])
    stage.play().end()
    assert judged(stage).verdict is Verdict.PASS


@pytest.mark.parametrize("code", ["220", "200"])
def test_what_another_demand_breaks_does_not_settle_the_purpose(world: World, code: str) -> None:
    """Another legal answer leaves the purpose open, whatever else is wrong with it."""
    wrong = {"error": (code, "/"), "values": {"in_reply_to": "OTHER"}}
    verdict = world.stage(world.plan("platform"), REFUSED).play(I9=wrong).end().judge()
    assert verdict.requirements["ETIR-ANS-REFERENCE"] is Verdict.FAIL
    assert verdict.requirements["ETIR-I9-220"] is (Verdict.PASS if code == "220" else Verdict.INCONCLUSIVE)


def test_a_purpose_that_the_case_did_not_come_to_is_not_met(world: World) -> None:
    """A legal refusal of the set-up leads another way; that the message is wrong besides changes nothing about it."""
    stage = world.stage(world.plan("platform"), REFUSED).play(E1={"defect": "signature/missing"}).end()
    steps = [
        replace(step, verdict=Verdict.NOT_APPLICABLE, unsaid=Verdict.NOT_APPLICABLE, reason=DEPARTED)
        if step.step in stage.case.purpose_steps
        else step
        for step in stage.judge().steps
    ]
    touched = requirement_verdicts(stage.case, world.pack, steps, {}, Verdict.FAIL)
    assert touched["ETIR-I9-220"] is Verdict.INCONCLUSIVE


def signed_by(plan: Plan, *identities: Identity) -> Plan:
    signers = tuple(each.certificate.fingerprint(SHA256()).hex() for each in identities)
    return replace(plan, subject=replace(plan.subject, signers=signers))


def test_whoever_else_the_authority_certified_does_not_speak_for_the_system(world: World) -> None:
    plan = signed_by(world.plan("platform"), world.sut)
    verdict = world.stage(plan, ACCEPTED).play(I9={"signer": world.other}).end().judge()
    assert finding(verdict, "I9") == [("certificate", "wrong-party")]
    assert verdict.verdict is Verdict.FAIL
    assert {name for name, each in verdict.requirements.items() if each is Verdict.FAIL} == {"ETIR-SEC-SIGNER"}


def test_a_system_may_sign_with_each_certificate_that_it_named(world: World) -> None:
    plan = signed_by(world.plan("platform"), world.sut, world.other)
    verdict = world.stage(plan, ACCEPTED).play(I9={"signer": world.other}).end().judge()
    assert verdict.verdict is Verdict.PASS
    assert verdict.requirements["ETIR-SEC-SIGNER"] is Verdict.PASS
    assert "ETIR-SEC-SIGNER-STEADY" not in verdict.requirements


def test_a_wrong_signature_is_not_said_to_be_of_anybody(world: World) -> None:
    plan = signed_by(world.plan("platform"), world.sut)
    for wrong in ({"defect": "certificate/foreign-ca"}, {"signer": world.other, "defect": "signature/value-corrupt"}):
        verdict = world.stage(plan, ACCEPTED).play(I9=wrong).end().judge()
        assert ("certificate", "wrong-party") not in finding(verdict, "I9")


def test_a_stale_message_of_another_party_is_both(world: World) -> None:
    plan = signed_by(world.plan("platform"), world.sut)
    verdict = world.stage(plan, ACCEPTED).play(I9={"signer": world.other, "defect": "timestamp/stale"}).end().judge()
    assert {("timestamp", "stale"), ("certificate", "wrong-party")} <= set(finding(verdict, "I9"))


def test_where_nobody_named_certificates_a_change_is_a_warning(world: World) -> None:
    verdict = world.stage(world.plan("platform"), ACCEPTED).play(I9={"signer": world.other}).end().judge()
    assert finding(verdict, "I9") == [("certificate", "changed")]
    assert verdict.verdict is Verdict.WARNING
    assert verdict.requirements["ETIR-SEC-SIGNER-STEADY"] is Verdict.WARNING
    assert "ETIR-SEC-SIGNER" not in verdict.requirements


def test_what_is_only_information_takes_no_warning_back(world: World) -> None:
    stage = world.stage(world.plan("platform"), ACCEPTED).play().end()
    verdict = stage.judge()
    told = (Finding("example", "seen", "Something was seen.", severity="info"),)
    steps = [
        replace(step, verdict=Verdict.WARNING, findings=told) if step.step == "I9" else step for step in verdict.steps
    ]
    assert requirement_verdicts(stage.case, world.pack, steps, {}, Verdict.WARNING)["ETIR-I9-OK"] is Verdict.WARNING


def test_a_finding_breaks_its_own_requirement_and_not_the_purpose(world: World) -> None:
    wrong = {"values": {"in_reply_to": "OTHER"}}
    verdict = world.stage(world.plan("platform"), ACCEPTED).play(I9=wrong).end().judge()
    failed = {name for name, each in verdict.requirements.items() if each is Verdict.FAIL}
    assert len(failed) == 1
    assert failed.isdisjoint({"ETIR-I9-OK"})
    assert verdict.requirements["ETIR-I9-OK"] is Verdict.PASS


def test_a_refusal_that_should_not_be_is_a_fail_of_the_purpose(world: World) -> None:
    verdict = world.stage(world.plan("platform"), ACCEPTED).play(I9={"error": ("300", "/")}).end().judge()
    assert verdict.verdict is Verdict.FAIL
    assert verdict.requirements["ETIR-I9-OK"] is Verdict.FAIL
    assert "error 300" in verdict.reason


def test_the_wrong_code_and_the_wrong_pointer_fail(world: World) -> None:
    for error in (("210", "/"), ("220", "/ObligationGuarantee/ReferenceID")):
        verdict = world.stage(world.plan("platform"), REFUSED).play(I9={"error": error}).end().judge()
        assert verdict.verdict is Verdict.FAIL, error


def test_another_legal_refusal_is_inconclusive(world: World) -> None:
    verdict = world.stage(world.plan("platform"), REFUSED).play(I9={"error": ("200", "/")}).end().judge()
    assert verdict.verdict is Verdict.INCONCLUSIVE


def test_a_refusal_that_changed_the_records_shows_when_asked_again(world: World) -> None:
    stage = world.stage(world.plan("platform"), REFUSED).play(**{"I9.again": {"error": ("210", "/")}})
    assert stage.end().judge().verdict is Verdict.FAIL


def test_a_set_up_that_fails_is_inconclusive(world: World) -> None:
    stage = world.stage(world.plan("platform"), REFUSED)
    stage.write("case-started", attempt=1)
    stage.exchange("E1", error=("300", "/"))
    verdict = stage.end("stopped", "Set-up failed.").judge()
    assert verdict.verdict is Verdict.INCONCLUSIVE
    assert "Set-up failed" in verdict.reason


def test_what_a_check_finds_in_the_set_up_counts(world: World) -> None:
    wrong = {"defect": "signature/missing"}
    assert world.stage(world.plan("platform"), REFUSED).play(E1=wrong).end().judge().verdict is Verdict.FAIL


def without_answer(world: World) -> Stage:
    """The case up to its last request, which the platform never answers."""
    stage = world.stage(world.plan("platform"), ACCEPTED)
    stage.write("case-started", attempt=1)
    for name in ("E1", "I1", "I7"):
        stage.exchange(name)
    stage.send(stage.step("I9"), "request")
    stage.write("silence", "I9", message="I10", sender="platform", receiver="customs.departure", since="1", until="2")
    return stage


def test_silence_is_a_fail_of_its_own_requirement(world: World) -> None:
    stage = without_answer(world)
    verdict = stage.end("stopped").judge()
    assert verdict.verdict is Verdict.FAIL
    assert ("timing", "no-answer") in finding(verdict, "I9")


def test_the_environment_is_nobodys_fault(world: World) -> None:
    stage = world.stage(world.plan("platform"), ACCEPTED)
    stage.write("case-started", attempt=1)
    stage.write(
        "failed", "E1", role="answer", message="E2", outcome={"kind": "closed"}, text="No route.", blame="environment"
    )
    assert stage.end("stopped").judge().verdict is Verdict.INCONCLUSIVE


def test_a_fault_of_the_harness_is_never_counted_against_the_sut(world: World) -> None:
    stage = world.stage(world.plan("platform"), ACCEPTED).play(I9={"defect": "signature/missing"})
    stage.write("fault", "I9", text="Our own message is not valid.")
    verdict = stage.end("stopped").judge()
    assert verdict.verdict is Verdict.HARNESS_ERROR
    assert verdict.reason == "Our own message is not valid."


def test_a_notification_that_is_owed_and_missing_fails_its_requirement(world: World) -> None:
    stage = world.stage(world.plan("platform"), ACCEPTED)
    stage.write("case-started", attempt=1)
    for name in ("E1", "I1", "I7", "I9"):
        stage.exchange(name)
    owed = next(step for step in map(stage.step, ["I9/customs-told-started>customs.transit"]))
    stage.write("silence", owed.id, message="I15", sender="platform", receiver=owed.receiver, since="1", until="2")
    verdict = stage.end().judge()
    assert verdict.verdict is Verdict.FAIL
    assert verdict.requirements[str(owed.requirement)] is Verdict.FAIL


@pytest.mark.parametrize(("level", "word"), [("MUST", Verdict.FAIL), ("SHOULD", Verdict.WARNING)])
def test_what_should_be_accepted_and_is_not_is_decided(world: World, level: Any, word: Verdict) -> None:
    """The case stops at the refusal, and there is nothing more that it asks."""
    stage = world.stage(world.plan("platform"), ACCEPTED)
    last = stage.step("I9")
    stage.case = replace(stage.case, requirements=("ETIR-READ-RARE",), purpose_steps=(last.id,))
    demand = replace(world.pack.requirements["ETIR-READ-RARE"], level=level)
    pack = replace(world.pack, requirements={**world.pack.requirements, "ETIR-READ-RARE": demand})
    stage.play(I9={"status": 500, "change": lambda _: b""}).end("stopped")
    verdict = judge_case(stage.case, stage.plan, pack, stage.events, stage.store.__getitem__)
    assert (verdict.verdict, verdict.requirements["ETIR-READ-RARE"]) == (word, word)


def lagging(stage: Stage, *seconds: float, apart: float = 0) -> None:
    """Our own loop was late, each time so many seconds after the time before."""
    for number, late in enumerate(seconds):
        of_the_run(stage, "lag", seconds=late)
        at = datetime.fromisoformat(stage.events[-1].at) + timedelta(seconds=number * apart)
        stage.events[-1] = stage.events[-1]._replace(at=at.isoformat())


def silent(stage: Stage, *seconds: float, apart: float = 0) -> Stage:
    """A notification that never came, where our own loop was late before."""
    stage.write("case-started", attempt=1)
    for name in ("E1", "I1", "I7", "I9"):
        stage.exchange(name)
    owed = stage.step("I9/customs-told-started>customs.transit")
    lagging(stage, *seconds, apart=apart)
    stage.write("silence", owed.id, message="I15", sender="platform", receiver=owed.receiver, since="1", until="2")
    return stage.end()


HELD_UP = [((0.5,), False), ((4.9,), False), ((5.0,), True), ((60.0,), True), ((2.5, 2.5), True), ((2.4, 2.4), False)]
"""Seconds, and whether that is half the time of an answer."""


@pytest.mark.parametrize(("seconds", "held_up"), HELD_UP)
def test_what_comes_of_our_own_being_held_up_proves_nothing(
    world: World, seconds: tuple[float, ...], held_up: bool
) -> None:
    stage = silent(world.stage(world.plan("platform"), ACCEPTED), *seconds)
    owed = stage.step("I9/customs-told-started>customs.transit")
    verdict = stage.judge()
    assert verdict.verdict is (Verdict.INCONCLUSIVE if held_up else Verdict.FAIL)
    assert (verdict.requirements[str(owed.requirement)] is Verdict.FAIL) is not held_up
    assert is_spoiled(verdict, stage.events) is held_up


@pytest.mark.parametrize(("apart", "word"), [(9.9, Verdict.INCONCLUSIVE), (10.1, Verdict.FAIL)])
def test_short_absences_count_together_within_the_time_of_an_answer(world: World, apart: float, word: Verdict) -> None:
    assert silent(world.stage(world.plan("platform"), ACCEPTED), 3, 3, 3, apart=apart).judge().verdict is word


def test_who_waits_for_less_gives_up_sooner(world: World) -> None:
    """An objection that came while we were away for half of its second is not heard as one."""
    plan, pack = world.plan("platform"), world.pack
    timers = {**plan.parameters.timers, "objection": timedelta(seconds=1)}
    plan = replace(plan, parameters=replace(plan.parameters, timers=timers))
    stage = silent(world.stage(plan, ACCEPTED), 0.5)
    assert stage.judge().verdict is Verdict.FAIL
    hasty = replace(pack.messages["I15"], within="objection")
    pack = replace(pack, messages={**pack.messages, "I15": hasty})
    assert judge_case(stage.case, plan, pack, stage.events, stage.store.__getitem__).verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(("seconds", "held_up"), HELD_UP)
def test_nothing_is_quiet_while_nobody_listens(world: World, seconds: tuple[float, ...], held_up: bool) -> None:
    stage = world.stage(world.plan("customs"), TOLD).play()
    lagging(stage, *seconds)
    stage.write("quiet", "quiet-I11", message="I11", party="customs.departure", since="1", until="2")
    stage.write("state", "probe-operation", object="operation", key={}, state="none")
    assert stage.end().judge().verdict is (Verdict.INCONCLUSIVE if held_up else Verdict.PASS)


@pytest.mark.parametrize("seconds", [0.5, 60.0])
def test_what_a_message_itself_shows_stays_shown(world: World, seconds: float) -> None:
    stage = world.stage(world.plan("platform"), ACCEPTED).play(I9={"defect": "signature/missing"})
    lagging(stage, seconds)
    assert stage.end().judge().verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("defect", "expected"),
    [
        (None, Verdict.FAIL),
        ("signature/missing", Verdict.INCONCLUSIVE),
        ("signature/body-altered", Verdict.INCONCLUSIVE),
    ],
)
def test_a_sut_that_goes_on_although_refused_fails_where_its_signature_bears_it_out(
    world: World, defect: str | None, expected: Verdict
) -> None:
    """What is held against a system is borne out by its signature, which the record shows."""
    stage = world.stage(world.plan("customs"), TOLD).play()
    step = stage.step("I9")
    stage.send(replace(step, id="quiet-I11", message="I11"), "request", defect=defect)
    came = stage.events[-1]
    assert (came.kind, came.data["message"]) == ("received", "I11")
    stage.write("quiet", "quiet-I11", message="I11", party="customs.departure", since="1", until="2")
    stage.write("state", "probe-operation", object="operation", key={}, state="none")
    verdict = stage.end().judge()
    watched = next(each for each in verdict.steps if each.step == "quiet-I11")
    assert verdict.verdict is watched.verdict is expected
    assert watched.signatures[came.seq].trusted is (defect is None)


def test_a_state_that_changed_although_refused_fails(world: World) -> None:
    stage = world.stage(world.plan("customs"), TOLD).play()
    stage.write("quiet", "quiet-I11", message="I11", party="customs.departure", since="1", until="2")
    stage.write("state", "probe-operation", object="operation", key={}, state="started")
    assert stage.end().judge().verdict is Verdict.FAIL


def test_a_sut_that_never_sends_is_a_time_out_and_no_fail(world: World) -> None:
    stage = world.stage(world.plan("customs"), TOLD)
    stage.write("case-started", attempt=1)
    stage.exchange("E1")
    stage.write("control-answer", "I1", status=202, body={})
    stage.write("silence", "I1", message="I1", sender="customs.departure", receiver="platform", since="1", until="2")
    verdict = stage.end("stopped").judge()
    assert verdict.verdict is Verdict.INCONCLUSIVE
    assert verdict.reason.startswith("Time-out")


@pytest.mark.parametrize(
    ("receiver", "when", "named"),
    [("platform", "waiting", True), ("chain", "waiting", False), ("platform", "before", False)],
)
def test_a_time_out_names_what_came_meanwhile_and_cannot_be_read(
    world: World, receiver: str, when: str, named: bool
) -> None:
    stage = world.stage(world.plan("customs"), TOLD)
    stage.write("case-started", attempt=1)
    head = {"line": f"POST /{receiver} HTTP/1.1", "headers": []}

    def disturb() -> None:
        stage.write("unmatched", receiver=receiver, digest=stage.keep(b"hello"), head=head)
        stage.events[-1] = stage.events[-1]._replace(case=None)

    if when == "before":
        disturb()
    stage.write("waiting", "I1", message="I1", sender="customs.departure", receiver="platform", until="2")
    if when == "waiting":
        disturb()
    stage.write("silence", "I1", message="I1", sender="customs.departure", receiver="platform", since="1", until="2")
    verdict = stage.end("stopped").judge()
    assert verdict.verdict is Verdict.INCONCLUSIVE
    assert ("cannot be read" in verdict.reason) is named


@pytest.mark.parametrize(
    ("when", "blames", "named"),
    [
        ("waiting", ("environment",), "from 0"),
        ("waiting", ("environment", "environment"), "from 0"),
        ("waiting", ("environment", "sut", "environment"), "from 1"),
        ("before", ("sut",), None),
    ],
)
def test_a_time_out_names_what_failed_at_our_port_meanwhile(
    world: World, when: str, blames: tuple[str, ...], named: str | None
) -> None:
    stage = world.stage(world.plan("customs"), TOLD)
    stage.write("case-started", attempt=1)

    def fail() -> None:
        for number, blame in enumerate(blames):
            stage.write("failed", role="request", text=f"The handshake failed, from {number}.", blame=blame)
            stage.events[-1] = stage.events[-1]._replace(case=None)

    if when == "before":
        fail()
    stage.write("waiting", "I1", message="I1", sender="customs.departure", receiver="platform", until="2")
    if when == "waiting":
        fail()
    stage.write("silence", "I1", message="I1", sender="customs.departure", receiver="platform", since="1", until="2")
    verdict = stage.end("stopped").judge()
    assert verdict.verdict is Verdict.INCONCLUSIVE
    assert ("failed at our port" in verdict.reason) is (named is not None)
    assert named is None or verdict.reason.endswith(f"The handshake failed, {named}.")


def test_a_request_that_comes_too_early_is_illegal(world: World) -> None:
    stage = world.stage(world.plan("customs"), "lifecycle-I9-accepted@departure")
    stage.write("case-started", attempt=1)
    stage.exchange("E1")
    stage.exchange("I1")
    stage.exchange("I9")
    verdict = stage.end("stopped").judge()
    assert ("legality", "220") in finding(verdict, "I9")


def test_a_reference_is_never_used_twice(world: World) -> None:
    stage = world.stage(world.plan("customs"), "lifecycle-I9-accepted@departure")
    verdict = stage.play(I7={"values": {"reference": "REF-3"}}).end().judge()
    assert ("correlation", "reference-reused") in finding(verdict, "I7")


@pytest.mark.parametrize(
    ("ended", "expected"),
    [("cancelled", Verdict.NOT_RUN), ("no-data", Verdict.NOT_RUN), ("stopped", Verdict.INCONCLUSIVE)],
)
def test_how_a_case_ended_counts(world: World, ended: str, expected: Verdict) -> None:
    assert world.stage(world.plan("platform"), ACCEPTED).play().end(ended).judge().verdict is expected


def test_a_record_that_is_cut_off_or_empty_is_not_run(world: World) -> None:
    stage = world.stage(world.plan("platform"), ACCEPTED)
    assert stage.judge().verdict is Verdict.NOT_RUN
    assert stage.play().judge().verdict is Verdict.NOT_RUN


def test_the_last_attempt_is_the_one_that_is_judged(world: World) -> None:
    stage = world.stage(world.plan("platform"), ACCEPTED).play(I9={"error": ("300", "/")}).end()
    stage.play().end()
    assert stage.judge().verdict is Verdict.PASS


def test_judging_twice_gives_the_same(world: World) -> None:
    stage = world.stage(world.plan("platform"), ACCEPTED).play().end()
    assert stage.judge() == stage.judge()


@pytest.mark.parametrize(
    ("level", "late", "expected"),
    [
        ("MUST", 0, Verdict.PASS),
        ("MUST", 20, Verdict.INCONCLUSIVE),
        ("MUST", 200, Verdict.FAIL),
        ("SHOULD", 0, Verdict.PASS),
        ("SHOULD", 20, Verdict.PASS),
        ("SHOULD", 200, Verdict.WARNING),
    ],
)
def test_a_limit_missed_by_less_than_our_uncertainty_decides_nothing(
    world: World, level: Literal["MUST", "SHOULD"], late: int, expected: Verdict
) -> None:
    stage = world.stage(world.plan("platform"), ACCEPTED).play().end()
    budget = stage.plan.parameters.timers["answer"].total_seconds() * 1e3
    request, answer = (event for event in stage.events if event.step == "I9" and event.kind in ("sent", "received"))
    number = stage.events.index(answer)
    stage.events[number] = answer._replace(mono=request.mono + int(budget + late) * 1_000_000)
    demand = replace(world.pack.requirements["ETIR-ANS-TIME"], level=level)
    pack = replace(world.pack, requirements={**world.pack.requirements, demand.id: demand})
    verdict = judge_case(stage.case, stage.plan, pack, stage.events, stage.store.__getitem__)
    assert verdict.verdict is expected
    assert finding(verdict, "I9") == ([("timing", "late")] if late == 200 else [])
    if late == 200:
        assert verdict.requirements["ETIR-ANS-TIME"] is expected
        assert verdict.requirements["ETIR-I9-OK"] is Verdict.PASS


SLOW = "delivery/delayed"


@pytest.mark.parametrize(
    ("answers", "seconds"),
    [
        ([(SLOW, "sent", 0, 12.5)], 12.5),
        ([(SLOW, "sent", 0, 40)], 12.5),
        ([(SLOW, "received", 0, 12.5)], 0),
        ([(None, "sent", 0, 40)], 0),
        ([("delivery/other-request", "sent", 0, 40)], 0),
        ([(SLOW, "sent", 0, 12.5), (SLOW, "sent", 0, 12.5)], 12.5),
        ([(SLOW, "sent", 5, 17.5), (SLOW, "sent", 0, 12.5)], 17.5),
        ([(SLOW, "sent", 0, 12.5), (SLOW, "sent", 20, 32.5)], 25),
        ([(SLOW, "sent", 0, 12.5), (None, "sent", 0, 40)], 12.5),
        ([], 0),
    ],
)
@pytest.mark.parametrize("deeper", [False, True])
def test_a_system_may_take_longer_by_as_long_as_we_hold_answers_back(
    world: World, answers: list[tuple[str | None, str, float, float]], seconds: float, deeper: bool
) -> None:
    case = next(each for each in world.plan("platform").cases if each.id == "forwarded-data-answer-late@platform")
    outer = next(step for step in exchanges(case.steps) if step.during)
    during, seen = [], {}
    for number, (defect, kind, *times) in enumerate(answers):
        during.append(replace(outer.during[0], id=str(number), answer_defect=defect))
        request, answer = (
            Event(0, each, "", int(mono * 1e9), case.id, str(number), {})
            for each, mono in zip(("received", kind), times, strict=True)
        )
        seen[str(number)] = Seen(at={"request": request, "answer": answer})
    between = replace(outer.during[0], id="between", answer_defect=None, during=tuple(during))
    asked = replace(outer, during=(between,) if deeper else tuple(during))
    limits = dict.fromkeys((outer.id, "between", *seen), timedelta(seconds=10))
    assert allowance(asked, seen, limits) == timedelta(seconds=seconds)
    assert allowance(asked, {}, limits) == timedelta()


HELD = "0.200 s after its time limit and the 12.5 s for which"


@pytest.mark.parametrize(("late", "words"), [(-200, ""), (200, HELD)])
def test_the_record_shows_the_time_limit_of_the_plan_whatever_we_held_back(world: World, late: int, words: str) -> None:
    stage = world.stage(world.plan("platform"), "forwarded-data-answer-late@platform").play()
    limit = stage.plan.parameters.timers["answer"].total_seconds()
    inner = next(step for step in exchanges(stage.case.steps) if step.answer_defect)
    _, passed_on, ours, answer = (n for n, event in enumerate(stage.events) if event.step in ("E9", inner.id))
    start = stage.events[passed_on].mono - 1_000_000
    for number, later in ((ours, OVERDUE * limit * 1e3 + 1), (answer, (1 + OVERDUE) * limit * 1e3 + late)):
        stage.events[number] = stage.events[number]._replace(mono=start + int(later) * 1_000_000)
    step = next(each for each in stage.end().judge().steps if each.step == "E9")
    assert step.clocks["budget"] == f"{limit:g}"
    told = [found.message for found in step.findings if found.check == "timing"]
    assert [words in each for each in told] == ([True] if words else [])


def test_a_fault_of_the_run_counts_for_the_cases_that_were_open(world: World) -> None:
    plan = world.plan("platform", select=(ACCEPTED, REFUSED))
    first, second = world.stage(plan, ACCEPTED).play(), world.stage(plan, REFUSED).play()
    fault = first.write("fault", text="The listener broke.")._replace(case=None)
    events = [*first.events[:-1], fault, first.end().events[-1], *second.end().events]
    found = events_by_case([ACCEPTED, REFUSED], events)
    assert judge_case(first.case, plan, world.pack, found[ACCEPTED], first.store.__getitem__).verdict is (
        Verdict.HARNESS_ERROR
    )
    assert judge_case(second.case, plan, world.pack, found[REFUSED], second.store.__getitem__).verdict is Verdict.PASS


def test_an_answer_before_what_is_owed_inside_is_too_early(world: World) -> None:
    stage = world.stage(world.plan("platform"), "lifecycle-E9-accepted@platform")
    stage.write("case-started", attempt=1)
    for step in stage.case.steps[:-1]:
        stage.exchange(step.id)
    outer = stage.step("E9")
    stage.send(outer, "request")
    stage.send(outer, "answer")
    stage.exchange(outer.during[0].id)
    verdict = stage.end().judge()
    assert ("reaction", "too-early") in finding(verdict, "E9")
    assert verdict.requirements[str(outer.during[0].requirement)] is Verdict.FAIL


def test_a_missing_answer_fails_the_demand_of_its_step(world: World) -> None:
    stage = without_answer(world)
    assert stage.end("stopped").judge().requirements["ETIR-I9-OK"] is Verdict.FAIL


def test_a_should_that_is_not_met_is_a_warning(world: World) -> None:
    stage = world.stage(world.plan("platform"), "lifecycle-E1-duplicate@platform")
    stage.write("case-started", attempt=1)
    stage.exchange("E1")
    stage.exchange("E1.repeated", error=("400", "/"))
    verdict = stage.end().judge()
    assert verdict.verdict is Verdict.WARNING
    assert verdict.requirements["ETIR-E1-299"] is Verdict.WARNING


def permitting(stage: Stage, name: str, outcome: Outcome, word: Literal["inconclusive", "warning"]) -> Stage:
    """The same case, in which an exchange may legally end in another way."""

    def changed(step: Any) -> Any:
        expectation = getattr(step, "expectation", None)
        if step.id != name or expectation is None:
            return step
        return replace(step, expectation=replace(expectation, permitted=(outcome,), permitted_verdict=word))

    stage.case = replace(stage.case, steps=tuple(map(changed, stage.case.steps)))
    return stage


def refused_instead(world: World, word: Literal["inconclusive", "warning"]) -> Stage:
    """A message that should be accepted is legally refused, and nothing that the acceptance would cause comes."""
    stage = permitting(world.stage(world.plan("platform"), ACCEPTED), "I9", Outcome("error", "299"), word)
    stage.write("case-started", attempt=1)
    for name in ("E1", "I1", "I7"):
        stage.exchange(name)
    stage.exchange("I9", error=("299", "/"))
    for owed in (step for step in exchanges(stage.case.steps) if step.id.startswith("I9/")):
        stage.write("silence", owed.id, message=owed.message, sender="platform", receiver=owed.receiver, until="2")
    return stage.end("stopped", "I9 was answered with error 299, which the script does not go on from.")


@pytest.mark.parametrize(("word", "expected"), [("inconclusive", Verdict.INCONCLUSIVE), ("warning", Verdict.WARNING)])
def test_after_a_legal_refusal_nothing_of_the_acceptance_is_demanded(
    world: World, word: Literal["inconclusive", "warning"], expected: Verdict
) -> None:
    verdict = refused_instead(world, word).judge()
    assert verdict.verdict is expected, verdict.reason
    assert verdict.requirements["ETIR-I9-OK"] is expected
    owed = [step for step in verdict.steps if step.step.startswith("I9/")]
    assert owed
    assert {step.verdict for step in owed} == {Verdict.NOT_APPLICABLE}


def test_the_same_silence_fails_where_the_message_was_accepted(world: World) -> None:
    stage = refused_instead(world, "warning")
    stage.events, stage.references = [], 0
    stage.write("case-started", attempt=1)
    for name in ("E1", "I1", "I7", "I9"):
        stage.exchange(name)
    owed = next(step for step in exchanges(stage.case.steps) if step.id.startswith("I9/"))
    stage.write("silence", owed.id, message=owed.message, sender="platform", receiver=owed.receiver, until="2")
    assert stage.end().judge().verdict is Verdict.FAIL


def test_after_a_legal_acceptance_nothing_of_the_refusal_is_demanded(world: World) -> None:
    stage = permitting(world.stage(world.plan("platform"), REFUSED), "I9", Outcome("accepted"), "warning")
    stage.write("case-started", attempt=1)
    for name in ("E1", "I1"):
        stage.exchange(name)
    step = stage.step("I9")
    stage.send(step, "request")
    stage.send(step, "answer")
    verdict = stage.end("stopped").judge()
    assert verdict.verdict is Verdict.WARNING, verdict.reason


def test_what_checks_find_after_the_script_was_left_still_counts(world: World) -> None:
    stage = permitting(world.stage(world.plan("platform"), ACCEPTED), "I9", Outcome("error", "299"), "warning")
    stage.write("case-started", attempt=1)
    for name in ("E1", "I1", "I7"):
        stage.exchange(name)
    stage.exchange("I9", error=("299", "/"))
    stage.exchange("I9/customs-told-started>customs.transit", defect="signature/missing")
    assert stage.end("stopped").judge().verdict is Verdict.FAIL


@pytest.mark.parametrize(("observable", "state"), [(False, None), (True, None)])
def test_a_state_that_cannot_be_seen_is_for_a_person(world: World, observable: bool, state: str | None) -> None:
    plan = world.plan("customs")
    plan = replace(plan, subject=replace(plan.subject, observable=observable))
    stage = world.stage(plan, TOLD).play()
    stage.write("quiet", "quiet-I11", message="I11", party="customs.departure", since="1", until="2")
    for probe in ("probe-operation", "probe-guarantee"):
        stage.write("state", probe, object=probe.removeprefix("probe-"), key={}, state=state)
    verdict = stage.end().judge()
    assert verdict.verdict is Verdict.REVIEW, verdict.reason
    assert "customs.departure" in verdict.reason
