"""Messages that race: one of them is accepted, and nobody can say beforehand which."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from pack_kit import pack_named

from harness.errors import ConfigurationFault
from harness.pack.model import Outcome
from harness.scenario.load import load_scenario
from harness.scenario.model import AnyOrder, Case, Exchange
from harness.scenario.project import exchanges, project
from harness.scenario.rivals import as_it_came, either_way, not_owed

PACK = pack_named("etir-4.3")
ACCEPTED, REFUSED = Outcome("accepted"), Outcome("error", "210", "/")


def case_of(name: str) -> Case:
    file = next(each for each in PACK.scenarios if Path(each).stem == name)
    made = project(load_scenario(file, PACK), PACK, "platform")
    assert made is not None
    return made


@pytest.fixture
def case() -> Case:
    return case_of("starts-at-once")


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


TAKEN, GONE = Outcome("error", "203", "/"), Outcome("error", "201", "/")


@pytest.mark.parametrize(
    ("accepted", "acceptance", "cancellation", "owed"),
    [
        ({"I1"}, ACCEPTED, TAKEN, True),
        ({"E3"}, GONE, ACCEPTED, False),
        ({"I1", "E3"}, ACCEPTED, TAKEN, True),
        (set(), ACCEPTED, ACCEPTED, True),
    ],
)
def test_of_messages_that_differ_one_is_beaten_and_what_it_would_cause_is_not_owed(
    accepted: set[str], acceptance: Outcome, cancellation: Outcome, owed: bool
) -> None:
    case = case_of("cancellation-during-acceptance")
    assert [set(step.expectation.expect) for step in either_way(block(case))] == [{ACCEPTED, GONE}, {ACCEPTED, TAKEN}]
    judged = as_it_came(case, accepted)
    assert wanted(judged) == {"I1": acceptance, "E3": cancellation}
    assert list(not_owed(judged)) == ([] if owed else ["I1/chain-told-accepted>chain"])
    assert not list(not_owed(case))


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("exchange: E3, from: chain, to: platform, beaten", "exchange: E3, from: chain, to: platform, answer", "alone"),
        (
            "exchange: E1, from: chain, to: platform}",
            'exchange: E1, from: chain, to: platform, beaten: {error: "204"}}',
            "races",
        ),
    ],
)
def test_a_race_without_a_rival_is_told(tmp_path: Path, old: str, new: str, says: str) -> None:
    file = next(Path(each) for each in PACK.scenarios if Path(each).stem == "cancellation-during-acceptance")
    text = file.read_text("utf-8")
    assert old in text
    (tmp_path / file.name).write_text(text.replace(old, new), "utf-8")
    with pytest.raises(ConfigurationFault, match=says):
        load_scenario(tmp_path / file.name, PACK)
