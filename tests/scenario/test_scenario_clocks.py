"""Clocks that are off: how a script says it, whom it concerns, and what may not be asked of anybody."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from harness.errors import ConfigurationFault
from harness.exchange.data import make_data
from harness.pack.load import load_pack
from harness.pack.model import Maker, Pack
from harness.scenario.clock import untimely
from harness.scenario.guide import joined, opening
from harness.scenario.load import load_scenario, load_scenarios
from harness.scenario.model import Case, Scenario
from harness.scenario.plan import Parameters, Subject, make_plan, plan_from_json, plan_to_json
from harness.scenario.project import exchanges, project

HEAD = """\
id: clock
version: 1
title: A clock is off
effect: None; it is a test.
bearers:
  platform: {purpose: Takes it., requirements: [ETIR-SEC-CLOCKS]}
"""
STEPS = """\
steps:
  - {exchange: E1, from: chain, to: platform}
  - {exchange: I1, from: customs.departure, to: platform}
  - {exchange: I7, from: customs.departure, to: platform%s}
  - {exchange: I9, from: customs.departure, to: platform%s}
"""
REFUSED = ", when: simulated, answer: refused-by-security"


@pytest.fixture(scope="module")
def pack() -> Pack:
    return load_pack("etir-4.3")


def loaded(pack: Pack, folder: Path, clocks: str = "", first: str = "", second: str = "") -> Scenario:
    file = folder / "clock.yaml"
    file.write_text(HEAD + clocks + STEPS % (first, second), "utf-8")
    return load_scenario(file, pack)


def written(pack: Pack, name: str, seat: str) -> Case | None:
    return project(next(each for each in load_scenarios(pack) if each.id == name), pack, seat)


def test_clocks_go_as_the_head_says_until_a_step_sets_them(pack: Pack, tmp_path: Path) -> None:
    scenario = loaded(
        pack,
        tmp_path,
        "clocks: {customs.departure: 3min ahead, chain: 1.5s behind}\n",
        second=", clocks: {customs.departure: right, platform: 2h behind}",
    )
    chain, ahead = timedelta(seconds=-1.5), timedelta(minutes=3)
    before, after = {"customs.departure": ahead, "chain": chain}, {"customs.departure": timedelta(), "chain": chain}
    assert [dict(step.clocks) for step in exchanges(scenario.steps)] == [
        before,
        before,
        before,
        {**after, "platform": timedelta(hours=-2)},
    ]


@pytest.mark.parametrize(
    ("clocks", "what"),
    [
        ("{customs.nowhere: 3min ahead}", "customs.nowhere"),
        ("{platform: 3min}", "3min"),
        ("{platform: 3 minutes ahead}", "3 minutes ahead"),
        ("{platform: -3min ahead}", "-3min ahead"),
        ("{platform: 3}", "3"),
        ("{}", "empty"),
    ],
)
@pytest.mark.parametrize("where", ["head", "step"])
def test_another_notation_is_told_with_its_line(pack: Pack, tmp_path: Path, clocks: str, what: str, where: str) -> None:
    head, step = (f"clocks: {clocks}\n", "") if where == "head" else ("", f", clocks: {clocks}")
    with pytest.raises(ConfigurationFault) as told:
        loaded(pack, tmp_path, head, second=step)
    assert what in str(told.value)
    assert told.value.where is not None
    assert told.value.where.line == (7 if where == "head" else 11)


def test_what_is_owed_has_the_clocks_of_what_it_is_owed_for(pack: Pack) -> None:
    case = written(pack, "platform-clock-ahead", "customs.transit")
    assert case is not None
    owed = [step for step in exchanges(case.steps) if step.reaction is not None and step.receiver == case.sut]
    assert owed
    assert {step.clocks["platform"] for step in owed} == {timedelta(minutes=3)}
    assert {step.received for step in owed} == {None}, "it shows the purpose of the case"
    usual = written(pack, "nominal-movement", "customs.transit")
    assert usual is not None
    assert all(step.received for step in exchanges(usual.steps) if step.reaction and step.receiver == usual.sut)


def test_a_seat_whose_clock_is_off_gets_no_case(pack: Pack, tmp_path: Path) -> None:
    scenario = loaded(pack, tmp_path, "clocks: {platform: 3min ahead}\n")
    assert project(scenario, pack, "platform") is None
    assert project(loaded(pack, tmp_path), pack, "platform") is not None


@pytest.mark.parametrize(
    ("clocks", "first", "second", "wrong"),
    [
        ("", "", "", []),
        ("clocks: {customs.departure: 5min ahead}\n", "", "", []),
        ("clocks: {customs.departure: 9min behind}\n", "", "", []),
        ("clocks: {customs.departure: 6min ahead}\n", "", "", ["I1", "I7", "I9"]),
        ("clocks: {customs.departure: 10min behind}\n", "", "", ["I1", "I7", "I9"]),
        ("", "", f", clocks: {{customs.departure: 1h ahead}}{REFUSED}", []),
        ("", "", ", clocks: {customs.departure: 1h ahead}, when: simulated", ["I9"]),
        ("", f", clocks: {{customs.departure: 1h ahead}}{REFUSED}", "", ["I9"]),
        ("", f", clocks: {{customs.departure: 1h ahead}}{REFUSED}", ", clocks: {customs.departure: right}", []),
        # it would have to confirm what it is told
        ("", "", ", clocks: {customs.transit: 1h ahead}", ["I9/customs-told-started>customs.transit"]),
    ],
)
def test_nobody_is_asked_to_believe_a_clock_that_is_too_far_off(
    pack: Pack, tmp_path: Path, clocks: str, first: str, second: str, wrong: list[str]
) -> None:
    scenario = loaded(pack, tmp_path, clocks, first, second)
    assert [fault.where for fault in untimely(scenario, pack)] == [scenario.place(step) for step in wrong]
    bare = replace(pack, security=replace(pack.security, style="none", soap=None))
    assert not list(untimely(loaded(pack, tmp_path, clocks, first, second), bare))


def test_such_a_script_cannot_be_planned(pack: Pack, tmp_path: Path) -> None:
    loaded(pack, tmp_path, "clocks: {customs.departure: 6min ahead}\n")
    with pytest.raises(ConfigurationFault, match=r"the clock of customs\.departure is too far off"):
        make_plan(replace(pack, scenarios=(tmp_path / "clock.yaml",)), Subject("platform"), Parameters())


def test_values_of_a_movement_are_made_at_the_time_of_whoever_makes_them(pack: Pack, tmp_path: Path) -> None:
    rule = replace(pack.values["declaration"], make=Maker("now", "%H:%M"))
    timed = replace(pack, values={**pack.values, "declaration": rule})
    case = project(loaded(pack, tmp_path, "clocks: {customs.departure: 3min behind}\n"), pack, "platform")
    assert case is not None
    now = datetime(2026, 11, 28, 12, tzinfo=UTC)
    data = make_data(timed, case, seed=0, serial=0, token="t", now=now, draw=lambda *_: "x")
    assert data.made("declaration", None) == "11:57"


def test_a_case_with_other_clocks_does_not_go_on_on_a_movement(pack: Pack) -> None:
    usual, ahead = written(pack, "nominal-movement", "platform"), written(pack, "customs-clocks-ahead", "platform")
    assert usual is not None
    assert ahead is not None
    assert joined(ahead, "platform", opening(ahead), pack)
    assert [step.message for step in joined(ahead, "platform", opening(usual), pack) or ()] in ([], ["E1"])


def test_a_plan_with_clocks_is_read_again(pack: Pack) -> None:
    plan = make_plan(pack, Subject("platform"), Parameters(select=("*clock*",)))
    assert plan_from_json(plan_to_json(plan), pack) == plan
