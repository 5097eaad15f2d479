"""Messages that race: one of them is accepted, and nobody can say beforehand which."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from pack_kit import pack_named

from harness.pack.model import Outcome
from harness.scenario.load import load_scenario
from harness.scenario.model import AnyOrder, Case, Exchange
from harness.scenario.project import exchanges, project
from harness.scenario.rivals import as_it_came, either_way

PACK = pack_named("etir-4.3")
ACCEPTED, REFUSED = Outcome("accepted"), Outcome("error", "210", "/")


@pytest.fixture
def case() -> Case:
    file = next(each for each in PACK.scenarios if Path(each).stem == "starts-at-once")
    made = project(load_scenario(file, PACK), PACK, "platform")
    assert made is not None
    return made


def block(case: Case) -> tuple[Exchange, ...]:
    return next(step for step in case.steps if isinstance(step, AnyOrder)).steps


def wanted(case: Case) -> dict[str, Outcome]:
    return {step.id: step.expectation.expect[0] for step in block(case)}


def test_each_rival_may_be_the_one_that_is_accepted(case: Case) -> None:
    for step, played in zip(block(case), either_way(block(case)), strict=True):
        assert set(played.expectation.expect) == {ACCEPTED, REFUSED}
        assert played.expectation.expect[0] == step.expectation.expect[0]
        assert Outcome("error", "214") in played.expectation.permitted


@pytest.mark.parametrize(
    ("accepted", "first", "second"),
    [
        ({"I9"}, ACCEPTED, REFUSED),
        ({"I9.2"}, REFUSED, ACCEPTED),
        (set(), ACCEPTED, REFUSED),
        ({"I9", "I9.2"}, ACCEPTED, REFUSED),
    ],
)
def test_it_is_judged_as_it_came(case: Case, accepted: set[str], first: Outcome, second: Outcome) -> None:
    judged = as_it_came(case, accepted)
    assert wanted(judged) == {"I9": first, "I9.2": second}
    outside = [step for step in exchanges(case.steps) if step not in block(case)]
    assert [step for step in exchanges(judged.steps) if step not in block(judged)] == outside


def test_what_can_be_told_apart_is_no_rival(case: Case) -> None:
    one, other = block(case)
    apart = (one, replace(other, subject="transit"))
    assert tuple(either_way(apart)) == apart
    steps = tuple(replace(step, steps=apart) if isinstance(step, AnyOrder) else step for step in case.steps)
    assert wanted(as_it_came(replace(case, steps=steps), {"I9.2"})) == {"I9": ACCEPTED, "I9.2": REFUSED}
