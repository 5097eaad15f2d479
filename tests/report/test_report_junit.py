from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from small_run import Run

from harness.judge.model import Verdict
from harness.report.junit import junit

SCHEMA = Path(__file__).parents[3] / "shared" / "data" / "report-schemas" / "junit" / "junit-10.xsd"


@pytest.fixture(scope="session")
def record(run: Run) -> dict[str, Any]:
    """A record with every verdict in it, and text that XML cannot hold."""
    made = run.record()
    for case, verdict in zip(made["cases"], Verdict, strict=False):
        case["verdict"] = verdict.value
        case["reason"] = f"because <{verdict.value}> & \x00\ud800"
        case["seconds"] = 1234.5
    return made


def cases_of(data: bytes) -> dict[str, etree._Element]:
    return {str(case.get("name")): case for case in etree.fromstring(data).iter("testcase")}


@pytest.mark.skipif(not SCHEMA.is_file(), reason="only on machines with junit-10.xsd beside the checkout")
def test_it_fits_the_strictest_schema_in_use(record: dict[str, Any]) -> None:
    schema = etree.XMLSchema(etree.parse(SCHEMA))
    schema.assertValid(etree.fromstring(junit(record)))


def test_every_case_is_there_and_the_sums_are_right(record: dict[str, Any]) -> None:
    root = etree.fromstring(junit(record))
    assert len(list(root.iter("testcase"))) == len(record["cases"]) == int(root.get("tests", "0"))
    for attribute, element in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        count = len(list(root.iter(element)))
        assert count == sum(int(suite.get(attribute, "0")) for suite in root.iter("testsuite"))


@pytest.mark.parametrize("verdict", list(Verdict))
def test_each_verdict_stands_as_the_table_says(verdict: Verdict, record: dict[str, Any]) -> None:
    case = next(case for case in record["cases"] if case["verdict"] == verdict.value)
    outcome = next((each for each in cases_of(junit(record))[case["id"]] if each.tag != "system-out"), None)
    expected = {"fail": "failure", "pass": None, "warning": None, "not_applicable": "skipped"}.get(
        verdict.value, "error"
    )
    assert (outcome.tag if outcome is not None else None) == expected
    if outcome is not None:
        assert outcome.get("type") == verdict.value
        assert f"<{verdict.value}>" in outcome.get("message", "")


def test_a_failure_says_what_was_expected_and_observed(run: Run) -> None:
    record = run.record()
    case = next(case for case in record["cases"] if case["verdict"] == "fail")
    text = cases_of(junit(record))[case["id"]][0].text or ""
    assert "expected: " in text
    assert "observed: " in text
    assert case["effect"] in text


def test_the_same_record_gives_the_same_bytes(record: dict[str, Any]) -> None:
    assert junit(record) == junit(record)
