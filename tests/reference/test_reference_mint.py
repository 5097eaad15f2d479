"""What a reference party writes when nobody has said it yet."""

from __future__ import annotations

import pytest
from pack_kit import pack_named

from harness.reference.mint import Mint, Occasion, Writer
from harness.reference.world import World

PACK = pack_named("etir-4.3")


@pytest.mark.parametrize(("guarantee", "country"), [("XC95000017", "UZ"), ("XK96000017", "KG")])
def test_what_belongs_to_no_position_yet_names_the_first_country_of_its_own_route(guarantee: str, country: str) -> None:
    facts = {seat: party.facts for seat, party in PACK.parties.items()}
    writer = Writer(PACK, "platform", Mint("seed", PACK.pools), World(PACK, "platform", facts))
    told = Occasion(
        "platform", "customs.destination", "customs.departure", request={"guarantee": guarantee}, event="DEC"
    )
    assert writer.values("I15", told)["country"] == country
    heard = Occasion(
        "platform",
        "customs.destination",
        "customs.departure",
        request={"guarantee": guarantee, "country": "TJ"},
        event="STA",
    )
    assert writer.values("I15", heard)["country"] == "TJ"
