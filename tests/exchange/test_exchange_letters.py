"""Answers that travel in messages of their own, over real sockets: two administrations that write to each other."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from pack_kit import pack_named
from play_kit import QUICK, World

from harness.judge.model import Status
from harness.scenario.project import is_timed
from harness.teeth.choose import affected

PACK = pack_named("letters")


def world(tmp_path, **options):
    here = World(PACK, "customs", tmp_path, **options)
    objection = 3 if "rejects-late" in here.faults else 2  # this fault waits for 3.5 s
    timers = {**QUICK, "answer": timedelta(seconds=3), "objection": timedelta(seconds=objection)}
    here.parameters = replace(here.parameters, timers=timers)
    return here


def events(outcome, case, kind):
    return [event for event in outcome.events if event.case == case and event.kind == kind]


@pytest.mark.usefixtures("steady")
def test_a_right_system_passes_one_case_after_the_other(tmp_path):
    outcome = asyncio.run(world(tmp_path).run(["movement@*", "query-for-unknown@export"]))
    assert {case: verdict for case, verdict in outcome.verdicts.items() if verdict != "pass"} == {}


@pytest.mark.usefixtures("steady")
def test_a_right_system_passes_everything(tmp_path):
    here = world(tmp_path, at_once=24)
    patient = {"answer": timedelta(seconds=6), "objection": timedelta(seconds=4)}  # busy computers
    here.parameters = replace(here.parameters, timers={**QUICK, **patient})
    outcome = asyncio.run(here.run())
    assert {case: verdict for case, verdict in outcome.verdicts.items() if verdict != "pass"} == {}
    assert {each.id: each.status for each in outcome.judged().requirements} == dict.fromkeys(
        PACK.requirements, Status.PASSED
    )
    later = {verdict.case: verdict.steps for verdict in outcome.judged().cases}
    assert {verdict.case: verdict.steps for verdict in outcome.played.verdicts} == later
    assert not [event for event in outcome.events if event.kind in ("unmatched", "fault")]


@pytest.mark.usefixtures("steady")
def test_silence_accepts_and_every_message_gets_a_receipt(tmp_path):
    outcome = asyncio.run(world(tmp_path).run(["movement@import"]))
    (silence,) = events(outcome, "movement@import", "silence")
    assert (silence.step, silence.data["role"]) == ("record", "answer")
    receipts = events(outcome, "movement@import", "receipt")
    spoken = [*events(outcome, "movement@import", "sent"), *events(outcome, "movement@import", "received")]
    assert Counter((event.step, event.data["role"]) for event in receipts) == Counter(
        (event.step, event.data["role"]) for event in spoken
    )
    (record,) = [step for step in outcome.judged().cases[0].steps if step.step == "record"]
    assert record.observed == "accepted"


@pytest.mark.usefixtures("steady")
def test_a_refusal_and_a_negative_answer_are_told_apart(tmp_path):
    outcome = asyncio.run(world(tmp_path, at_once=4).run(["arrival-of-unknown@export", "query-for-unknown@export"]))
    seen = {verdict.case: verdict.steps[0].observed for verdict in outcome.judged().cases}
    assert seen["arrival-of-unknown@export"] == "error 90 in rejection"
    assert seen["query-for-unknown@export"] == "error 1 in query-result"


@pytest.mark.usefixtures("steady")
@pytest.mark.parametrize("fault", PACK.faults)
def test_every_fault_is_caught(tmp_path, fault):
    wanted = PACK.faults[fault].requirement
    here = world(tmp_path, faults=(fault,), at_once=12)
    carrying = affected(PACK, PACK.faults[fault], here.plan().cases)
    outcome = asyncio.run(here.run(carrying))
    assert {each.id: each.status for each in outcome.judged().requirements}[wanted] is Status.FAILED


@pytest.mark.usefixtures("steady")
def test_a_late_refusal_of_what_was_taken_for_accepted_is_told(tmp_path):
    outcome = asyncio.run(world(tmp_path, faults=("rejects-late",), at_once=4).run(["*consignment-arrived@import"]))
    found = [
        *outcome.judged().findings,
        *(each for case in outcome.judged().cases for step in case.steps for each in step.findings),
    ]
    late = [each for each in found if (each.check, each.code) == ("timing", "late-answer")]
    assert late
    assert {each.requirement for each in late} == {"LT-LATE"}


@pytest.mark.usefixtures("steady")
@pytest.mark.parametrize("at_once", [1, 4])
def test_an_answer_that_refers_to_nothing_is_still_the_answer(tmp_path, at_once):
    outcome = asyncio.run(world(tmp_path, faults=("refers-to-nothing",), at_once=at_once).run(["movement@export"]))
    codes = {
        each.code for step in outcome.judged().cases[0].steps for each in step.findings if each.check == "correlation"
    }
    assert codes == {"wrong-reference"}


def test_a_case_whose_purpose_is_timing_is_played_alone(tmp_path):
    outcome = asyncio.run(world(tmp_path, at_once=12).run())
    timed = {case.id for case in outcome.plan.cases if is_timed(case, PACK)}
    assert timed == {"answer-in-time@export", "answer-in-time@export~end"}
    open_cases, beside = set(), []
    for event in outcome.events:
        if event.kind == "case-started":
            open_cases.add(event.case)
        elif event.kind == "case-finished":
            open_cases.discard(event.case)
        if timed & open_cases:
            beside.append(len(open_cases))
    assert set(beside) == {1}
