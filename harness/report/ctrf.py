"""CTRF: the common test report format. ``rawStatus`` is our own verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from harness.judge.model import Verdict
from harness.report.checked import json_bytes
from harness.report.mapping import WORDS, is_unsteady, words_of
from harness.report.plain import Case, details, earlier, ended, identity, milliseconds, said, started

VERSION = "0.0.0"
"""Of the format, which has no stable one yet."""


def ctrf(record: Mapping[str, Any]) -> bytes:
    """The record as one CTRF report."""
    tests = [_test(record, case) for case in record["cases"]]
    counts = Counter(test["status"] for test in tests)
    begin, end = milliseconds(record["started"]), milliseconds(record["finished"])
    tool, plan, pack = record["tool"], record["plan"], record["pack"]
    document = {
        "reportFormat": "CTRF",
        "specVersion": VERSION,
        "reportId": identity(record),
        "timestamp": record["finished"],
        "generatedBy": f"{tool['name']} {tool['version']}",
        "results": {
            "tool": {"name": tool["name"], "version": tool["version"]},
            "summary": {
                "tests": len(tests),
                **{status: counts[status] for status in ("passed", "failed", "skipped", "pending", "other")},
                "flaky": sum(map(is_unsteady, record["cases"])),
                "suites": len({case["group"] for case in record["cases"]}),
                "start": begin,
                "stop": end,
                "duration": end - begin,
                "extra": {"verdict": record["verdict"], "reason": record["reason"], **record["counts"]},
            },
            "tests": tests,
            "environment": {
                "appName": record["sut"]["product"],
                "appVersion": record["sut"]["version"],
                "osPlatform": str(record["environment"].get("platform", "")),
                "testEnvironment": plan["environment"],
                "extra": {
                    "authority": record["sut"]["authority"],
                    "pack": f"{pack['id']} {pack['version']}",
                    "packDigest": pack["digest"],
                    "role": record["role"],
                    "positions": record["positions"],
                    "baseline": plan["baseline"],
                    "seed": plan["seed"],
                    "assurance": record["assurance"],
                },
            },
        },
    }
    return json_bytes("ctrf", document)


def _test(record: Mapping[str, Any], case: Case) -> dict[str, Any]:
    words = words_of(case)
    test: dict[str, Any] = {
        "id": identity(record, case["id"]),
        "testId": case["id"],
        "name": f"{case['id']}: {case['title']}",
        "status": words.ctrf,
        "rawStatus": case["verdict"],
        "duration": round(case["seconds"] * 1000),
        "start": milliseconds(started(record, case)),
        "stop": milliseconds(ended(record, case)),
        "suite": [record["pack"]["id"], str(case["group"])],
        "message": said(case) if is_unsteady(case) else case["reason"],
        "type": "conformance",
        "tags": list(case["requirements"]),
        "steps": [
            {
                "name": step["id"],
                "status": WORDS[Verdict(step["verdict"])].ctrf,
                "extra": {"rawStatus": step["verdict"], "expected": step["expected"], "observed": step["observed"]},
            }
            for step in case["steps"]
        ],
        "extra": {"version": case["version"], "purpose": case["purpose"], "evidence": list(case["evidence"])},
    }
    if attempts := earlier(case):
        test["retries"] = len(attempts)
        test["retryAttempts"] = [_attempt(record, each) for each in attempts]
        test["flaky"] = is_unsteady(case)
    if words.ctrf != "passed":
        test["trace"] = "\n".join(details(case))
    return test


def _attempt(record: Mapping[str, Any], case: Case) -> dict[str, Any]:
    return {
        "attempt": case["attempt"],
        "status": words_of(case).ctrf,
        "duration": round(case["seconds"] * 1000),
        "message": said(case),
        "trace": "\n".join(details(case)),
        "start": milliseconds(started(record, case)),
        "stop": milliseconds(ended(record, case)),
    }
