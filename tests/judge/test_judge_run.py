"""The verdict of a run: what makes it conformant, and what must never do so."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from judge.stage import World

from harness.judge.model import CaseVerdict, RunVerdict, Status, Verdict
from harness.judge.run import summarise
from harness.scenario.plan import END, Parameters, Plan, Subject, make_plan

REFUSED = "lifecycle-I9-declaration-absent@platform"
ACCEPTED = "lifecycle-I9-accepted@platform"


def verdicts(plan: Plan, **other: Verdict) -> list[CaseVerdict]:
    """Every case passed, but for the named ones (``-`` and ``@`` written as they are, in a mapping)."""
    return [
        CaseVerdict(
            case.id,
            other.get(case.id, Verdict.PASS),
            "",
            (),
            dict.fromkeys(case.requirements, other.get(case.id, Verdict.PASS)),
        )
        for case in plan.cases
    ]


def test_a_selection_is_never_conformant(world: World) -> None:
    plan = world.plan("platform", select=(REFUSED,))
    judgement = summarise(plan, world.pack, verdicts(plan), (), {}.__getitem__)
    assert judgement.verdict is RunVerdict.NOT_FULLY_VERIFIED
    assert (judgement.counts.required, judgement.counts.executed, judgement.counts.passed) == (1, 1, 1)


def test_a_selection_in_one_position_is_not_excused_by_the_others(world: World) -> None:
    plan = make_plan(
        world.pack, Subject("customs", ("transit",)), Parameters(select=("lifecycle-I9-accepted@transit",))
    )
    judgement = summarise(plan, world.pack, verdicts(plan), (), {}.__getitem__)
    assert judgement.verdict is RunVerdict.NOT_FULLY_VERIFIED


def without(world: World, role: str, message: str) -> Plan:
    claims = tuple(name for name in world.pack.messages if name != message)
    return make_plan(world.pack, Subject(role, claims=claims), Parameters())


def test_what_is_mandatory_and_not_claimed_is_not_conformant_and_named(world: World) -> None:
    plan = without(world, "platform", "I13")
    judgement = summarise(plan, world.pack, verdicts(plan), (), {}.__getitem__)
    unclaimed = [each for each in judgement.requirements if each.reason.startswith("not claimed: I13 (mandatory)")]
    assert unclaimed
    assert {each.status for each in unclaimed if each.level == "MUST"} == {Status.FAILED}
    assert judgement.verdict is RunVerdict.NOT_CONFORMANT
    assert judgement.reason.startswith(f"Mandatory, but not claimed: I13 ({unclaimed[0].id}")


def test_what_is_optional_and_not_claimed_is_not_applicable(world: World) -> None:
    plan = without(world, "customs", "I5")
    judgement = summarise(plan, world.pack, verdicts(plan), (), {}.__getitem__)
    unclaimed = [each for each in judgement.requirements if each.reason == "not claimed: I5"]
    assert unclaimed
    assert {each.status for each in unclaimed} == {Status.NOT_APPLICABLE}
    assert "not claimed" not in judgement.reason


def test_what_no_case_can_test_is_not_tested_and_counted(world: World) -> None:
    plan = make_plan(world.pack, Subject("platform"), Parameters(adopt_assumed=True))
    everything = [replace(each, requirements=touched(world, each.requirements)) for each in verdicts(plan)]
    judgement = summarise(plan, world.pack, everything, (), {}.__getitem__)
    untested = [each for each in judgement.requirements if each.status is Status.NOT_TESTED]
    assert untested
    assert all(each.reason for each in untested)
    assert judgement.verdict is RunVerdict.CONFORMANT, judgement.reason
    assert f" {sum(each.level == 'MUST' for each in untested)} are not tested" in judgement.reason


def touched(world: World, named: Mapping[str, Verdict]) -> dict[str, Verdict]:
    """The requirements of the purpose, and those that the checks of every message test."""
    checked = [each.id for each in world.pack.requirements.values() if each.checks and not each.untested]
    return {**dict.fromkeys(checked, Verdict.PASS), **named}


@pytest.mark.parametrize("which", [ACCEPTED, ACCEPTED + END])
def test_a_negative_case_counts_only_beside_its_positive_control(world: World, which: str) -> None:
    plan = world.plan("platform", select=(REFUSED,))
    judgement = summarise(plan, world.pack, verdicts(plan, **{which: Verdict.INCONCLUSIVE}), (), {}.__getitem__)
    judged = next(each for each in judgement.cases if each.case == REFUSED)
    assert judged.verdict is Verdict.INCONCLUSIVE
    assert which in judged.reason


def test_nothing_executed_is_never_a_pass(world: World) -> None:
    plan = world.plan("holder")
    nothing = {case.id: Verdict.NOT_RUN for case in plan.cases}
    judgement = summarise(plan, world.pack, verdicts(plan, **nothing), (), {}.__getitem__)
    assert judgement.verdict is RunVerdict.NOT_FULLY_VERIFIED
    assert judgement.counts.executed == 0


def test_a_fail_on_an_assumed_source_alone_counts_only_when_it_is_adopted(world: World) -> None:
    plan = world.plan("platform")
    assumed = next(
        each.id
        for each in world.pack.requirements.values()
        if each.source.mark == "assumed" and each.level == "MUST" and each.bearer in ("platform", "any")
    )
    first, *others = verdicts(plan)
    failed = [replace(first, verdict=Verdict.FAIL, requirements={assumed: Verdict.FAIL}), *others]
    for adopted, expected in ((True, RunVerdict.NOT_CONFORMANT), (False, RunVerdict.NOT_FULLY_VERIFIED)):
        chosen = replace(plan, parameters=replace(plan.parameters, adopt_assumed=adopted))
        judgement = summarise(chosen, world.pack, failed, (), {}.__getitem__)
        assert judgement.verdict is expected


def test_a_reference_that_comes_back_in_another_case_is_used_twice(world: World) -> None:
    plan = world.plan("holder")
    for same, status in ((False, Status.PASSED), (True, Status.FAILED)):
        given = [
            replace(
                each,
                references=("REF" if same else f"REF-{number}",),
                requirements={**each.requirements, "ETIR-REF-UNIQUE": Verdict.PASS},
            )
            for number, each in enumerate(verdicts(plan))
        ]
        judgement = summarise(plan, world.pack, given, (), {}.__getitem__)
        found = next(each for each in judgement.requirements if each.id == "ETIR-REF-UNIQUE")
        assert found.status is status


def test_what_a_control_at_the_end_breaks_is_broken(world: World) -> None:
    plan = world.plan("platform")
    told = verdicts(plan)
    number = next(n for n, case in enumerate(plan.cases) if case.id == ACCEPTED + END)
    told[number] = replace(told[number], verdict=Verdict.FAIL, requirements={"ETIR-SAME-GUARANTEE": Verdict.FAIL})
    judgement = summarise(plan, world.pack, told, (), {}.__getitem__)
    status = next(each for each in judgement.requirements if each.id == "ETIR-SAME-GUARANTEE")
    assert (status.status, status.cases[-1]) == (Status.FAILED, ACCEPTED + END)
    assert judgement.verdict is RunVerdict.NOT_CONFORMANT


def test_a_failed_case_is_not_hidden_by_an_open_one(world: World) -> None:
    plan = world.plan("platform")
    failed, unsettled = ACCEPTED, REFUSED
    told = [
        replace(each, requirements=dict.fromkeys(each.requirements, Verdict.PASS)) if each.case == failed else each
        for each in verdicts(plan, **{failed: Verdict.FAIL, unsettled: Verdict.INCONCLUSIVE})
    ]
    judgement = summarise(plan, world.pack, told, (), {}.__getitem__)
    assert (judgement.verdict, judgement.reason) == (RunVerdict.NOT_CONFORMANT, f"Failed: {failed}")


def named(world: World, expected: list[str], codes: list[frozenset[str]]) -> dict[str, Verdict]:
    """Verdicts of negative cases whose mistakes have these codes, each refused with several codes."""
    plan = world.plan("platform")
    told, which = verdicts(plan), [case.id for case in plan.cases if case.negative][: len(expected)]
    refusals = {name: ((frozenset({code}), said),) for name, code, said in zip(which, expected, codes, strict=True)}
    told = [replace(each, refusals=refusals.get(each.case, ())) for each in told]
    cases = summarise(plan, world.pack, told, (), {}.__getitem__).cases
    return {each.case: each.verdict for each in cases if each.case in refusals}


def test_who_names_every_code_for_every_mistake_has_told_none(world: World) -> None:
    codes = ["210", "211", "220", "301"]
    everything = frozenset(codes)
    assert set(named(world, codes, [everything] * 4).values()) == {Verdict.INCONCLUSIVE}
    assert set(named(world, codes[:3], [everything] * 3).values()) == {Verdict.PASS}
    assert set(named(world, codes, [frozenset({"100", "300", code}) for code in codes]).values()) == {Verdict.PASS}
