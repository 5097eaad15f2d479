"""Allure 2 results, one file for each case, in one archive: unpack it into the folder that Allure reads.

Each case has an identity of its own, so that Allure loses none of them; what it showed before it was played again has
the same history, so that Allure shows it as a retry. The archive holds the same bytes whenever the record is the same.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from typing import Any

from harness.judge.model import Verdict
from harness.report.checked import json_bytes
from harness.report.mapping import WORDS, is_unsteady, words_of
from harness.report.plain import Case, details, earlier, ended, identity, milliseconds, said, started


def allure(record: Mapping[str, Any]) -> bytes:
    """The record as a ``.zip`` of ``*-result.json``."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as files:
        for case in record["cases"]:
            for attempt in (*earlier(case), case):
                result = _result(record, attempt, last=attempt is case)
                entry = zipfile.ZipInfo(f"{result['uuid']}-result.json")
                entry.create_system = 3  # the same on every operating system
                files.writestr(entry, json_bytes("allure", result))
    return archive.getvalue()


def _result(record: Mapping[str, Any], case: Case, *, last: bool) -> dict[str, Any]:
    pack = record["pack"]
    attempt = [] if last else [f"attempt {case['attempt']}"]
    labels = [
        ("framework", record["tool"]["name"]),
        ("parentSuite", f"{pack['id']} {pack['version']}"),
        ("suite", str(case["group"])),
        ("subSuite", case["sut"]),
        ("feature", str(case["group"])),
        ("verdict", case["verdict"]),
        *(("requirement", name) for name in case["requirements"]),
    ]
    return {
        "uuid": identity(record, case["id"], *attempt),
        "historyId": f"{pack['id']}:{record['role']}:{case['id']}",
        "testCaseId": f"{pack['id']}:{case['id']}",
        "fullName": f"{pack['id']}/{case['id']}",
        "name": f"{case['id']}: {case['title']}",
        "status": words_of(case).allure,
        "statusDetails": {
            "message": said(case),
            "trace": "\n".join(details(case)),
            **({"flaky": True} if is_unsteady(case) else {}),
        },
        "stage": "finished",
        "description": f"{case['purpose']}\n\n{case['effect']}",
        "start": milliseconds(started(record, case)),
        "stop": milliseconds(ended(record, case)),
        "labels": [{"name": name, "value": value} for name, value in labels],
        "steps": [
            {
                "name": f"{step['id']}: {step['reason']}",
                "status": WORDS[Verdict(step["verdict"])].allure,
                "stage": "finished",
                "statusDetails": {"message": f"expected: {step['expected']}\nobserved: {step['observed']}"},
            }
            for step in case["steps"]
        ],
    }
