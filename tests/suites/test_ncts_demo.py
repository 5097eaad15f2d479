"""The pack is played: the faultless reference is conformant in every position, and the faults are found."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.campaign import Result, Wish
from harness.demo import Show, demonstration
from harness.pack.load import load_pack

PACK = load_pack("ncts-p5")
POSITIONS = PACK.roles["customs"].positions
SOME = (
    "normal-movement@*",
    "guarantee-used-and-released@guarantee",
    "movement-query@enquiry",
    "recovery-requested@recovery",
)
"""A case for every position."""


def play(out: Path, select: tuple[str, ...], *faults: str) -> Result:
    show = Show("ncts-p5", "customs", faults, full=True)
    with demonstration(show, Wish(select=select, fresh=True, at_once=16)) as (campaign, _):
        campaign.start(out)
        while not campaign.wait(1):
            pass
        return campaign.result()


def test_the_reference_is_conformant_in_every_position(tmp_path: Path) -> None:
    result = play(tmp_path / "bundle", SOME)
    assert {each.case.partition("@")[2].partition("~")[0] for each in result.judgement.cases} == set(POSITIONS)
    assert [(each.case, each.reason) for each in result.judgement.cases if each.verdict.value != "pass"] == []


@pytest.mark.parametrize(
    ("fault", "case"),
    [
        ("accepts-unknown-arrival", "arrival-of-unknown-movement@departure"),
        ("takes-arrival-twice", "identification-used-again@departure"),
        ("goes-on-after-a-refusal", "identification-used-again@destination"),
        ("rejects-request-for-unknown-record", "record-of-unknown-movement@departure"),
    ],
)
def test_a_fault_is_killed_by_its_requirement(fault: str, case: str, tmp_path: Path) -> None:
    result = play(tmp_path / "bundle", (case,), fault)
    failed = {each.id for each in result.judgement.requirements if each.status.value == "failed"}
    assert PACK.faults[fault].requirement in failed


@pytest.mark.nightly
@pytest.mark.parametrize("position", POSITIONS)
def test_the_complete_suite_is_conformant(position: str, tmp_path: Path) -> None:
    result = play(tmp_path / "bundle", (f"*@{position}",))
    assert [(each.case, each.reason) for each in result.judgement.cases if each.verdict.value != "pass"] == []
