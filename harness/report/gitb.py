"""GITB TR: a conformance statement report, for test beds that speak it.

The format has no words for *inconclusive*, *review* or *not run*: they are ``UNDEFINED`` and counted as incomplete, and
our own word stands at the start of the case's ``message``. The steps of earlier attempts stand before those of the last
one, with ids that begin with ``attempt 1:``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from lxml import etree
from lxml.builder import ElementMaker

from harness.judge.model import RunVerdict, Verdict
from harness.report.checked import xml_bytes_of_many
from harness.report.mapping import WORDS, is_unsteady, words_of
from harness.report.plain import Case, clean, details, earlier, ended, identity, said, started

_TR, _CORE = "http://www.gitb.com/tr/v1/", "http://www.gitb.com/core/v1/"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_TYPE = f"{{{_XSI}}}type"
_E = ElementMaker(namespace=_TR, nsmap={None: _TR, "gitb": _CORE, "xsi": _XSI})
_C = ElementMaker(namespace=_CORE)
_RUN = {RunVerdict.CONFORMANT.value: "SUCCESS", RunVerdict.NOT_CONFORMANT.value: "FAILURE"}
_COUNTED = {"SUCCESS": "succeeded", "WARNING": "succeeded", "FAILURE": "failed", "UNDEFINED": "incomplete"}


def gitb(record: Mapping[str, Any]) -> bytes:
    """The record as a conformance statement report."""
    cases = sorted(record["cases"], key=lambda case: str(case["group"]))
    sut, pack = record["sut"], record["pack"]
    frame = _E.ConformanceStatementReport(
        _E.metadata(_E.reportTime(record["finished"])),
        _E.statement(
            {"id": identity(record)},
            _E.definition(
                _E.party(
                    _E.organisation(_named(sut["authority"])),
                    _E.system(
                        _named(sut["product"]),
                        _E.version(clean(sut["version"])),
                        _E.description(clean(f"plan {record['plan']['baseline']} {record['plan']['environment']}")),
                    ),
                ),
                _E.domain(_named(pack["id"])),
                _E.specification(_named(f"{pack['title']} {pack['version']}"), _E.description(clean(pack["notice"]))),
                _E.actor(_named(" ".join([record["role"], *record["positions"]]))),
            ),
            _summary(record),
            _E.lastUpdate(record["finished"]),
            _E.testOverview(*(_suite(group, list(each)) for group, each in groupby(cases, lambda case: case["group"]))),
            _E.testDetails(),
        ),
    )
    return xml_bytes_of_many("gitb", frame, "testDetails", (_case(record, case) for case in cases))


def _named(text: str) -> etree._Element:
    return _E.name(clean(text) or "not stated")


def _about(name: str, version: object = None, description: str = "") -> etree._Element:
    about = _E.metadata(_C.name(clean(name)))
    if version is not None:
        about.append(_C.version(str(version)))
    if description:
        about.append(_C.description(clean(description)))
    return about


def _summary(record: Mapping[str, Any]) -> etree._Element:
    """The counters; cases that do not concern the system are the ignored ones."""
    counts = Counter(_counter(case) for case in record["cases"])
    names = ("succeeded", "failed", "incomplete", "succeededIgnored", "failedIgnored", "incompleteIgnored")
    summary = _E.summary(_E.status(_RUN.get(record["verdict"], "UNDEFINED")))
    summary.extend(_E(name, str(counts[name])) for name in names)
    return summary


def _counter(case: Case) -> str:
    counter = _COUNTED[_word(case)]
    return f"{counter}Ignored" if case["verdict"] == Verdict.NOT_APPLICABLE else counter


def _word(case: Case) -> str:
    return words_of(case).gitb


def _suite(group: str, cases: Sequence[Case]) -> etree._Element:
    worst = max(cases, key=lambda case: (Verdict(case["verdict"]).rank, is_unsteady(case)))
    rows = [
        _E.testCase(
            {"optional": "false", "ref": clean(case["id"])}, _about(case["id"], case["version"]), _E.result(_word(case))
        )
        for case in cases
    ]
    return _E.testSuite(_about(group), _E.result(_word(worst)), _E.testCases(*rows))


def _case(record: Mapping[str, Any], case: Case) -> etree._Element:
    return _E.testCase(
        {"id": clean(case["id"])},
        _about(case["title"], case["version"], case["purpose"]),
        _E.sessionId(identity(record, case["id"])),
        _E.startTime(started(record, case)),
        _E.endTime(ended(record, case)),
        _E.result(_word(case)),
        _E.message(clean(said(case))),
        *(_E.message(clean(line)) for line in details(case)),
        _E.steps(
            *(
                _step(step, started(record, attempt), f"attempt {attempt['attempt']}: ")
                for attempt in earlier(case)
                for step in attempt["steps"]
            ),
            *(_step(step, started(record, case)) for step in case["steps"]),
        ),
    )


def _step(step: Mapping[str, Any], begun: str, attempt: str = "") -> etree._Element:
    date = step["clocks"].get("answer") or step["clocks"].get("request") or begun
    report = _E.report({_TYPE: "TAR"}, _E.date(date), _E.result(WORDS[Verdict(step["verdict"])].gitb))
    if step["findings"]:
        report.append(_E.reports(*map(_finding, step["findings"])))
    text = f"{step['verdict']}: {step['reason']}"
    return _E.step({"id": clean(attempt + step["id"])}, _E.description(clean(text)), report)


def _finding(finding: Mapping[str, Any]) -> etree._Element:
    return _E(
        finding["severity"],
        {_TYPE: "BAR"},
        _E.assertionID(clean(finding["requirement"] or finding["code"])),
        _E.description(clean(finding["message"])),
        _E.location(clean(finding["pointer"])),
        _E.type(clean(f"{finding['check']} {finding['code']}")),
    )
