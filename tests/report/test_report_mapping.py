"""The whole mapping, written out once more: a change of it must be meant."""

from __future__ import annotations

import pytest

from harness.judge.model import Status, Verdict
from harness.report.mapping import STATUSES, WORDS

TABLE = """
verdict        ttcn3   gitb       earl          junit    ctrf     allure   sarif                in_toto
pass           pass    SUCCESS    passed        -        passed   passed   pass/none            PASSED
warning        pass    WARNING    passed        -        passed   passed   fail/warning         WARNED
fail           fail    FAILURE    failed        failure  failed   failed   fail/error           FAILED
inconclusive   inconc  UNDEFINED  cantTell      error    other    unknown  open/none            FAILED
review         none    UNDEFINED  cantTell      error    pending  unknown  review/none          FAILED
not_applicable none    UNDEFINED  inapplicable  skipped  skipped  skipped  notApplicable/none   -
not_run        none    UNDEFINED  untested      error    pending  skipped  open/none            FAILED
harness_error  error   UNDEFINED  cantTell      error    other    broken   informational/none   -
"""


def rows() -> list[list[str]]:
    return [line.split() for line in TABLE.strip().splitlines()[1:]]


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0])
def test_each_verdict_has_its_word_in_each_format(row: list[str]) -> None:
    words = WORDS[Verdict(row[0])]
    found = [
        words.ttcn3, words.gitb, words.earl, words.junit or "-", words.ctrf, words.allure, "/".join(words.sarif),
        words.in_toto or "-",
    ]  # fmt: skip
    assert found == row[1:]


def test_nothing_is_left_out() -> None:
    assert set(WORDS) == set(Verdict) == {Verdict(row[0]) for row in rows()}
    assert set(STATUSES) == {status.value for status in Status}


def test_what_is_not_established_never_looks_like_a_pass() -> None:
    for verdict in (Verdict.REVIEW, Verdict.INCONCLUSIVE, Verdict.NOT_RUN, Verdict.FAIL, Verdict.HARNESS_ERROR):
        words = WORDS[verdict]
        assert words.junit in ("failure", "error")
        assert words.earl != "passed"
        assert words.ctrf != "passed"
        assert words.gitb not in ("SUCCESS", "WARNING")
        assert words.allure != "passed"
        assert words.in_toto in ("FAILED", None)


def test_no_two_verdicts_look_alike() -> None:
    assert len({words.symbol for words in WORDS.values()}) == len(WORDS)
    assert len({words.symbol for words in STATUSES.values()}) == len(STATUSES)
