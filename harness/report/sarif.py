"""SARIF 2.1.0: of the common formats the one with the richest words. A rule is a requirement, a result is a case.

A result names the evidence by digest where other tools name a source file. What went wrong in the harness itself is
also a notification of the tool, and the invocation is then not a successful one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.judge.model import Verdict
from harness.report.checked import json_bytes
from harness.report.mapping import is_unsteady, words_of
from harness.report.plain import Case, broken, earlier, identity, said, started, waiver_of

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def sarif(record: Mapping[str, Any]) -> bytes:
    """The record as one run."""
    tool, plan = record["tool"], record["plan"]
    index = {each["id"]: n for n, each in enumerate(record["requirements"])}
    wrong = [case for case in record["cases"] if case["verdict"] == Verdict.HARNESS_ERROR]
    document = {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": tool["name"],
                        "version": tool["version"],
                        "rules": [_rule(each) for each in record["requirements"]],
                    }
                },
                "automationDetails": {"id": f"{plan['baseline']}/{plan['environment']}", "guid": identity(record)},
                "invocations": [
                    {
                        "executionSuccessful": record["complete"] and not wrong,
                        "startTimeUtc": record["started"],
                        "endTimeUtc": record["finished"],
                        "toolExecutionNotifications": [
                            {"level": "error", "message": {"text": f"{case['id']}: {case['reason']}"}} for case in wrong
                        ],
                    }
                ],
                "results": [_result(record, case, index) for case in record["cases"]],
                "properties": {
                    "verdict": record["verdict"],
                    "reason": record["reason"],
                    **record["counts"],
                    "role": record["role"],
                    "positions": record["positions"],
                    "pack": f"{record['pack']['id']} {record['pack']['version']}",
                },
            }
        ],
    }
    return json_bytes("sarif", document)


def _rule(requirement: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": requirement["id"],
        "shortDescription": {"text": requirement["text"]},
        "help": {"text": requirement["effect"] or requirement["text"]},
        "properties": {
            "level": requirement["level"],
            "status": requirement["status"],
            "source": f"{requirement['source']['mark']}: {requirement['source']['text']}",
        },
    }


def _result(record: Mapping[str, Any], case: Case, index: Mapping[str, int]) -> dict[str, Any]:
    kind, level = words_of(case).sarif
    rule = next((name for name in broken(case) if name in index), None)
    result: dict[str, Any] = {
        **({} if rule is None else {"ruleId": rule, "ruleIndex": index[rule]}),
        "kind": kind,
        "level": level,
        "message": {"text": said(case) if is_unsteady(case) else case["reason"] or case["title"]},
        "guid": identity(record, case["id"]),
        "partialFingerprints": {"case/v1": case["id"]},
        "locations": [{"logicalLocations": [{"fullyQualifiedName": case["id"], "kind": "test case"}]}],
        "properties": {
            "verdict": case["verdict"],
            "case": case["id"],
            "title": case["title"],
            "seat": case["sut"],
            "evidence": list(case["evidence"]),
        },
    }
    if attempts := earlier(case):
        result["properties"]["earlier"] = [
            {
                "attempt": each["attempt"],
                "started": started(record, each),
                "verdict": each["verdict"],
                "reason": each["reason"],
                "evidence": list(each["evidence"]),
            }
            for each in attempts
        ]
    waiver = waiver_of(record, case)
    if waiver is not None:
        text = f"{waiver['reason']} ({waiver['author']}, until {waiver['expires']}, {waiver['link']})"
        result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": text}]
    return result
