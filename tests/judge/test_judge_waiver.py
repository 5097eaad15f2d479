"""A waiver excuses a failure, hides nothing, and is never conformant."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from judge.stage import World

from harness.errors import ConfigurationFault
from harness.evidence.model import Event
from harness.judge.model import CaseVerdict, RunVerdict, Status, Verdict
from harness.judge.run import RunJudgement, summarise
from harness.judge.waiver import apply_waivers, excused_by
from harness.scenario.plan import Plan
from harness.scenario.waiver import Waiver

CASE = "lifecycle-I9-declaration-absent@platform"
START = Event(0, "run-started", "2026-03-01T09:00:00.000000Z", 0, None, None, {})


def waiver(case: str = CASE, requirement: str = "", expires: date = date(2026, 3, 1)) -> Waiver:
    return Waiver(case, requirement, "why", "https://x.example", "who", expires)


def planned(world: World, *waivers: Waiver, select: tuple[str, ...] = ()) -> Plan:
    plan = world.plan("platform", select=select)
    return replace(plan, parameters=replace(plan.parameters, waivers=waivers, adopt_assumed=True))


def judged(world: World, plan: Plan, **bad: Verdict) -> RunJudgement:
    verdicts = [
        CaseVerdict(case.id, word, "", (), dict.fromkeys(case.requirements, word))
        for case in plan.cases
        for word in [bad.get(case.id, Verdict.PASS)]
    ]
    everything = dict.fromkeys(world.pack.requirements, Verdict.PASS)
    verdicts[0] = replace(verdicts[0], requirements=everything)
    return summarise(plan, world.pack, verdicts, (START,), {}.__getitem__)


def without(plan: Plan) -> Plan:
    return replace(plan, parameters=replace(plan.parameters, waivers=()))


@pytest.mark.parametrize("word", [Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.NOT_RUN])
def test_a_waived_failure_stays_visible_and_is_not_conformant(world: World, word: Verdict) -> None:
    plan = planned(world, waiver())
    alone = judged(world, without(plan), **{CASE: word})
    assert alone.verdict is not RunVerdict.CONFORMANT
    judgement = judged(world, plan, **{CASE: word})
    assert judgement.verdict is RunVerdict.NOT_FULLY_VERIFIED
    assert judgement.reason == f"It stands on waivers: {CASE}"
    assert [each.verdict for each in judgement.cases if each.case == CASE] == [word]
    assert judgement.requirements == alone.requirements
    assert judgement.counts == alone.counts
    (applied,) = judgement.waivers
    assert (applied.state, applied.cases) == ("used", (CASE,))


def test_a_requirement_can_be_waived_with_all_its_cases(world: World) -> None:
    plan = planned(world)
    requirement = next(case.requirements[0] for case in plan.cases if case.id == CASE)
    touching = [case.id for case in plan.cases if requirement in case.requirements and not case.is_control]
    plan = planned(world, waiver("", requirement))
    judgement = judged(world, plan, **dict.fromkeys(touching, Verdict.FAIL))
    assert set(judgement.waivers[0].cases) >= set(touching)
    assert Status.FAILED in {each.status for each in judgement.requirements if each.id == requirement}
    assert judgement.verdict is RunVerdict.NOT_FULLY_VERIFIED


def test_another_failure_is_not_excused(world: World) -> None:
    plan = planned(world, waiver())
    other = next(case.id for case in plan.cases if case.id != CASE and case.negative and not case.is_control)
    judgement = judged(world, plan, **{CASE: Verdict.FAIL, other: Verdict.FAIL})
    assert judgement.verdict is RunVerdict.NOT_CONFORMANT


def test_a_harness_error_is_never_excused(world: World) -> None:
    judgement = judged(world, planned(world, waiver()), **{CASE: Verdict.HARNESS_ERROR})
    assert judgement.waivers[0].state == "stale"
    assert judgement.verdict is RunVerdict.NOT_FULLY_VERIFIED
    assert "waiver" not in judgement.reason


@pytest.mark.parametrize(
    ("expires", "word", "state", "reason"),
    [
        (date(2026, 3, 1), Verdict.PASS, "stale", "stale"),
        (date(2026, 2, 28), Verdict.PASS, "expired", "expired"),
    ],
)
def test_a_stale_or_expired_waiver_fails_the_run(
    world: World, expires: date, word: Verdict, state: str, reason: str
) -> None:
    plan = planned(world, waiver(expires=expires))
    assert judged(world, without(plan)).verdict is RunVerdict.CONFORMANT
    judgement = judged(world, plan, **{CASE: word})
    assert judgement.waivers[0].state == state
    assert judgement.verdict is RunVerdict.NOT_FULLY_VERIFIED
    assert reason in judgement.reason


def test_an_expired_waiver_excuses_nothing(world: World) -> None:
    judgement = judged(world, planned(world, waiver(expires=date(2026, 2, 28))), **{CASE: Verdict.FAIL})
    assert judgement.verdict is RunVerdict.NOT_CONFORMANT


def test_a_waiver_of_a_case_that_was_not_selected_is_unused(world: World) -> None:
    other = next(case.id for case in planned(world).cases if case.id != CASE and not case.is_control)
    plan = planned(world, waiver(), select=(other,))
    assert judged(world, plan).waivers[0].state == "unused"


def test_a_plan_refuses_a_waiver_of_what_there_is_not(world: World) -> None:
    with pytest.raises(ConfigurationFault, match="stale"):
        world.plan("platform", waivers=(waiver("no-such-case@platform"),))


def test_a_waiver_of_a_case_does_not_excuse_what_the_run_as_a_whole_broke() -> None:
    bad = CaseVerdict(CASE, Verdict.FAIL, "", (), {"R": Verdict.FAIL})
    applied = apply_waivers((waiver(),), None, (bad,))
    assert excused_by(applied, (bad,)).requirements == {"R"}
    assert excused_by(applied, (bad,), {"R"}).requirements == frozenset()


@pytest.mark.parametrize(("also", "excused"), [(Verdict.PASS, {CASE}), (Verdict.FAIL, set()), (Verdict.NOT_RUN, set())])
def test_a_waiver_of_a_requirement_excuses_nothing_else_in_its_cases(also: Verdict, excused: set[str]) -> None:
    bad = CaseVerdict(CASE, Verdict.FAIL, "", (), {"R": Verdict.FAIL, "OTHER": also})
    for given in (("R",), ("R", "OTHER")):
        applied = apply_waivers([waiver("", name) for name in given], None, (bad,))
        found = excused_by(applied, (bad,))
        assert applied[0].state == "used"
        assert found.cases == (excused if len(given) == 1 else {CASE})
        assert ("OTHER" in found.requirements) is (len(given) == 2 and also is not Verdict.PASS)


def test_a_waiver_of_a_requirement_does_not_excuse_a_failure_that_is_put_down_to_none() -> None:
    bad = CaseVerdict(CASE, Verdict.FAIL, "", (), {"R": Verdict.INCONCLUSIVE})
    assert excused_by(apply_waivers((waiver("", "R"),), None, (bad,)), (bad,)).cases == frozenset()
