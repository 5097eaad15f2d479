"""What a person decided about a step that only a person can see."""

from dataclasses import replace

import pytest
from judge.stage import Stage, World

from harness.judge.case import judge_case
from harness.judge.model import CaseVerdict, Verdict
from harness.judge.review import Review
from harness.scenario.model import Attest

CASE = "lifecycle-I9-accepted@platform"
QUESTION = "Was the accompanying document accepted?"


@pytest.fixture
def stage(world: World) -> Stage:
    stage = world.stage(world.plan("platform"), CASE)
    attest = Attest("attest", "platform", QUESTION)
    stage.case = replace(
        stage.case, steps=(*stage.case.steps, attest), purpose_steps=(*stage.case.purpose_steps, "attest")
    )
    stage.play()
    stage.write("attested", "attest", question=QUESTION, answer=None, person=None)
    return stage.end()


def judged(stage: Stage, *reviews: Review) -> CaseVerdict:
    return judge_case(stage.case, stage.plan, stage.world.pack, stage.events, stage.store.__getitem__, reviews)


def by(person: str, verdict: Verdict, case: str = CASE, step: str = "attest") -> Review:
    return Review(case, step, verdict, "I saw it.", person)


def test_a_step_for_a_person_waits_for_a_person(stage: Stage) -> None:
    assert judged(stage).verdict is Verdict.REVIEW


@pytest.mark.parametrize("grade", [Verdict.PASS, Verdict.WARNING, Verdict.FAIL, Verdict.INCONCLUSIVE])
def test_a_grade_is_a_verdict_and_the_original_stays_visible(stage: Stage, grade: Verdict) -> None:
    verdict = judged(stage, by("A. Reviewer", grade))
    assert verdict.verdict is grade
    assert verdict.requirements["ETIR-I9-OK"] is grade
    step = next(each for each in verdict.steps if each.step == "attest")
    assert "A. Reviewer" in step.reason
    assert QUESTION in step.reason


def test_of_several_grades_the_worst_counts(stage: Stage) -> None:
    assert judged(stage, by("A", Verdict.FAIL), by("B", Verdict.PASS)).verdict is Verdict.FAIL


def test_nobody_overrules_what_the_judge_saw(world: World) -> None:
    stage = world.stage(world.plan("platform"), CASE).play(I9={"defect": "signature/missing"}).end()
    assert judged(stage, by("A", Verdict.PASS, step="I9")).verdict is Verdict.FAIL


def test_a_grade_of_another_case_or_step_changes_nothing(stage: Stage) -> None:
    assert judged(stage, by("A", Verdict.PASS, case="other"), by("A", Verdict.PASS, step="I9")) == judged(stage)
