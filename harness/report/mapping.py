"""Our verdicts in the words of other formats, in one place.

The rule is fail-safe: where a format has no word for *not established*, its failing word is used, and ours stands in a
free field. No verdict is ever computed from a derived format.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.judge.model import Verdict


@dataclass(frozen=True)
class Words:
    """One verdict in every format.

    Parameters:
        symbol, word, meaning: in our own reports; a symbol and a word, so that colour is never the only sign.
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
    word: str
    meaning: str
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
        "✓", "Pass", "Everything that the test purpose demands was observed.",
        None, "SUCCESS", "passed", "passed", "passed", ("pass", "none"), "pass", "PASSED",
    ),
    Verdict.WARNING: Words(
        "▲", "Pass with warning", "The purpose is met; a recommendation (SHOULD) is not.",
        None, "WARNING", "passed", "passed", "passed", ("fail", "warning"), "pass", "WARNED",
    ),
    Verdict.REVIEW: Words(
        "◆", "Review", "A person must look before this can be decided.",
        "error", "UNDEFINED", "cantTell", "pending", "unknown", ("review", "none"), "none", "FAILED",
    ),
    Verdict.INCONCLUSIVE: Words(
        "?", "Inconclusive", "What was observed neither proves nor disproves the purpose.",
        "error", "UNDEFINED", "cantTell", "other", "unknown", ("open", "none"), "inconc", "FAILED",
    ),
    Verdict.NOT_RUN: Words(
        "○", "Not run", "The case was planned and was not played.",
        "error", "UNDEFINED", "untested", "pending", "skipped", ("open", "none"), "none", "FAILED",
    ),
    Verdict.FAIL: Words(
        "✕", "Fail", "A demand was broken, and the evidence shows it.",
        "failure", "FAILURE", "failed", "failed", "failed", ("fail", "error"), "fail", "FAILED",
    ),
    Verdict.HARNESS_ERROR: Words(
        "!", "Harness error", "The test tool itself went wrong; this says nothing about the system.",
        "error", "UNDEFINED", "cantTell", "other", "broken", ("informational", "none"), "error", None,
    ),
    Verdict.NOT_APPLICABLE: Words(
        "—", "Not applicable", "It does not concern this system, or only simulated parties took part.",
        "skipped", "UNDEFINED", "inapplicable", "skipped", "skipped", ("notApplicable", "none"), "none", None,
    ),
}  # fmt: skip


@dataclass(frozen=True)
class StatusWords:
    """Status of a requirement, for people. ``like`` is the verdict whose colour it wears."""

    symbol: str
    word: str
    meaning: str
    like: Verdict


STATUSES: Mapping[str, StatusWords] = {
    "passed": StatusWords("✓", "Passed", "At least one case proves it, and no case says otherwise.", Verdict.PASS),
    "passed with warning": StatusWords(
        "▲", "Passed with warning", "As passed, but a recommendation (SHOULD) is not met.", Verdict.WARNING
    ),
    "failed": StatusWords("✕", "Failed", "At least one case shows that it is broken.", Verdict.FAIL),
    "not verified": StatusWords(
        "?", "Not verified", "No case proves it, or one of its cases has no verdict.", Verdict.INCONCLUSIVE
    ),
    "not tested": StatusWords(
        "○", "Not tested", "This suite has no means to test it; the reason stands beside it.", Verdict.NOT_RUN
    ),
    "not applicable": StatusWords("—", "Not applicable", "It does not concern this system.", Verdict.NOT_APPLICABLE),
}
