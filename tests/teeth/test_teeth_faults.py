"""The harness has teeth: every fault of a reference implementation is caught, and nothing correct is refused.

On each commit a sample is tried, with the cases that it can affect; ``make nightly`` tries everything.
"""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path

import pytest

from harness.campaign import Wish
from harness.demo import Show, demonstration
from harness.judge.model import RunVerdict
from harness.pack.data import known_packs
from harness.teeth.choose import affected, usual
from harness.teeth.model import Bite, Trial, complaints, row_of
from harness.teeth.trial import cases_of, pack_of, try_all, try_variations

OWN = Path(__file__).parents[1] / "packs"
PACKS = ("etir-4.3", str(OWN / "neighbours"), str(OWN / "letters"))
FAULTS = [(pack, fault.id) for pack in PACKS for fault in pack_of(pack).faults.values()]
VARIATIONS = [
    (pack, role, each.id) for pack in PACKS for each in pack_of(pack).variations.values() for role in each.roles
]
ROLES = [(pack, role) for pack in PACKS for role in pack_of(pack).roles]
SEED = 20261123


def fault_trial(pack: str, name: str) -> Trial:
    fault = pack_of(pack).faults[name]
    return Trial(pack, fault.role, name, affected(pack_of(pack), fault, cases_of(pack, fault.role)))


def variation_trial(pack: str, role: str, name: str) -> Trial:
    return Trial(pack, role, name, usual_of(pack, role), variation=True)


@cache
def usual_of(pack: str, role: str) -> tuple[str, ...]:
    return usual(cases_of(pack, role))


def all_bite(faults: list[tuple[str, str]]) -> None:
    alive = []
    for observed in try_all([fault_trial(*each) for each in faults]):
        fault = pack_of(observed.trial.pack).faults[observed.trial.switch]
        row = row_of(observed, fault.title, fault.requirement)
        if row.bite is not Bite.KILLED or observed.verdict != RunVerdict.NOT_CONFORMANT:
            alive.append((row.fault, row.bite.value, observed.reason))
    assert not alive


def test_a_sample_of_the_faults_is_caught() -> None:
    all_bite(random.Random(SEED).sample(FAULTS, 10))


@pytest.mark.nightly
def test_every_fault_is_caught() -> None:
    all_bite(FAULTS)


def none_complains(variations: list[tuple[str, str, str]]) -> None:
    trials = [variation_trial(*each) for each in variations]
    assert {each.trial.switch: complaints(each) for each in try_variations(trials) if complaints(each)} == {}


@pytest.mark.nightly
@pytest.mark.parametrize(("pack", "role"), ROLES)
def test_the_faultless_reference_is_conformant(pack: str, role: str, tmp_path: Path) -> None:
    with demonstration(Show(pack, role, full=True), Wish(fresh=True, adopt_assumed=True, at_once=32)) as (campaign, _):
        campaign.start(tmp_path / "bundle")
        assert campaign.wait(300)
        judgement = campaign.result().judgement
    counts = judgement.counts
    assert counts.passed == counts.executed == counts.required > 0
    if pack in known_packs():
        assert judgement.verdict is RunVerdict.CONFORMANT


def test_a_sample_of_the_legal_variations_is_not_complained_about() -> None:
    none_complains(random.Random(SEED).sample([each for each in VARIATIONS if each[1] == "holder"], 3))


@pytest.mark.nightly
def test_no_legal_variation_is_complained_about() -> None:
    none_complains(VARIATIONS)
