"""The facts of a record: all of it but the words that a version of the tool chooses.

Rule: whatever is not named here as wording is a fact. Two versions of the tool that judge the same evidence with the
same plan and pack must agree on it.

Wording is: reasons and descriptions of what was expected and observed; the text of findings, problems and defects; the
titles of cases that the tool derives; which places are masked, and what a header says, for masking is of the tool. A
text of the pack, the plan or a person is a fact.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_RUN = ("tool", "reason")
_CASE = ("reason",)
_DERIVED = ("title", "purpose", "effect", "derived_from")
_STEP = ("reason", "expected", "observed", "alternatives")
_FINDING = ("message",)
_REQUIREMENT = ("reason",)


def facts_of(record: Mapping[str, Any]) -> dict[str, Any]:
    """The record without wording.

    Raises:
        LookupError, TypeError, AttributeError: it is no record.
    """
    return {
        **_without(record, *_RUN),
        "pack": _without(record["pack"], "masked"),
        "plan": {**record["plan"], "excluded": [each["id"] for each in record["plan"]["excluded"]]},
        "cases": [_case(case) for case in record["cases"]],
        "requirements": [_without(each, *_REQUIREMENT) for each in record["requirements"]],
        "findings": [_without(each, *_FINDING) for each in record["findings"]],
        "defects": sorted(record["defects"]),
        "annexes": [_annex(each) for each in record.get("annexes", ())],
    }


def _annex(annex: Mapping[str, Any]) -> dict[str, Any]:
    cases = [{**each, "steps": [_without(step, *_STEP) for step in each["steps"]]} for each in annex["cases"]]
    return {**annex, "cases": cases}


def _case(case: Mapping[str, Any]) -> dict[str, Any]:
    wording = _CASE + (_DERIVED if case["derived_from"] else ())
    return {
        **_without(case, *wording),
        "steps": [_step(each) for each in case["steps"]],
        "earlier": [
            {**_without(each, *_CASE), "steps": [_step(step) for step in each["steps"]]}
            for each in case.get("earlier", ())
        ],
    }


def _step(step: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **_without(step, *_STEP),
        "findings": [_without(each, *_FINDING) for each in step["findings"]],
        "messages": [_message(each) for each in step["messages"]],
    }


def _message(message: Mapping[str, Any]) -> dict[str, Any]:
    head, signature = message["head"], message["signature"]
    return {
        **message,
        "head": {**head, "headers": [name for name, _ in head["headers"]]},
        "signature": signature
        and {**signature, "problems": [_without(each, "text") for each in signature["problems"]]},
    }


def _without(mapping: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in mapping.items() if name not in names}
