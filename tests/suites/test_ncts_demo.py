"""The pack is played: the faultless reference is conformant in every position, and the faults are found."""

from __future__ import annotations

from pathlib import Path

import pytest
from pack_kit import pack_named

from harness.campaign import Result, Wish
from harness.demo import Show, demonstration
from harness.scenario.plan import Parameters, Subject, make_plan

PACK = pack_named("ncts-p5")
POSITIONS = PACK.roles["customs"].positions
SOME = (
    "normal-movement@*",
    "record-for-each-recipient@*",
    "*-discrepancies*@departure",
    "consignment-with-result-a1@*",
    "carrier-outside-the-security-area@*",
    "risk-result-outside-the-community@*",
    "long-identification-*@*",
    "diversion-at-destination@transit",
    "movement-leaves-the-security-area@*",
    "enquiry-information@*",
    "guarantee-used-and-released@guarantee",
    "movement-query@enquiry",
    "recovery-requested@recovery",
)
"""Cases for every position: control results, recipients and dates among them."""


PATIENT = f"""id: patient
version: "1"
extends: {PACK.id}
title: The same with more time, for busy computers
provenance: As below.
timers: {{answer: 30s, response: 30s, objection: 6s, notification: 30s}}
"""
"""Who takes silence for acceptance must not do so while a busy computer still writes the rejection."""


def play(out: Path, select: tuple[str, ...], *faults: str, role: str = "customs") -> Result:
    overlay = out.parent / "patient"
    overlay.mkdir(exist_ok=True)
    (overlay / "pack.yaml").write_text(PATIENT, "utf-8")
    show = Show(str(overlay), role, faults, full=True)
    with demonstration(show, Wish(select=select, fresh=True, at_once=64)) as (campaign, _):
        campaign.start(out)
        while not campaign.wait(1):
            pass
        return campaign.result()


def test_the_reference_is_conformant_in_every_position(tmp_path: Path) -> None:
    result = play(tmp_path / "bundle", SOME)
    assert {each.case.partition("@")[2].partition("~")[0] for each in result.judgement.cases} == set(POSITIONS)
    assert [(each.case, each.reason) for each in result.judgement.cases if each.verdict.value != "pass"] == []


@pytest.mark.parametrize("role", ["centre", "export-system"])
def test_a_role_without_positions_is_conformant(role: str, tmp_path: Path) -> None:
    result = play(tmp_path / "bundle", (f"*@{role}",), role=role)
    assert [(each.case, each.reason) for each in result.judgement.cases if each.verdict.value != "pass"] == []
    assert result.exit_code == 0
    assert any(each.status.value == "passed" for each in result.judgement.requirements)


@pytest.mark.parametrize("role", PACK.roles)
def test_every_negative_case_has_its_positive_control(role: str) -> None:
    cases = make_plan(PACK, Subject(role), Parameters()).cases
    assert [case.id for case in cases if case.negative and case.control is None] == []


@pytest.mark.parametrize(
    "cases",
    [
        {
            "accepts-unknown-arrival": "arrival-of-unknown-movement@departure",
            "goes-on-after-a-refusal": "identification-used-again@destination",
            "tells-carrier-to-everybody": "record-for-each-recipient@departure",
            "takes-discrepancies-without-words": "discrepancies-not-described@departure",
            "solves-what-was-not-found": "nothing-to-solve@destination",
        },
        {
            "takes-arrival-twice": "identification-used-again@departure",
            "hides-risk": "record-for-each-recipient@departure",
            "forgets-the-transition": "long-identification-in-the-transition@departure",
            "rejects-request-for-unknown-record": "record-of-unknown-movement@departure",
            "forgets-what-was-found": "discrepancies-solved@destination",
        },
    ],
)
def test_faults_are_killed_by_their_requirements(cases: dict[str, str], tmp_path: Path) -> None:
    result = play(tmp_path / "bundle", tuple(cases.values()), *cases)
    found = {each.case: each.requirements for each in result.judgement.cases}
    survived = [name for name, case in cases.items() if found[case].get(PACK.faults[name].requirement) != "fail"]
    assert survived == []


@pytest.mark.nightly
@pytest.mark.parametrize("position", POSITIONS)
def test_the_complete_suite_is_conformant(position: str, tmp_path: Path) -> None:
    result = play(tmp_path / "bundle", (f"*@{position}",))
    assert [(each.case, each.reason) for each in result.judgement.cases if each.verdict.value != "pass"] == []
