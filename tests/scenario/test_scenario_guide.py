"""Cases that go on on one movement: only where everything that they stand on is as they would have left it."""

from __future__ import annotations

import pytest
from pack_kit import pack_named

from harness.report.sheet import sheet_of
from harness.scenario.guide import joined, leaves, opening
from harness.scenario.model import Case
from harness.scenario.plan import Parameters, Subject, make_plan

ETIR = pack_named("etir-4.3")


@pytest.fixture(scope="module")
def cases() -> dict[str, Case]:
    return {case.id: case for case in make_plan(ETIR, Subject("customs"), Parameters()).cases}


@pytest.mark.parametrize(
    ("seen", "case", "shared"),
    [
        ("lifecycle-I7-accepted@departure", "lifecycle-I9-accepted@departure", ["E1", "I1", "I7"]),
        ("check-before-use@departure", "lifecycle-I7-accepted@departure", ["E1", "I1"]),
        ("amendment-en-route@departure", "lifecycle-I13-accepted@departure", ["E1", "I1", "I7", "I9", "I11"]),
        ("lifecycle-I9-accepted@departure", "lifecycle-I1-accepted@departure", ["E1", "I1"]),
        ("variation-I14-compact@departure", "lifecycle-I13-accepted@departure", ["E1", "I1", "I7", "I9", "I11", "I13"]),
        ("lifecycle-I13-accepted@departure", "variation-I14-compact@departure", None),
        ("lifecycle-I11-accepted@departure", "variation-I14-compact@departure", ["E1", "I1", "I7", "I9", "I11"]),
        ("lifecycle-I9-accepted@departure", "wrong-holder@departure", None),
        ("lifecycle-E11-accepted@departure", "amendment-en-route@departure", None),
        ("lifecycle-I9-accepted@departure", "lifecycle-I17-accepted@transit", None),
    ],
)
def test_a_case_goes_on_where_its_own_beginning_would_have_led(
    cases: dict[str, Case], seen: str, case: str, shared: list[str] | None
) -> None:
    found = joined(cases[case], cases[seen].sut, opening(cases[seen]), ETIR)
    assert (None if found is None else [step.message for step in found]) == shared


@pytest.mark.parametrize(
    ("case", "left"),
    [
        ("wrong-holder@departure", ["E1"]),
        ("amendment-of-another-declaration@departure", ["E1", "I1", "I7", "I9", "E11", "I7"]),
        ("defect-I8-delivery-closed@departure", ["E1", "I1"]),
        ("late-answer-to-start@departure", None),
        ("nominal-movement@departure", None),
    ],
)
def test_a_refusal_leaves_a_movement_as_it_was(cases: dict[str, Case], case: str, left: list[str] | None) -> None:
    found = leaves(cases[case])
    assert (None if found is None else [step.message for step in found]) == left


def test_by_hand_customs_send_fewer_than_forty_messages_and_each_way_of_writing_is_really_written() -> None:
    plan = make_plan(ETIR, Subject("customs"), Parameters(by_hand=True))
    turns = [turn for movement in sheet_of(plan, ETIR) for turn in movement]
    assert sum(turn.actions for turn in turns) < 40
    written = [turn for turn in turns if "-ANSWER" in " ".join(turn.case.requirements) and "variation" in turn.case.id]
    assert written
    assert all(turn.actions for turn in written)
