"""What is new from a step on: how a script says it, and whom it concerns from then on."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from pack_kit import pack_named

from harness.errors import ConfigurationFault
from harness.exchange.data import make_data
from harness.pack.model import Pack
from harness.scenario.load import load_scenario, load_scenarios
from harness.scenario.model import Case, FromSeats
from harness.scenario.project import exchanges, project

HEAD = """\
id: changed
version: 1
title: A value changes
effect: None; it is a test.
bearers:
  platform: {purpose: Takes what is new., requirements: [ETIR-I11-OK]}
steps:
  - {exchange: I11, from: customs.departure, to: platform, %s}
"""


@pytest.fixture(scope="module")
def pack() -> Pack:
    return pack_named("etir-4.3")


def case(pack: Pack, name: str, seat: str) -> Case:
    found = project(next(each for each in load_scenarios(pack) if each.id == name), pack, seat)
    assert found is not None
    return found


def told(played: Case, event: str) -> list[set[str]]:
    """To whom each event of this kind is told, in order of the events."""
    by_cause: dict[str, set[str]] = {}
    for step in exchanges(played.steps):
        if step.message == "I15" and step.event == event:
            by_cause.setdefault(step.id.partition("/")[0], set()).add(step.receiver)
    return list(by_cause.values())


def test_only_the_countries_of_the_route_as_it_then_is_are_told(pack: Pack) -> None:
    extended = case(pack, "route-extended", "platform")
    assert told(extended, "DEC") == [{"customs.transit"}, {"customs.departure", "customs.destination"}]
    assert told(extended, "STA")[0] == {"customs.transit"}
    shortened = case(pack, "route-shortened", "platform")
    assert told(shortened, "DEC") == [{"customs.transit", "customs.destination"}, {"customs.departure"}]
    assert told(shortened, "TER")[-1] == {"customs.departure"}


def test_a_route_is_made_from_the_facts_of_its_seats(pack: Pack) -> None:
    played = case(pack, "route-extended", "platform")
    data = make_data(
        pack, played, seed=0, serial=0, token="t", now=datetime(2026, 11, 28, tzinfo=UTC), draw=lambda *_: "x"
    )
    given = [data.given(step, "itinerary", {}) for step in exchanges(played.steps) if "itinerary" in step.changes]
    assert given == [["UZ", "TM"], ["UZ", "TM", "AZ"]]


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ("changes: {itinerary: {seats: [customs.departure]}}", None),
        ("changes: {seals: {seats: [customs.departure]}}", "not made from the facts of seats"),
        ("changes: {itinerary: {seats: [customs.nowhere]}}", "customs.nowhere"),
        ("changes: {seals: [A1]}, with: {seals: [A2]}", "seals is set twice"),
        ("changes: {seals: [A1]}, when: simulated", "changes nothing for the others"),
        ("changes: {colour: red}", "colour"),
    ],
)
def test_what_a_script_may_change(pack: Pack, tmp_path: Path, options: str, what: str | None) -> None:
    file = tmp_path / "changed.yaml"
    file.write_text(HEAD % options)
    if what is None:
        (step,) = exchanges(load_scenario(file, pack).steps)
        assert (step.changes, step.values["itinerary"]) == ({"itinerary"}, FromSeats(("customs.departure",)))
        return
    with pytest.raises(ConfigurationFault, match=what):
        load_scenario(file, pack)
