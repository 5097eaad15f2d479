"""Every report that is derived from the record. Each is a pure function of the record and the evidence."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from harness.report.allure import allure
from harness.report.ctrf import ctrf
from harness.report.earl import earl
from harness.report.gitb import gitb
from harness.report.html import html
from harness.report.junit import junit
from harness.report.sarif import sarif
from harness.report.summary import summary_page
from harness.report.texts import DEFAULT
from harness.report.view import Fetch

Derive = Callable[[Mapping[str, Any], Fetch], bytes]
Page = Callable[[Mapping[str, Any], Fetch | None, str], bytes]


def summary(record: Mapping[str, Any]) -> bytes:
    """The verdict in one line of JSON, for scripts."""
    line = {
        "verdict": record["verdict"],
        "reason": record["reason"],
        **record["counts"],
        "pack": f"{record['pack']['id']} {record['pack']['version']}",
        "role": record["role"],
        "positions": record["positions"],
        "assurance": record["assurance"],
        "baseline": record["plan"]["baseline"],
        "environment": record["plan"]["environment"],
        "finished": record["finished"],
        "repeated": sum("earlier" in case for case in record["cases"]),
        "failed": [each["id"] for each in record["requirements"] if each["status"] == "failed"],
    }
    return json.dumps(line, ensure_ascii=False).encode() + b"\n"


def _in_its_language(page: Page) -> Derive:
    return lambda record, fetch: page(record, fetch, record.get("language", DEFAULT))


def _of_record(make: Callable[[Mapping[str, Any]], bytes]) -> Derive:
    return lambda record, fetch: make(record)  # noqa: ARG005 - all share one form


def summary_pdf(record: Mapping[str, Any], language: str = DEFAULT) -> bytes:
    """The summary as a PDF; its library is loaded when it is needed, because that takes longer than most commands."""
    from harness.report import pdf

    return pdf.summary_pdf(record, language)


PAGES: Mapping[str, Page] = {
    "report.html": html,
    "summary.html": lambda record, fetch, language: summary_page(record, language),  # noqa: ARG005 - one form
    "summary.pdf": lambda record, fetch, language: summary_pdf(record, language),  # noqa: ARG005
}
"""Reports for people, which can be made in every language of the catalogues."""

DERIVED: Mapping[str, Derive] = {
    "junit.xml": _of_record(junit),
    "gitb-tr.xml": _of_record(gitb),
    "ctrf.json": _of_record(ctrf),
    "earl.jsonld": _of_record(earl),
    "sarif.json": _of_record(sarif),
    "allure-results.zip": _of_record(allure),
    "summary.json": _of_record(summary),
    **{name: _in_its_language(page) for name, page in PAGES.items()},
}
"""File name below ``derived/`` to what makes it; the pages come last, because what they load stays in memory."""
