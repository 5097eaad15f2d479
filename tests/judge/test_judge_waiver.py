"""A waiver excuses a failure, hides nothing, and is never conformant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import pytest
from judge.stage import World

from harness.errors import ConfigurationFault
from harness.evidence.model import Event
from harness.judge.model import CaseVerdict, RunVerdict, Status, Verdict
from harness.judge.run import RunJudgement, summarise
from harness.judge.waiver import Excused, Waived, apply_waivers, excused_by
from harness.scenario.plan import Plan
from harness.scenario.waiver import Waiver

CASE = "lifecycle-I9-declaration-absent@platform"
PURPOSE = {CASE: ("R",), CASE + "~end": ("R",), "other": ("R",)}
START = Event(0, "run-started", "2026-03-01T09:00:00.000000Z", 0, None, None, {})


def waiver(case: str = CASE, requirement: str = "", expires: date = date(2026, 3, 1)) -> Waiver:
    return Waiver(case, requirement, "why", "https://x.example", "who", expires)


def planned(world: World, *waivers: Waiver, select: tuple[str, ...] = ()) -> Plan:
    plan = world.plan("platform", select=select)
    return replace(plan, parameters=replace(plan.parameters, waivers=waivers, adopt_assumed=True))


def judged(
    world: World, plan: Plan, touching: Mapping[str, Mapping[str, Verdict]] | None = None, **bad: Verdict
) -> RunJudgement:
    touching = touching or {}
    verdicts = [
        CaseVerdict(case.id, word, "", (), dict.fromkeys(case.requirements, word) | touching.get(case.id, {}))
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
    applied = apply_waivers((waiver(),), None, PURPOSE, (bad,))
    assert excused_by(applied, PURPOSE, (bad,)).requirements == {"R"}
    assert excused_by(applied, PURPOSE, (bad,), {"R"}).requirements == frozenset()


@pytest.mark.parametrize(("also", "excused"), [(Verdict.PASS, {CASE}), (Verdict.FAIL, set()), (Verdict.NOT_RUN, set())])
def test_a_waiver_of_a_requirement_excuses_nothing_else_in_its_cases(also: Verdict, excused: set[str]) -> None:
    bad = CaseVerdict(CASE, Verdict.FAIL, "", (), {"R": Verdict.FAIL, "OTHER": also})
    for given in (("R",), ("R", "OTHER")):
        applied = apply_waivers([waiver("", name) for name in given], None, PURPOSE, (bad,))
        found = excused_by(applied, PURPOSE, (bad,))
        assert applied[0].state == "used"
        assert found.cases == (excused if len(given) == 1 else {CASE})
        assert ("OTHER" in found.requirements) is (len(given) == 2 and also is not Verdict.PASS)


def test_a_waiver_of_a_requirement_does_not_excuse_a_failure_that_is_put_down_to_none() -> None:
    bad = CaseVerdict(CASE, Verdict.FAIL, "", (), {"R": Verdict.INCONCLUSIVE})
    assert excused_by(apply_waivers((waiver("", "R"),), None, PURPOSE, (bad,)), PURPOSE, (bad,)).cases == frozenset()


PURPOSE_AND_MORE = {"R": Verdict.FAIL, "SIGNED": Verdict.FAIL}


def both(*waivers: Waiver, **touched: Verdict) -> tuple[tuple[Waived, ...], Excused]:
    """What waivers make of one failed case that is for R."""
    bad = (CaseVerdict(CASE, Verdict.FAIL, "", (), touched or PURPOSE_AND_MORE),)
    applied = apply_waivers(waivers, None, PURPOSE, bad)
    return applied, excused_by(applied, PURPOSE, bad)


def test_a_waiver_of_a_case_excuses_only_what_the_case_is_for() -> None:
    (applied,), excused = both(waiver())
    assert (applied.state, applied.cases, applied.left) == ("used", (), ("SIGNED",))
    assert excused == Excused(frozenset(), frozenset({"R"}))
    (applied,), excused = both(waiver(), R=Verdict.FAIL)
    assert (applied.cases, applied.left) == ((CASE,), ())
    assert excused == Excused(frozenset({CASE}), frozenset({"R"}))


def test_what_else_breaks_in_a_waived_case_makes_the_run_fail(world: World) -> None:
    plan = planned(world, waiver())
    other = next(
        each.id
        for each in world.pack.requirements.values()
        if each.bearer == "platform"
        and each.level == "MUST"
        and each.id not in next(case.requirements for case in plan.cases if case.id == CASE)
    )
    judgement = judged(world, plan, touching={CASE: {other: Verdict.FAIL}}, **{CASE: Verdict.FAIL})
    assert judgement.verdict is RunVerdict.NOT_CONFORMANT
    assert judgement.reason == f"Failed: {other}"
    assert judgement.waivers[0].left == (other,)
    named = planned(world, waiver(), waiver(CASE, other))
    judgement = judged(world, named, touching={CASE: {other: Verdict.FAIL}}, **{CASE: Verdict.FAIL})
    assert judgement.on_waivers
    assert judgement.reason == f"It stands on waivers: {CASE}, {CASE}/{other}"


def test_a_requirement_can_be_waived_in_one_case_only() -> None:
    (_, applied), excused = both(waiver(), waiver(CASE, "SIGNED"))
    assert (applied.state, applied.cases, applied.left) == ("used", (CASE,), ())
    assert excused == Excused(frozenset({CASE}), frozenset({"R", "SIGNED"}))
    (applied,), excused = both(waiver(CASE, "SIGNED"))
    assert (applied.cases, applied.left) == ((), ("R",))
    assert excused == Excused(frozenset(), frozenset({"SIGNED"}))
    elsewhere = [CaseVerdict(name, Verdict.FAIL, "", (), {"SIGNED": Verdict.FAIL}) for name in (CASE, "other")]
    applied_there = apply_waivers((waiver(CASE, "SIGNED"),), None, PURPOSE, elsewhere)
    assert applied_there[0].cases == (CASE,)
    assert excused_by(applied_there, PURPOSE, elsewhere) == Excused(frozenset({CASE}), frozenset())


def test_a_requirement_that_is_waived_in_a_case_and_met_there_is_stale() -> None:
    (applied,), _ = both(waiver(CASE, "R"), R=Verdict.PASS, SIGNED=Verdict.FAIL)
    assert applied.state == "stale"
    (applied,), _ = both(waiver(CASE, "NOT-TOUCHED"))
    assert applied.state == "unused"


def test_only_a_waiver_of_the_case_excuses_a_failure_in_it_that_is_put_down_to_none() -> None:
    for given, cases in ((waiver(), (CASE,)), (waiver(CASE, "R"), ())):
        (applied,), _ = both(given, R=Verdict.INCONCLUSIVE)
        assert (applied.state, applied.cases) == ("used", cases)


def test_a_waived_requirement_in_a_case_says_nothing_of_what_the_run_as_a_whole_broke() -> None:
    bad = (CaseVerdict(CASE, Verdict.FAIL, "", (), {"R": Verdict.FAIL}),)
    applied = apply_waivers((waiver(CASE, "R"),), None, PURPOSE, bad)
    assert excused_by(applied, PURPOSE, bad, {"R"}).requirements == frozenset()


def test_a_plan_refuses_a_waiver_of_a_requirement_that_there_is_not(world: World) -> None:
    with pytest.raises(ConfigurationFault, match="no requirement 'NONE'"):
        world.plan("platform", waivers=(waiver(CASE, "NONE"),))
