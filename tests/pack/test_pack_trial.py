"""Trials: a change is taken when it breaks exactly one constraint, and every kind of constraint has some."""

from __future__ import annotations

import pytest
from pack_kit import pack_named

from harness.pack.codelist import coded_violations
from harness.pack.model import Pack
from harness.pack.rule import rule_violations
from harness.pack.sample import golden
from harness.pack.schema import violations
from harness.pack.trial import anywhere, content_trials, schema_trials
from harness.pack.violation import Violation

ETIR = pack_named("etir-4.3")


@pytest.mark.parametrize("message", [name for name, each in ETIR.messages.items() if each.answers is None])
def test_every_trial_breaks_what_it_says_and_nothing_else(message: str) -> None:
    sample = golden(ETIR.format, ETIR.messages[message].golden["accepted"])
    for trial in schema_trials(ETIR, message):
        assert violations(ETIR, message, trial.edit.apply(sample)) == (trial.found,)
    for trial in content_trials(ETIR, message):
        changed = trial.edit.apply(sample)
        assert not violations(ETIR, message, changed)
        found = [*coded_violations(ETIR, message, changed), *rule_violations(ETIR, message, changed)]
        assert found == [trial.found]


def test_all_kinds_of_constraints_are_tried() -> None:
    found = {trial.found.kind for trial in schema_trials(ETIR, "I7") if isinstance(trial.found, Violation)}
    assert found == set(ETIR.constraints)


def test_each_constraint_is_tried_once_and_in_the_order_of_the_message() -> None:
    trials = schema_trials(ETIR, "I9")
    places = [(anywhere(trial.edit.place), trial.found.kind) for trial in trials if isinstance(trial.found, Violation)]
    assert len(places) == len(set(places))
    assert [trial.edit.name for trial in trials] == [trial.edit.name for trial in schema_trials.__wrapped__(ETIR, "I9")]


def test_the_reference_of_a_message_is_left_alone() -> None:
    assert not [trial for trial in schema_trials(ETIR, "I9") if "FunctionalReferenceID" in trial.edit.place]


def test_every_coded_place_and_every_rule_of_a_request_is_tried(pack: Pack) -> None:
    assert {trial.found.code for trial in content_trials(pack, "notice")} == {"M05", "M06"}
    rules = {trial.found.rule for trial in content_trials(ETIR, "I7")}  # type: ignore[union-attr]
    assert rules == {None, *(rule.id for rule in ETIR.rules.values() if "I7" in rule.messages)}


def test_a_rule_is_broken_with_the_texts_that_it_compares() -> None:
    """No other text at the type of packages forbids their number."""
    trials = content_trials(pack_named("ncts-p5"), "CD001C")
    found = {(trial.found.rule, trial.found.code): trial.edit.text for trial in trials}  # type: ignore[union-attr]
    assert found["C0060", "15"] == "VG"
    assert found["C0030", "15"] == "T2SM"


def test_json_is_tried_alike(pack: Pack) -> None:
    found = {trial.found.kind for trial in schema_trials(pack, "notice") if isinstance(trial.found, Violation)}
    assert {"missing", "unexpected", "type"} <= found
