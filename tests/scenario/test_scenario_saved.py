"""Values that one step saves for another, and checks that a script names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pack_kit import pack_named

from harness.check.named import hookimpl, named_checks, register, unregister
from harness.errors import ConfigurationFault
from harness.pack.model import Pack
from harness.scenario.contradiction import contradictions
from harness.scenario.load import load_scenario, load_scenarios
from harness.scenario.model import CheckCall, Exchange, FromSaved, Scenario

HEAD = """\
id: saved
version: 1
title: A value is saved and used
effect: None; it is a test.
bearers:
  customs.import: {purpose: Reports the arrival., requirements: [NB-SAME]}
steps:
"""
STEPS = """\
  - exchange: notice
    from: customs.export
    to: customs.import
    save: {number: {request: consignment}, plate: {request: vehicle/plate}}
  - exchange: arrival
    from: customs.import
    to: customs.export
    with: {consignment: {saved: number}}
    check: {name: same, with: {plate: {saved: plate}}}
"""


class Plugin:
    """What an installed package would give."""

    @hookimpl
    def c2c_checks(self) -> object:
        return {"same": lambda subject, parameters: ()}


@pytest.fixture(autouse=True)
def plugin() -> Iterator[None]:
    own = Plugin()
    register(own)
    yield
    unregister(own)


@pytest.fixture(scope="module")
def pack() -> Pack:
    return pack_named("neighbours")


def loaded(pack: Pack, folder: Path, steps: str) -> Scenario:
    file = folder / "saved.yaml"
    file.write_text(HEAD + steps, "utf-8")
    return load_scenario(file, pack)


def test_a_step_saves_and_a_later_one_uses(pack: Pack, tmp_path: Path) -> None:
    first, second = loaded(pack, tmp_path, STEPS).steps
    assert isinstance(first, Exchange)
    assert isinstance(second, Exchange)
    assert first.save == {"number": ("request", "consignment"), "plate": ("request", "vehicle/plate")}
    assert second.values == {"consignment": FromSaved("number")}
    assert second.check == CheckCall("same", {"plate": FromSaved("plate")})
    assert second.check.resolved({"plate": "AB-1"}) == {"plate": "AB-1"}


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("saved: number", "saved: nummer", "no saved value of an earlier step 'nummer'"),
        ("name: same", "name: sane", "no check 'sane'"),
        ("request: consignment", "answer: '[x'", "no bound name of notice-result, and no path"),
        ("{plate: {saved: plate}}", "{plate: {pool: carriers}}", "takes no value from a pool"),
    ],
)
def test_a_mistake_is_told(pack: Pack, tmp_path: Path, old: str, new: str, says: str) -> None:
    with pytest.raises(ConfigurationFault, match=says) as fault:
        loaded(pack, tmp_path, STEPS.replace(old, new, 1))
    assert fault.value.where is not None
    assert fault.value.where.line is not None


def test_the_table_knows_what_was_saved(pack: Pack, tmp_path: Path) -> None:
    same = loaded(pack, tmp_path, STEPS)
    assert not list(contradictions(same, pack))
    unknown = "  - exchange: notice" + STEPS.partition("  - exchange: notice")[2].replace(
        "with: {consignment: {saved: number}}", "with: {consignment: XA26AA000000}"
    )
    assert list(contradictions(loaded(pack, tmp_path, unknown), pack))


def test_a_reference_that_was_seen_makes_a_duplicate() -> None:
    pack = pack_named("ncts-p5")
    scenario = next(each for each in load_scenarios(pack) if each.id == "identification-used-again")
    assert not list(contradictions(scenario, pack))
    fresh = tuple(replace(step, values={}) if isinstance(step, Exchange) else step for step in scenario.steps)
    assert len(list(contradictions(replace(scenario, steps=fresh), pack))) == 1


def test_two_packages_cannot_give_one_check() -> None:
    other = Plugin()
    register(other)
    try:
        with pytest.raises(ConfigurationFault, match="two installed packages"):
            named_checks()
    finally:
        unregister(other)
