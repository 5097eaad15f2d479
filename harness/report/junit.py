"""JUnit XML, for build servers.

Written so that the strictest schema in use accepts it (``junit-10.xsd``), which has no place for properties of a case:
our own words stand in ``type``, ``message`` and ``system-out``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from lxml import etree

from harness.judge.model import Verdict
from harness.report.checked import xml_bytes
from harness.report.mapping import WORDS
from harness.report.plain import clean, details

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


def _case(case: Mapping[str, Any], record: Mapping[str, Any]) -> etree._Element:
    element = etree.Element(
        "testcase",
        name=clean(case["id"]),
        classname=clean(f"{record['pack']['id']}.{case['sut']}".replace("/", ".")),
        time=_seconds(case["seconds"]),
    )
    kind = WORDS[Verdict(case["verdict"])].junit
    if kind is not None:
        outcome = etree.SubElement(element, kind, type=case["verdict"], message=clean(case["reason"]))
        outcome.text = clean("\n".join(details(case)))
    if case["verdict"] == Verdict.WARNING.value:
        etree.SubElement(element, "system-out").text = clean(f"warning: {case['reason']}")
    return element


def _totals(cases: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    kinds = Counter(WORDS[Verdict(case["verdict"])].junit for case in cases)
    return {
        "tests": str(len(cases)),
        **{attribute: str(kinds[kind]) for kind, attribute in _COUNTED.items()},
        "time": _seconds(sum(case["seconds"] for case in cases)),
    }


def _seconds(value: float) -> str:
    return f"{value:.3f}"
