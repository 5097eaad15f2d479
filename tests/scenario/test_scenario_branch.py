"""What a message says can decide what follows: both in the table of the harness and in the reference."""

from __future__ import annotations

from pathlib import Path

import pytest
from pack_kit import pack_named

from harness.errors import ConfigurationFault
from harness.pack.load import load_pack
from harness.reference.hooks import Hooks
from harness.reference.state import Book
from harness.scenario.derive_lifecycle import lifecycle_scenarios
from harness.scenario.oracle import Ledger, accept, refusals
from harness.scenario.project import exchanges

PACK = pack_named("ncts-p5")
MOVEMENT = {"mrn": "24AT0000000000001"}
RESULTS = [("A1", "controlled"), ("A2", "controlled"), ("B1", "discrepant"), (None, "discrepant")]


@pytest.mark.parametrize(("said", "state"), RESULTS)
def test_the_state_follows_from_what_was_said(said: str | None, state: str) -> None:
    values = {**MOVEMENT, "control_result": said}
    ledger = accept(Ledger(), PACK, "CD018C", values)
    assert ledger.state(PACK, "movement", MOVEMENT) == state
    assert bool(refusals(ledger, PACK, "CD049C", MOVEMENT)) == (state == "controlled")
    book = Book(PACK, "customs", Hooks(()))
    book.apply("CD018C", values)
    assert book.state("movement", MOVEMENT) == state


def test_both_states_are_reached_in_derived_cases() -> None:
    cases = {each.id: each for each in lifecycle_scenarios(PACK, "customs.destination")}
    refused = next(each for each in exchanges(cases["lifecycle-CD049C-movement-controlled"].steps) if "A1" in each.id)
    assert dict(refused.values) == {"control_result": "A1", "discrepancies": None, "remark": None}
    accepted = cases["lifecycle-CD049C-accepted"]
    assert [dict(each.values) for each in exchanges(accepted.steps) if each.message == "CD018C"] == [{}]


@pytest.mark.parametrize(
    ("branch", "told"),
    [
        ("{value: seals, is: [A1], effects: {movement: solved}}", "seals"),
        ("{value: control_result, is: [A1], effects: {movement: lost}}", "lost"),
        ("{value: control_result, is: [A1], with: {seals: X}, effects: {movement: solved}}", "seals"),
    ],
)
def test_a_branch_names_only_what_there_is(branch: str, told: str, tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    head = f"id: own\nversion: '1'\nextends: {PACK.id}\ntitle: T\nprovenance: P\n"
    (own / "pack.yaml").write_text(head, "utf-8")
    (own / "lifecycle.yaml").write_text(f"messages:\n  CD018C:\n    branches:\n      - {branch}\n", "utf-8")
    with pytest.raises(ConfigurationFault, match=told) as caught:
        load_pack(own)
    assert caught.value.where is not None
    assert caught.value.where.line == 4
