"""What depends on the recipient and on the date: the same message made for other countries, and with another clock."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pack_kit import pack_named

from harness.evidence.conversation import Conversation
from harness.exchange.compose import compose_request
from harness.exchange.data import make_data
from harness.message.model import Document
from harness.pack.rule import rule_violations
from harness.pack.trial import schema_trials
from harness.reference.mint import Mint, Occasion, Writer
from harness.reference.world import World
from harness.scenario.plan import Parameters, Subject, make_plan
from harness.scenario.project import exchanges

PACK = pack_named("ncts-p5")
NOW = datetime(2026, 3, 2, 8, 30, tzinfo=UTC)
CARRIER, RISK = "Consignment/Carrier", "RiskAnalysisIdentification"


def made(case_id: str, message: str, now: datetime = NOW, **country: str) -> Document:
    """A message as a simulated party sends it, to a system in that country where one is given."""
    position = case_id.partition("@")[2]
    facts = {f"customs.{position}": country} if country else {}
    plan = make_plan(PACK, Subject("customs", (position,), facts=facts), Parameters(select=(case_id,)))
    case = next(each for each in plan.cases if each.id == case_id)
    data = make_data(PACK, case, seed=0, serial=0, token="T" * 16, now=now, draw=lambda *_: "")
    step = next(each for each in exchanges(case.steps) if each.message == message)
    return compose_request(data, Conversation(PACK), step, now).document


@pytest.mark.parametrize(
    ("position", "message", "country", "carrier", "risk"),
    [
        ("destination", "CD001C", {}, False, False),
        ("transit", "CD050C", {}, True, False),
        ("transit", "CD050C", {"country": "DE", "id": "NTA.DE"}, True, True),
        ("destination", "CD001C", {"country": "SI", "id": "NTA.SI"}, True, True),
    ],
)
def test_a_recipient_gets_what_its_country_may_know(
    position: str, message: str, country: dict[str, str], carrier: bool, risk: bool
) -> None:
    document = made(f"record-for-each-recipient@{position}", message, **country)
    assert (bool(document.pointers(CARRIER)), bool(document.pointers(RISK))) == (carrier, risk)
    assert list(rule_violations(PACK, message, document)) == []


@pytest.mark.parametrize(("receiver", "carrier"), [("customs.transit", True), ("customs.destination", False)])
def test_the_reference_implementation_does_the_same(receiver: str, carrier: bool) -> None:
    facts = {name: party.facts for name, party in PACK.parties.items()}
    writer = Writer(PACK, "customs", Mint("seed", {}), World(PACK, "customs", facts))
    values = writer.values("CD001C", Occasion("customs.departure", receiver, "customs.departure"))
    assert ("carrier" not in values) == carrier
    assert values["risk"] is None


@pytest.mark.parametrize(
    ("now", "broken"),
    [
        (datetime(2025, 1, 20, 23, 59, 59, tzinfo=UTC), ["T1120"]),
        (datetime(2025, 1, 21, 0, 0, 0, tzinfo=UTC), []),
    ],
)
def test_the_clock_decides_which_rules_hold(now: datetime, broken: list[str]) -> None:
    document = made("lifecycle-CD006C-accepted@departure", "CD006C", now)
    assert document.texts("preparationDateAndTime") == [now.strftime("%Y-%m-%dT%H:%M:%S")]
    assert [each.rule for each in rule_violations(PACK, "CD006C", document)] == broken


@pytest.mark.parametrize("message", ["CD001C", "CD050C", "CD160C"])
def test_no_derived_case_shows_a_mistake_at_what_only_some_recipients_get(message: str) -> None:
    told = {trial.found.pointer for trial in schema_trials(PACK, message)}
    assert "/Consignment" in told
    assert [pointer for pointer in told if pointer.startswith((f"/{CARRIER}", f"/{RISK}"))] == []
