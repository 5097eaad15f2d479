from dataclasses import replace

import pytest

from harness.evidence.model import Event
from harness.judge.model import CaseVerdict, Verdict
from harness.judge.observation import judge_observation
from harness.judge.outcome import departs, describe, describe_all, meets
from harness.judge.step import Seen
from harness.pack.model import Expectation, Outcome
from harness.scenario.model import Probe

REFUSED = Expectation(
    (Outcome("error", "220", "/"),), (Outcome("error", "200"), Outcome("fault"), Outcome("http", "4xx"))
)


@pytest.mark.parametrize(
    ("observed", "place"),
    [
        (Outcome("error", "220", "/"), "expect"),
        (Outcome("error", "220", "/Guarantee"), "other"),
        (Outcome("error", "220", None), "other"),
        (Outcome("error", "200", "/Guarantee"), "permitted"),
        (Outcome("fault", "Sender"), "permitted"),
        (Outcome("http", "403"), "permitted"),
        (Outcome("http", "500"), "other"),
        (Outcome("http", None), "other"),
        (Outcome("accepted"), "other"),
        (Outcome("silence"), "other"),
    ],
)
def test_an_outcome_lies_in_exactly_one_of_three_sets(observed: Outcome, place: str) -> None:
    assert meets([observed], REFUSED) == place


def test_several_errors_lie_in_the_best_set_of_any_of_them_in_any_order() -> None:
    errors = [Outcome("error", "999", "/"), Outcome("error", "220", "/")]
    assert meets(errors, REFUSED) == "expect"
    assert meets(reversed(errors), REFUSED) == "expect"


def test_nothing_observed_is_never_expected() -> None:
    assert meets([], REFUSED) == "other"
    assert meets([], Expectation()) == "other"


def test_pointers_compare_at_the_finest_level_both_can_name() -> None:
    expectation = Expectation((Outcome("error", "309", "/TransportEquipment[2]/Seal/ID"),))
    assert meets([Outcome("error", "309", "TransportEquipment/Seal/ID")], expectation) == "expect"
    assert meets([Outcome("error", "309", "/TransportEquipment[1]/Seal/ID")], expectation) == "other"


def test_outcomes_read_as_words() -> None:
    assert describe(Outcome("error", "220", "/")) == "error 220 at /"
    assert describe_all([Outcome("accepted"), Outcome("http", "403")]) == "accepted, or HTTP 403"
    assert describe_all([]) == "nothing"


def test_only_a_legal_answer_that_was_not_expected_leaves_the_script() -> None:
    refused = replace(REFUSED, permitted=(*REFUSED.permitted, Outcome("accepted")))
    assert departs([Outcome("accepted")], refused)
    assert not departs([Outcome("accepted")], REFUSED)
    either = replace(refused, expect=(*REFUSED.expect, Outcome("accepted")))
    assert not departs([Outcome("accepted")], either)
    assert not departs([either.expect[0]], either)


@pytest.mark.parametrize(
    ("right", "expected"),
    [
        (("in_use",), "guarantee: in use"),
        (("unknown", "registered"), "guarantee: unknown or registered"),
        (("unknown", "registered", "in_use"), "guarantee: not accepted"),
        (("unknown", "registered", "in_use", "accepted"), "guarantee: unknown or registered or in use or accepted"),
    ],
)
def test_the_states_that_are_right_are_said_in_few_words(right: tuple[str, ...], expected: str) -> None:
    every = ("unknown", "registered", "accepted", "in_use")
    told = Event(0, "state", "2026-01-01T00:00:00Z", 0, "c", "S", {"state": right[0]})
    step = judge_observation(Probe("S", "guarantee", "customs", right), Seen([told]), (), observable=True, states=every)
    assert (step.verdict, step.expected) == (Verdict.PASS, expected)


def test_what_the_system_says_of_a_state_cannot_command_a_terminal() -> None:
    said = Event(0, "state", "2026-01-01T00:00:00Z", 0, "c", "S", {"state": "\x1b[2J\nconformant"})
    probe = Probe("S", "consignment", "customs", ("announced",))
    step = judge_observation(probe, Seen([said]), (), observable=True)
    assert step.verdict is Verdict.FAIL
    assert step.reason == "customs holds consignment for \\u001b[2J\\u000aconformant."
    assert step.observed.isprintable()
    assert CaseVerdict("c", Verdict.FAIL, "a\nb", (step,), {}).reason == "a\\u000ab"
