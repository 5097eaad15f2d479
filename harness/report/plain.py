"""What the machine formats share: a case as plain text, its times, and an identity that stays the same."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from harness.evidence.clock import stamp
from harness.judge.model import Verdict

Case = Mapping[str, Any]

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def clean(text: str) -> str:
    """A text without the characters that XML cannot hold."""
    return _NOT_XML.sub("�", str(text))


def details(case: Case) -> list[str]:
    """What a case is about, and the steps that decided: expected, observed, found."""
    lines = [case["title"], f"Requirements: {', '.join(case['requirements']) or 'none'}", f"Effect: {case['effect']}"]
    for step in case["steps"]:
        if step["verdict"] == case["verdict"]:
            lines += [f"Step {step['id']}", f"  expected: {step['expected']}", f"  observed: {step['observed']}"]
            lines += [f"  {finding['check']}: {finding['message']}" for finding in step["findings"]]
    return lines


def said(case: Case) -> str:
    """Its verdict in our own word, and why; and what it showed before, where it failed then."""
    before = next((each for each in case.get("earlier", ()) if each["verdict"] == Verdict.FAIL), None)
    again = f" (played again; attempt {before['attempt']} failed: {before['reason']})" if before else ""
    return f"{case['verdict']}: {case['reason']}{again}"


def earlier(case: Case) -> list[Case]:
    """What the case showed before it was played again, each attempt as a case of its own; oldest first."""
    return [{**case, **each, "earlier": ()} for each in case.get("earlier", ())]


def started(record: Mapping[str, Any], case: Case) -> str:
    """When a case was started; one that was never played, when the run was."""
    return str(case["started"] or record["started"])


def ended(record: Mapping[str, Any], case: Case) -> str:
    """When a case ended."""
    return stamp(datetime.fromisoformat(started(record, case)) + timedelta(seconds=case["seconds"]))


def milliseconds(moment: str) -> int:
    """Milliseconds since 1970 of a time of the record."""
    return (datetime.fromisoformat(moment) - _EPOCH) // timedelta(milliseconds=1)


def identity(record: Mapping[str, Any], *parts: str) -> str:
    """A UUID for something of this run: the same whenever the record is, and another one in another run."""
    plan = record["plan"]
    return str(
        uuid.uuid5(uuid.NAMESPACE_URL, "\n".join((plan["baseline"], plan["environment"], record["started"], *parts)))
    )


def broken(case: Case) -> list[str]:
    """The requirements that a case says something bad about; those that it is for, where it names none."""
    return [name for name, verdict in case["touched"].items() if verdict == case["verdict"]] or list(
        case["requirements"]
    )


def waiver_of(record: Mapping[str, Any], case: Case) -> Mapping[str, Any] | None:
    """The waiver that excuses a case, if one is in use."""
    return next((each for each in record["waivers"] if each["state"] == "used" and case["id"] in each["cases"]), None)


def waived_name(waiver: Mapping[str, Any]) -> str:
    """What a waiver excuses: ``CASE``, ``REQUIREMENT``, or ``CASE/REQUIREMENT``."""
    return "/".join(str(waiver[name]) for name in ("case", "requirement") if waiver.get(name))


def moment(text: str | None) -> str:
    """A time of the record for people: ``2026-11-23 10:15:04 UTC``."""
    return f"{text[:10]} {text[11:19]} UTC" if text else "—"
