"""Our verdicts in the words of other formats, in one place.

The rule is fail-safe: where a format has no word for *not established*, its failing word is used, and ours stands in a
free field. No verdict is ever computed from a derived format.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.judge.model import Verdict


@dataclass(frozen=True)
class Words:
    """One verdict in every format.

    Parameters:
        symbol: in our own reports, beside the word of the catalogue, so that colour is never the only sign.
        junit: element of a JUnit test case, or ``None`` for a plain pass.
        gitb: ``TestResultType`` of GITB TR.
        earl: EARL 1.0 outcome.
        ctrf: CTRF status (``rawStatus`` is our word).
        allure: Allure 2 status.
        sarif: SARIF 2.1.0 kind and level.
        ttcn3: TTCN-3 verdict (ETSI ES 201 873-1).
        in_toto: in-toto test-result v0.1, or ``None`` where nothing may be stated.
    """

    symbol: str
    junit: str | None
    gitb: str
    earl: str
    ctrf: str
    allure: str
    sarif: tuple[str, str]
    ttcn3: str
    in_toto: str | None


WORDS: Mapping[Verdict, Words] = {
    Verdict.PASS: Words(
        "✓", None, "SUCCESS", "passed", "passed", "passed", ("pass", "none"), "pass", "PASSED",
    ),
    Verdict.WARNING: Words(
        "▲", None, "WARNING", "passed", "passed", "passed", ("fail", "warning"), "pass", "WARNED",
    ),
    Verdict.REVIEW: Words(
        "◆", "error", "UNDEFINED", "cantTell", "pending", "unknown", ("review", "none"), "none", "FAILED",
    ),
    Verdict.INCONCLUSIVE: Words(
        "?", "error", "UNDEFINED", "cantTell", "other", "unknown", ("open", "none"), "inconc", "FAILED",
    ),
    Verdict.NOT_RUN: Words(
        "○", "error", "UNDEFINED", "untested", "pending", "skipped", ("open", "none"), "none", "FAILED",
    ),
    Verdict.FAIL: Words(
        "✕", "failure", "FAILURE", "failed", "failed", "failed", ("fail", "error"), "fail", "FAILED",
    ),
    Verdict.HARNESS_ERROR: Words(
        "!", "error", "UNDEFINED", "cantTell", "other", "broken", ("informational", "none"), "error", None,
    ),
    Verdict.NOT_APPLICABLE: Words(
        "—", "skipped", "UNDEFINED", "inapplicable", "skipped", "skipped", ("notApplicable", "none"), "none", None,
    ),
}  # fmt: skip


@dataclass(frozen=True)
class StatusWords:
    """Status of a requirement, for people. ``like`` is the verdict whose colour it wears."""

    symbol: str
    like: Verdict


STATUSES: Mapping[str, StatusWords] = {
    "passed": StatusWords("✓", Verdict.PASS),
    "passed with warning": StatusWords("▲", Verdict.WARNING),
    "failed": StatusWords("✕", Verdict.FAIL),
    "not verified": StatusWords("?", Verdict.INCONCLUSIVE),
    "not tested": StatusWords("○", Verdict.NOT_RUN),
    "not applicable": StatusWords("—", Verdict.NOT_APPLICABLE),
}


def is_unsteady(case: Mapping[str, Any]) -> bool:
    """Whether a case failed, and passed when it was played again."""
    return case["verdict"] in SETTLED and any(each["verdict"] == Verdict.FAIL for each in case.get("earlier", ()))


def words_of(case: Mapping[str, Any]) -> Words:
    """A case of the record in every format. What was broken once is never a plain pass: its demand is not verified."""
    return WORDS[Verdict.INCONCLUSIVE if is_unsteady(case) else Verdict(case["verdict"])]


SETTLED = frozenset({Verdict.PASS.value, Verdict.WARNING.value, Verdict.NOT_APPLICABLE.value})
"""Verdicts that need no attention."""
