"""A simulated party whose clock is off: what it says on the wire, and how the system under test is judged by it."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from play_kit import World

from harness.evidence.store import Store
from harness.message.envelope import open_envelope
from harness.pack.load import load_pack
from harness.security.markup import WSU

PACK = load_pack("etir-4.3")


def away(outcome, sender: str) -> list[float]:
    """Seconds by which the time stamps of a party are ahead of the moments at which its messages left, in order."""
    store = Store(outcome.world.folder / "evidence")
    found = []
    for event in outcome.events:
        if event.kind == "sent" and event.data["sender"] == sender:
            header = open_envelope(store.get(event.data["digest"]), PACK.security.soap).header
            (created,) = header.iter(f"{{{WSU}}}Created")
            found.append((datetime.fromisoformat(created.text) - datetime.fromisoformat(event.at)).total_seconds())
    return found


@pytest.mark.parametrize(("case", "minutes"), [("platform-clock-ahead", 3), ("platform-clock-behind", -3)])
def test_requests_and_answers_are_stamped_by_the_clock_of_whoever_signs(tmp_path: Path, case, minutes):
    outcome = asyncio.run(World(PACK, "customs", tmp_path, ("departure",)).run([f"{case}@departure"]))
    assert set(outcome.verdicts.values()) == {"pass"}
    stamped = away(outcome, "platform")
    assert len({event.data["role"] for event in outcome.events if event.kind == "sent"}) == 2
    assert {round(seconds / 60) for seconds in stamped} == {minutes}


def test_a_clock_that_is_put_right_is_believed_again(tmp_path: Path):
    outcome = asyncio.run(World(PACK, "platform", tmp_path).run(["customs-clock-far-ahead@platform"]))
    assert set(outcome.verdicts.values()) == {"pass"}
    minutes = [round(seconds / 60) for seconds in away(outcome, "customs.departure")]
    assert minutes.count(20) == 1
    assert set(minutes) == {0, 20}


@pytest.mark.parametrize(
    ("role", "position", "case", "fault"),
    [
        ("platform", (), "customs-clocks-ahead@platform", "forgives-no-fast-clock"),
        ("customs", ("transit",), "platform-clock-behind@transit", "relies-on-no-slow-platform"),
        ("platform", (), "customs-clock-far-behind@platform", "accepts-stale-message"),
    ],
)
def test_whoever_forgives_too_little_or_too_much_fails_its_purpose(tmp_path: Path, role, position, case, fault):
    outcome = asyncio.run(World(PACK, role, tmp_path, position, faults=(fault,)).run([case]))
    (verdict,) = (each for each in outcome.played.verdicts if each.case == case)
    assert verdict.verdict.value == "fail"
    assert verdict.requirements[PACK.faults[fault].requirement].value == "fail"


def test_our_own_values_are_of_the_same_clock(tmp_path: Path):
    outcome = asyncio.run(World(PACK, "platform", tmp_path).run(["customs-clocks-behind@platform"]))
    store = Store(tmp_path / "evidence")
    start = next(event for event in outcome.events if event.kind == "sent" and event.data["message"] == "I9")
    body = open_envelope(store.get(start.data["digest"]), PACK.security.soap).body
    (written,) = body.texts(PACK.messages["I9"].bindings["sent_at"].path)
    said = datetime.strptime(written, "%Y%m%d%H%M%SZ").replace(tzinfo=datetime.fromisoformat(start.at).tzinfo)
    assert abs(said - (datetime.fromisoformat(start.at) - timedelta(minutes=3))) < timedelta(seconds=30)
