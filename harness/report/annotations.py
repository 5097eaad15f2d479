"""What went wrong, as a build server shows it beside the code: GitHub workflow commands, GitLab code quality.

What a system under test answered stands in these texts, so that nothing in them may be taken for a command.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from harness.errors import Where
from harness.report.mapping import is_unsteady
from harness.report.plain import said

MOST = 50
"""Annotations; build servers show no more."""
_LEVEL = {"warning": "warning", "review": "warning"}
_SKIPPED = ("pass", "not_applicable")

Places = Mapping[str, Where]
"""Case id to the place of its script, with a path that begins at the folder of the packs."""


def github(record: Mapping[str, Any], places: Places) -> str:
    """Workflow commands, one a line: errors, and warnings for what is waived or only recommended.

    Source: GitHub Docs, "Workflow commands for GitHub Actions", setting an error message.
    """
    lines = []
    for case, waived in _shown(record):
        level = "warning" if waived else _LEVEL.get(case["verdict"], "error")
        where = places.get(case["id"])
        at = f"file={_property(str(where.file))},line={where.line or 1}," if where else ""
        lines.append(f"::{level} {at}title={_property(case['id'])}::{_data(_text(case, waived))}")
    return "".join(f"{line}\n" for line in lines)


def gitlab(record: Mapping[str, Any], places: Places) -> str:
    """A code quality report.

    Source: GitLab Docs, "Code Quality", code quality report format.
    """
    found = []
    for case, waived in _shown(record):
        where = places.get(case["id"])
        found.append(
            {
                "description": f"{case['id']}: {_text(case, waived)}",
                "check_name": ", ".join(case["requirements"]) or case["id"],
                "fingerprint": hashlib.sha256(case["id"].encode()).hexdigest(),
                "severity": "minor" if waived or case["verdict"] in _LEVEL else "critical",
                "location": {
                    "path": str(where.file) if where else "plan.json",
                    "lines": {"begin": (where.line if where else None) or 1},
                },
            }
        )
    return json.dumps(found, ensure_ascii=False, indent=1) + "\n"


def _shown(record: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], bool]]:
    """The cases that are shown, failures first, and whether each is waived."""
    waived = {name for each in record["waivers"] if each["state"] == "used" for name in each["cases"]}
    cases = [case for case in record["cases"] if case["verdict"] not in _SKIPPED or is_unsteady(case)]
    cases.sort(key=lambda case: (case["id"] in waived, case["verdict"] != "fail"))
    for case in cases[:MOST]:
        yield case, case["id"] in waived


def _text(case: Mapping[str, Any], waived: bool) -> str:
    requirements = f" ({', '.join(case['requirements'])})" if case["requirements"] else ""
    verdict, _, reason = said(case).partition(": ")
    return f"{verdict}{', waived' if waived else ''}{requirements}: {reason}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
