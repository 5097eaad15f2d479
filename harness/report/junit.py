"""JUnit XML, for build servers.

Written so that the strictest schema in use accepts it (``junit-10.xsd``), which has no place for properties of a case:
our own words stand in ``type``, ``message`` and ``system-out``. What a case showed before it was played again stands in
``flakyFailure`` and ``rerunFailure`` (and ``...Error``), as Maven Surefire writes them: the first where it passed then.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from lxml import etree

from harness.judge.model import Verdict
from harness.report.checked import xml_bytes
from harness.report.mapping import SETTLED, is_unsteady, words_of
from harness.report.plain import Case, clean, details, earlier, said

_COUNTED = {"failure": "failures", "error": "errors", "skipped": "skipped"}


def junit(record: Mapping[str, Any]) -> bytes:
    """The record as JUnit: one suite for each group of cases, in playing order within it."""
    root = etree.Element("testsuites", name=clean(f"{record['pack']['id']} {record['role']}"))
    cases = sorted(record["cases"], key=lambda case: str(case["group"]))
    for attribute, value in _totals(cases).items():
        if attribute != "skipped":
            root.set(attribute, value)
    for group, members in groupby(cases, key=lambda case: str(case["group"])):
        root.append(_suite(group, list(members), record))
    return xml_bytes("junit", root)


def _suite(group: str, cases: Sequence[Mapping[str, Any]], record: Mapping[str, Any]) -> etree._Element:
    suite = etree.Element("testsuite", name=clean(group))
    for attribute, value in _totals(cases).items():
        suite.set(attribute, value)
    if record["started"]:
        suite.set("timestamp", record["started"])
    properties = etree.SubElement(suite, "properties")
    for name, value in (
        ("pack", f"{record['pack']['id']} {record['pack']['version']}"),
        ("role", record["role"]),
        ("baseline", record["plan"]["baseline"]),
        ("environment", record["plan"]["environment"]),
        ("run verdict", record["verdict"]),
    ):
        etree.SubElement(properties, "property", name=name, value=clean(value))
    suite.extend(_case(case, record) for case in cases)
    return suite


def _case(case: Case, record: Mapping[str, Any]) -> etree._Element:
    element = etree.Element(
        "testcase",
        name=clean(case["id"]),
        classname=clean(f"{record['pack']['id']}.{case['sut']}".replace("/", ".")),
        time=_seconds(case["seconds"]),
    )
    kind = words_of(case).junit
    if kind is not None:
        reason = said(case) if is_unsteady(case) else case["reason"]
        _outcome(element, kind, case, reason)
    lines = [f"warning: {case['reason']}"] if case["verdict"] == Verdict.WARNING else []
    for attempt in earlier(case):
        lines.append(f"attempt {attempt['attempt']}: {attempt['verdict']}: {attempt['reason']}")
        if (before := words_of(attempt).junit) in ("failure", "error"):
            again = "flaky" if case["verdict"] in SETTLED else "rerun"
            _outcome(element, f"{again}{before.title()}", attempt, attempt["reason"])
    if lines:
        etree.SubElement(element, "system-out").text = clean("\n".join(lines))
    return element


def _outcome(element: etree._Element, kind: str, case: Case, reason: str) -> None:
    outcome = etree.SubElement(element, kind, type=case["verdict"], message=clean(reason))
    outcome.text = clean("\n".join(details(case)))


def _totals(cases: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    kinds = Counter(words_of(case).junit for case in cases)
    return {
        "tests": str(len(cases)),
        **{attribute: str(kinds[kind]) for kind, attribute in _COUNTED.items()},
        "time": _seconds(sum(case["seconds"] for case in cases)),
    }


def _seconds(value: float) -> str:
    return f"{value:.3f}"
