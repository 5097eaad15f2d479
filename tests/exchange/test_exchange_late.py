"""What comes late is heard, judged like the rest, and told; only what never comes fails the purpose."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from pack_kit import pack_named
from play_kit import QUICK, World

from harness.evidence.clock import UNCERTAINTY
from harness.exchange.stage import MOST_MORE, Stage
from harness.judge.model import Verdict
from harness.pack.fault import Fault
from harness.pack.model import Origin, Requirement
from harness.scenario.model import OVERDUE

NEIGHBOURS = pack_named("neighbours")
ETIR = pack_named("etir-4.3")
pytestmark = pytest.mark.usefixtures("steady")
SHORT = {**QUICK, "answer": timedelta(seconds=3), "notification": timedelta(seconds=3)}
LATE = 3.5
"""Seconds: beyond the limit, and within our patience."""


def slow(pack, message, seconds, **parameters):
    """The pack with a fault ``slow``: this message leaves late."""
    fault = Fault("slow", "", "Is slow.", "", "delay", {"message": message, "seconds": seconds, **parameters})
    return replace(pack, faults={**pack.faults, "slow": fault})


def in_time(pack, level):
    """The pack with a demand on time of that level; ``None`` leaves it out."""
    origin = Origin("assumed", "")
    demand = Requirement("NB-TIME", level or "MAY", "customs", "Answers in time.", "", origin, "", ("timing",))
    return replace(pack, requirements={**pack.requirements, demand.id: demand}) if level else pack


def played(here, case):
    here.parameters = replace(here.parameters, timers=SHORT)
    outcome = asyncio.run(here.run([case]))
    judged = outcome.judged()
    assert [each.steps for each in judged.cases] == [each.steps for each in outcome.played.verdicts]
    return outcome, next(each for each in judged.cases if each.case == case)


def late(verdict):
    return [found for step in verdict.steps for found in step.findings if found.check == "timing"]


@pytest.mark.parametrize(
    ("level", "word"), [("MUST", Verdict.FAIL), ("SHOULD", Verdict.WARNING), (None, Verdict.WARNING)]
)
def test_a_late_answer_is_judged_and_its_lateness_told(tmp_path, level, word):
    pack = slow(in_time(NEIGHBOURS, level), "notice-result", LATE)
    case = "lifecycle-notice-accepted@import"
    outcome, verdict = played(World(pack, "customs", tmp_path, ("import",), faults=("slow",)), case)
    assert "failed" not in {event.kind for event in outcome.events}
    (found,) = late(verdict)
    assert (found.code, found.requirement) == ("late", "NB-TIME" if level else None)
    assert verdict.verdict is word
    assert {step.observed for step in verdict.steps} == {"accepted"}
    if level:
        assert verdict.requirements["NB-TIME"] is word
        assert verdict.requirements["NB-NOTICE-OK"] is Verdict.PASS


def test_the_content_of_a_late_answer_is_judged_as_usual(tmp_path):
    pack = slow(in_time(NEIGHBOURS, "SHOULD"), "arrival-result", LATE)
    here = World(pack, "customs", tmp_path, ("export",), faults=("slow", "accepts-unknown-consignment"))
    _, verdict = played(here, "arrival-of-unknown@export")
    assert verdict.verdict is Verdict.FAIL
    assert verdict.requirements["NB-TIME"] is Verdict.WARNING
    assert verdict.requirements["NB-ARRIVAL-UNKNOWN"] is Verdict.FAIL


def test_an_answer_in_time_counts_for_the_demand_on_time(tmp_path):
    case = "lifecycle-notice-accepted@import"
    _, verdict = played(World(in_time(NEIGHBOURS, "SHOULD"), "customs", tmp_path, ("import",)), case)
    assert late(verdict) == []
    assert verdict.requirements["NB-TIME"] is Verdict.PASS


def test_an_answer_that_never_comes_fails_the_purpose(tmp_path):
    mute = Fault("mute", "customs", "Says nothing.", "", "answer", {"message": "notice", "as": "silence"})
    pack = in_time(replace(NEIGHBOURS, faults={**NEIGHBOURS.faults, "mute": mute}), "SHOULD")
    case = "lifecycle-notice-accepted@import"
    _, verdict = played(World(pack, "customs", tmp_path, ("import",), faults=("mute",)), case)
    assert [found.code for found in late(verdict)] == ["no-answer"]
    assert verdict.requirements["NB-NOTICE-OK"] is Verdict.FAIL
    assert verdict.requirements["NB-TIME"] is Verdict.WARNING


def test_a_system_that_answers_nothing_is_not_said_to_answer_in_time(tmp_path):
    _, verdict = played(World(ETIR, "holder", tmp_path), "lifecycle-E9-accepted@holder")
    assert verdict.verdict is Verdict.PASS
    assert "ETIR-ANS-TIME" not in verdict.requirements


def test_a_late_notification_is_taken_and_its_lateness_told(tmp_path):
    pack, case = slow(ETIR, "E7", LATE), "lifecycle-I9-accepted@platform"
    outcome, verdict = played(World(pack, "platform", tmp_path, faults=("slow",)), case)
    owed = next(step for step in verdict.steps if "chain-told-started" in step.step)
    assert [(found.code, found.requirement, found.severity) for found in owed.findings] == [
        ("late", "ETIR-ANS-TIME", "warning")
    ]
    assert verdict.requirements["ETIR-E7-STA"] is Verdict.PASS
    assert verdict.requirements["ETIR-ANS-TIME"] is Verdict.WARNING
    assert "silence" not in {event.kind for event in outcome.events}


def test_what_was_only_asked_for_has_no_limit_but_our_patience(tmp_path):
    pack, case = slow(in_time(NEIGHBOURS, "MUST"), "notice", LATE), "movement@export"
    _, verdict = played(World(pack, "customs", tmp_path, ("export",), faults=("slow",)), case)
    assert (verdict.verdict, late(verdict)) == (Verdict.PASS, [])


FORWARDED = "forwarded-data-answer-late@platform"


def waited(verdict):
    """What is said of the message that the system passed on before it answered."""
    step = next(each for each in verdict.steps if each.step == "E9")
    assert step.clocks["budget"] == "3"
    assert float(step.clocks["seconds"]) > OVERDUE * 3
    return step


def test_who_waits_for_a_late_answer_of_ours_is_listened_to_for_as_long(tmp_path, monkeypatch):
    """As with time limits of many seconds, of which we listen beyond for a small part."""
    monkeypatch.setattr("harness.exchange.stage.MOST_MORE", 0.0)
    _, verdict = played(World(ETIR, "platform", tmp_path), FORWARDED)
    assert (waited(verdict).verdict, verdict.verdict) == (Verdict.PASS, Verdict.PASS), verdict.reason
    assert late(verdict) == []


def test_who_takes_longer_than_a_late_answer_of_ours_excuses_is_late(tmp_path):
    _, verdict = played(World(slow(ETIR, "E10", LATE), "platform", tmp_path, faults=("slow",)), FORWARDED)
    (found,) = waited(verdict).findings
    assert (found.check, found.code, found.requirement) == ("timing", "late", "ETIR-ANS-TIME")
    assert "after its time limit and the 3.75 s for which we held answers back" in found.message


def test_we_listen_as_long_again_as_the_limit_and_never_much_longer():
    stage = Stage(NEIGHBOURS, {}, *(None,) * 7)  # type: ignore[arg-type]
    assert stage.patience(10) == 20 + UNCERTAINTY
    assert stage.patience(3600) == 3600 + MOST_MORE + UNCERTAINTY
    assert stage.limit(10) == 10 + UNCERTAINTY
