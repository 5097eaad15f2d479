"""The same system gets the same verdicts: under load, one case at a time, in any order, alone and among others.

On each commit three runs of a role with few cases are compared; ``make nightly`` compares thirty of each role.
"""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from harness.campaign import Wish
from harness.demo import Show, demonstration
from harness.scenario.plan import END, Parameters, Subject, make_plan, plan_from_json, plan_to_json
from harness.teeth.choose import usual
from harness.teeth.trial import cases_of, pack_of

PACK = "etir-4.3"
RUNS = 30
ALONE = 20
"""Cases of a role that are played alone."""
BUSY = "while True: pass"


@contextmanager
def load() -> Iterator[None]:
    """Keep two processors busy, at the same priority as ours."""
    busy = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(2)]
    try:
        yield
    finally:
        for each in busy:
            each.kill()
            each.wait()


def verdicts(role: str, cases: tuple[str, ...], at_once: int, shuffle: int | None = None) -> dict[str, str]:
    wish = Wish(select=cases, fresh=True, adopt_assumed=True, at_once=at_once, shuffle=shuffle)
    with (
        TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        demonstration(Show(PACK, role, full=True, apart=False), wish, pack_of(PACK)) as (campaign, _),
    ):
        campaign.start(Path(folder) / "bundle")
        assert campaign.wait(900)
        found = campaign.result().judgement.cases
        return {each.case: each.verdict.value for each in found if not each.case.endswith(END)}


def test_a_random_order_is_another_order_and_nothing_else() -> None:
    pack = pack_of(PACK)
    usual_order, first, again, other = (
        [case.id for case in make_plan(pack, Subject("holder"), Parameters(shuffle=number)).cases]
        for number in (None, 1, 1, 2)
    )
    assert first == again
    assert len({tuple(each) for each in (usual_order, first, other)}) == 3
    assert sorted(first) == sorted(usual_order) == sorted(other)
    controls = [case for case in usual_order if f"{case}{END}" in usual_order]
    assert first[: len(controls)] == controls, "a refusal counts only after its positive control"
    plan = make_plan(pack, Subject("holder"), Parameters(shuffle=1))
    assert plan_from_json(plan_to_json(plan), pack) == plan


def test_three_ways_to_play_give_the_same_verdicts() -> None:
    role = "holder"
    cases = usual(cases_of(PACK, role))
    first = verdicts(role, cases, at_once=32)
    assert set(first.values()) == {"pass"}
    with load():
        assert verdicts(role, cases, at_once=8, shuffle=1) == first
    assert verdicts(role, cases, at_once=1, shuffle=2) == first
    alone = cases[0]
    assert verdicts(role, (alone,), at_once=1)[alone] == first[alone]


@pytest.mark.nightly
@pytest.mark.parametrize("role", pack_of(PACK).roles)
def test_thirty_runs_under_load_give_the_same_verdicts(role: str) -> None:
    first = verdicts(role, (), at_once=32)
    found = []
    with load():
        for number in range(RUNS):
            shuffle = number if number % 2 else None
            found.append(verdicts(role, (), at_once=1 if number % 10 == 0 else 32, shuffle=shuffle))
    assert [unlike(first, each) for each in found] == [{}] * RUNS


@pytest.mark.nightly
@pytest.mark.parametrize("role", pack_of(PACK).roles)
def test_a_case_has_the_same_verdict_alone(role: str) -> None:
    drawn = random.Random(role).sample([case.id for case in cases_of(PACK, role)], ALONE)
    together = verdicts(role, tuple(drawn), at_once=32)
    alone = {case: verdicts(role, (case,), at_once=1)[case] for case in drawn}
    assert unlike({case: together[case] for case in drawn}, alone) == {}


def unlike(first: dict[str, str], other: dict[str, str]) -> dict[str, tuple[str | None, str | None]]:
    """The cases with another verdict, or with none, each with both."""
    return {
        case: (first.get(case), other.get(case))
        for case in first.keys() | other.keys()
        if first.get(case) != other.get(case)
    }
