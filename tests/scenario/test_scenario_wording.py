"""Titles of derived cases are read by people who have not written them."""
# ruff: noqa: E501 - titles are as long as they are

from __future__ import annotations

from collections import Counter

import pytest
from pack_kit import pack_named

from harness.scenario.derive import derive
from harness.scenario.model import Scenario

ETIR = pack_named("etir-4.3")


@pytest.fixture(scope="module")
def derived() -> dict[str, Scenario]:
    return {each.id: each for seat in ("platform", "customs.departure", "holder") for each in derive(ETIR, seat)}


@pytest.mark.parametrize(
    ("case", "title"),
    [
        ("content-E9-missing-Consignment.Consignor.Address.CityName",
         "E9 (Advance TIR data) is refused when Consignment/Consignor/Address/CityName is missing"),
        ("content-E9-length-Submitter.ID",
         "E9 (Advance TIR data) is refused when Submitter/ID is longer than 17 characters"),
        ("content-I13-pattern-IssueDateTime.DateTimeString",
         "I13 (Discharge TIR operation) is refused when IssueDateTime/DateTimeString does not match the required pattern"),
        ("content-I7-unexpected-Consignment.TransportEquipment.Seal",
         "I7 (Record declaration data) is refused when Consignment/TransportEquipment/Seal[1] contains an element that is not known"),
        ("content-I7-attribute-value-Declaration.TotalGrossMassMeasure.unitCode",
         "I7 (Record declaration data) is refused when the attribute unitCode of Declaration/TotalGrossMassMeasure has a value that is not allowed"),
        ("content-I7-rule-total-mass",
         "I7 (Record declaration data) is refused when Declaration/TotalGrossMassMeasure breaks a rule (The total gross mass is the sum of the gross masses of the goods items)"),
        ("content-I9-code-Control.TypeCode",
         "I9 (Start TIR operation) is refused when Control/TypeCode has a code that is not in the list Control types"),
        ("content-E10-missing-FunctionCode",
         "The answer E10 (Advance TIR data results) is not taken as an acceptance when FunctionCode is missing"),
    ],
)  # fmt: skip
def test_a_title_says_where_and_what(derived: dict[str, Scenario], case: str, title: str) -> None:
    assert derived[case].title == title


def test_no_title_speaks_of_patterns_and_facets(derived: dict[str, Scenario]) -> None:
    for each in derived.values():
        assert "'" not in each.title, each.id
        assert "the value " not in each.title, each.id


def test_a_purpose_promises_what_is_seen(derived: dict[str, Scenario]) -> None:
    purpose = {name: [bearer.purpose for bearer in each.bearers.values()] for name, each in derived.items()}
    assert purpose["content-I9-missing-Control"][0].endswith("is missing. The correct message is then accepted.")
    when = "while the guarantee is accepted and the declaration is recorded and the operation is none."
    assert all(each.endswith(when) for each in purpose["lifecycle-I9-accepted"])


def test_who_sends_reads_of_the_refusal_and_not_of_a_state_that_it_never_sees(derived: dict[str, Scenario]) -> None:
    told = "Whoever is told 301 in answer to a correct E9 (Advance TIR data) does not go on"
    assert [each.title for each in derive(ETIR, "holder") if each.id == "lifecycle-E9-guarantee-unknown"] == [told]
    seen = "E3 (Cancel guarantee) is refused with 203 while the guarantee is accepted"
    assert derived["lifecycle-E3-guarantee-accepted"].title == seen
    assert derived["lifecycle-I15-accepted"].title == "I15 (Notify customs) is accepted"


def test_no_two_cases_have_one_title(derived: dict[str, Scenario]) -> None:
    assert [title for title, count in Counter(each.title for each in derived.values()).items() if count > 1] == []
