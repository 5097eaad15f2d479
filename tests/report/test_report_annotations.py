"""What a build server shows beside the code, and nothing that it could take for a command."""

from __future__ import annotations

import json
from typing import Any

from harness.errors import Where
from harness.report.annotations import MOST, github, gitlab


def case(name: str, verdict: str, reason: str = "Because.") -> dict[str, Any]:
    return {"id": name, "verdict": verdict, "reason": reason, "requirements": ["R-1"]}


RECORD = {
    "cases": [
        case("good@x", "pass"),
        case("warned@x", "warning"),
        case("waived@x", "fail"),
        case("bad,case:1@x", "fail", "said\n::set-output name=x::y 100%"),
    ],
    "waivers": [{"state": "used", "cases": ["waived@x"]}, {"state": "expired", "cases": []}],
}
PLACES = {"bad,case:1@x": Where("suites/p/scenarios/bad.yaml", 7)}


def test_github_shows_failures_first_each_in_one_line() -> None:
    lines = github(RECORD, PLACES).splitlines()
    assert lines == [
        "::error file=suites/p/scenarios/bad.yaml,line=7,title=bad%2Ccase%3A1@x"
        "::fail (R-1): said%0A::set-output name=x::y 100%25",
        "::warning title=warned@x::warning (R-1): Because.",
        "::warning title=waived@x::fail, waived (R-1): Because.",
    ]


def test_gitlab_gets_a_code_quality_report() -> None:
    found = json.loads(gitlab(RECORD, PLACES))
    assert [(each["severity"], each["location"]["path"]) for each in found] == [
        ("critical", "suites/p/scenarios/bad.yaml"),
        ("minor", "plan.json"),
        ("minor", "plan.json"),
    ]
    assert found[0]["location"]["lines"] == {"begin": 7}
    assert len({each["fingerprint"] for each in found}) == 3


def test_a_build_server_is_not_flooded() -> None:
    record = {"cases": [case(f"c{number}", "fail") for number in range(MOST + 5)], "waivers": []}
    assert len(github(record, {}).splitlines()) == MOST


def test_nothing_is_shown_of_a_good_run() -> None:
    record = {"cases": [case("a", "pass"), case("b", "not_applicable")], "waivers": []}
    assert github(record, {}) == ""
    assert json.loads(gitlab(record, {})) == []


def test_what_passed_only_when_it_was_played_again_is_shown() -> None:
    broken = {"attempt": 1, "verdict": "fail", "reason": "No answer."}
    cases = [{**case("again@x", "pass"), "earlier": [broken]}, {**case("good@x", "pass"), "earlier": []}]
    (line,) = github({"cases": cases, "waivers": []}, {}).splitlines()
    assert line == ("::error title=again@x::pass (R-1): Because. (played again; attempt 1 failed: No answer.)")
