"""The harness has teeth: every fault of a reference implementation is caught, and the faultless one is conformant.

On each commit a sample of the faults is tried, against the cases that carry the requirement; ``make nightly`` tries all
of them, against everything.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from harness.campaign import Result, Wish
from harness.demo import Show, demonstration
from harness.judge.model import RunVerdict, Status
from harness.pack.data import known_packs
from harness.pack.load import load_pack

PACKS = {
    "etir-4.3": load_pack("etir-4.3"),
    "neighbours": load_pack(Path(__file__).parent / "packs" / "neighbours"),
}
FAULTS = [(pack, fault) for pack, loaded in PACKS.items() for fault in loaded.faults]
ROLES = [(pack, role) for pack, loaded in PACKS.items() for role in loaded.roles]
SAMPLE = random.Random(20261123).sample(FAULTS, 8)
AT_ONCE = 32


def certify(pack: str, show: Show, out: Path, requirement: str | None = None) -> Result:
    """Play everything, or only the cases that carry a requirement where there are any."""
    with demonstration(show, Wish(fresh=True, adopt_assumed=True, at_once=AT_ONCE)) as (campaign, _):
        carrying = [case.id for case in campaign.plan.cases if requirement in case.requirements and not case.is_control]
        if carrying:
            campaign.choose(carrying)
        campaign.start(out)
        assert campaign.wait(120)
        return campaign.result()


def is_caught(pack: str, fault: str, out: Path, *, everything: bool) -> None:
    wanted = PACKS[pack].faults[fault].requirement
    show = Show(str(PACKS[pack].root), None, (fault,))
    judgement = certify(pack, show, out, None if everything else wanted).judgement
    status = {each.id: each.status for each in judgement.requirements}
    assert status[wanted] is Status.FAILED
    assert judgement.verdict is RunVerdict.NOT_CONFORMANT


@pytest.mark.parametrize(("pack", "fault"), SAMPLE)
def test_a_fault_is_caught(pack: str, fault: str, tmp_path: Path) -> None:
    is_caught(pack, fault, tmp_path / "bundle", everything=False)


@pytest.mark.nightly
@pytest.mark.parametrize(("pack", "fault"), FAULTS)
def test_every_fault_is_caught(pack: str, fault: str, tmp_path: Path) -> None:
    is_caught(pack, fault, tmp_path / "bundle", everything=True)


@pytest.mark.nightly
@pytest.mark.parametrize(("pack", "role"), ROLES)
def test_the_faultless_reference_is_conformant(pack: str, role: str, tmp_path: Path) -> None:
    result = certify(pack, Show(str(PACKS[pack].root), role, full=True), tmp_path / "bundle")
    counts = result.judgement.counts
    assert counts.passed == counts.executed == counts.required > 0
    if pack in known_packs():
        assert result.judgement.verdict is RunVerdict.CONFORMANT
