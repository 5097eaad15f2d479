"""Every report that is derived from the record. Each is a pure function of the record and the evidence."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from harness.report.html import html
from harness.report.junit import junit
from harness.report.view import Fetch

Derive = Callable[[Mapping[str, Any], Fetch], bytes]


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
        "failed": [each["id"] for each in record["requirements"] if each["status"] == "failed"],
    }
    return json.dumps(line, ensure_ascii=False).encode() + b"\n"


DERIVED: Mapping[str, Derive] = {
    "report.html": html,
    "junit.xml": lambda record, fetch: junit(record),  # noqa: ARG005 - all share one form
    "summary.json": lambda record, fetch: summary(record),  # noqa: ARG005
}
"""File name below ``derived/`` to what makes it."""
