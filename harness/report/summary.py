"""The summary: two pages for people who sign, as a page and as a PDF.

Both say the same, from the same facts: who, which verdict, the three numbers, until when it holds if it does,
and what failed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.report.html import day, render, short
from harness.report.mapping import STATUSES
from harness.report.matrix import matrix
from harness.report.plain import moment
from harness.report.texts import DEFAULT, Texts, texts
from harness.report.view import conditions, heading, until

MOST = 8
"""Failed requirements, and waivers, that are named."""


def summary_page(record: Mapping[str, Any], language: str = DEFAULT) -> bytes:
    """The summary as a page.

    Parameters:
        record: see :func:`harness.record.aggregate.make_record`.
        language: of the page; what judge, pack and system say is not translated.
    """
    words = texts(language)
    values = {
        **heading(record, words),
        "facts": certificate_facts(record, words),
        "matrix": matrix(record),
        "failed": failed(record),
        "most": MOST,
    }
    return render("summary.html.j2", values, language)


def certificate_facts(record: Mapping[str, Any], words: Texts) -> list[tuple[str, str]]:
    """What stands in the certificate: label and value, as plain text."""
    sut, pack, plan = record["sut"], record["pack"], record["plan"]
    not_stated = words.plain("not-stated")
    version = [words.plain("facts.version", version=sut["version"])] if sut["version"] else []
    held, last = until(record), day(record["validity"]["until"])
    return [
        (words.plain(f"facts.{key}"), value)
        for key, value in (
            ("authority", sut["authority"] or not_stated),
            ("system", words.listed((sut["product"] or not_stated, *version))),
            ("profile", f"{pack['title']} {pack['version']} ({words.listed((pack['id'], short(pack['digest'])))})"),
            ("played", " / ".join(words.kept(moment(record[name])) for name in ("started", "finished"))),
            *([("until", words.plain(held, day=last))] if held else []),
            ("assurance", words.plain(f"assurance.{record['assurance']}")),
            (
                "plan",
                words.plain("facts.plan-value", baseline=plan["baseline"], environment=plan["environment"]),
            ),
            ("challenge", plan["challenge"] or words.plain("facts.challenge-none")),
            ("conditions", " ".join(conditions(record, words))),
        )
    ]


def failed(record: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Demands that are broken, then those that are not verified, each in the order of the record."""
    order = [status for status in STATUSES if status in ("failed", "not verified")]
    found = [each for each in record["requirements"] if each["status"] in order and each["level"] == "MUST"]
    return sorted(found, key=lambda each: order.index(each["status"]))
