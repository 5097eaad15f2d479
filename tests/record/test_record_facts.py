"""Whatever a record says is a fact, but for what is named here as wording."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from harness.bundle.rejudge import first_difference
from harness.record.facts import facts_of

SAMPLE = Path(__file__).parents[2] / "reports" / "sample" / "bundle.zip"
WORDING = re.compile(
    r"/tool/.*|/reason|/pack/masked/.*|/plan/excluded/\d+/rule|/defects/.+=text"
    r"|/cases/\d+/reason|/cases/\d+/steps/\d+/(reason|expected|observed|alternatives/.*)"
    r"|/cases/\d+/(title|purpose|effect|derived_from)=derived"
    r"|/cases/\d+/steps/\d+/findings/\d+/message|/findings/\d+/message"
    r"|/cases/\d+/steps/\d+/messages/\d+/(head/headers/\d+/1|signature/problems/\d+/text)"
    r"|/requirements/\d+/reason|/annexes/0/cases/0/steps/0/reason"
)


@pytest.fixture(scope="module")
def record() -> dict[str, Any]:
    """The record of the sample, short, with one of everything that can stand in a record."""
    with ZipFile(SAMPLE) as bundle:
        found: dict[str, Any] = json.loads(bundle.read("record.json"))
    wanted = {"nominal-movement@holder", *(case["id"] for case in found["cases"][:3])}
    found["cases"] = [case for case in found["cases"] if case["id"] in wanted]
    finding = {"check": "c", "code": "1", "severity": "error", "requirement": "R", "pointer": "/", "line": 1}
    found["findings"] = [{**finding, "message": "m"}]
    found["cases"][0]["steps"][0]["findings"] = [{**finding, "message": "m"}]
    found["cases"][0]["steps"][0]["alternatives"] = {"expect": ["a"], "permitted": ["b"]}
    found["annexes"] = [{"pack": {"id": "q"}, "cases": [{"id": "a", "steps": [{"reason": "r", "answer": "yes"}]}]}]
    found["plan"]["excluded"] = [{"id": "x@y", "rule": "not selected"}]
    found["waivers"] = [{"case": "c", "reason": "r", "state": "used", "cases": ["c"]}]
    signed = next(
        each
        for case in found["cases"]
        for step in case["steps"]
        for each in step["messages"]
        if each["signature"] is not None
    )
    signed["signature"]["problems"] = [{"code": "c", "text": "t", "pointer": None}]
    return found


def leaves(value: Any, way: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if isinstance(value, dict):
        for key, each in value.items():
            yield from leaves(each, (*way, key))
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from leaves(each, (*way, number))
    else:
        yield way


def changed(record: dict[str, Any], way: tuple[str | int, ...]) -> dict[str, Any]:
    """The record with another value at one place; the rest is shared."""
    top: Any = copy.copy(record)
    place: Any = top
    for step in way[:-1]:
        place[step] = copy.copy(place[step])
        place = place[step]
    place[way[-1]] = f"{place[way[-1]]}, changed"
    return dict(top)


def is_other(facts: dict[str, Any], record: dict[str, Any]) -> bool:
    """Whether a record states other facts, or is none any more."""
    try:
        return first_difference(facts, facts_of(record)) is not None
    except (LookupError, TypeError):
        return True


def test_every_change_of_a_fact_is_noticed_and_no_change_of_wording(record: dict[str, Any]) -> None:
    facts, noticed, silent = facts_of(record), 0, 0
    for way in leaves(record):
        name = "/" + "/".join(map(str, way))
        if way[0] == "defects":
            name += "=text"
        if way[0] == "cases" and len(way) == 3 and record["cases"][way[1]]["derived_from"]:
            name += "=derived" if way[2] in ("title", "purpose", "effect", "derived_from") else ""
        is_wording = WORDING.fullmatch(name) is not None
        assert is_other(facts, changed(record, way)) != is_wording, name
        noticed, silent = noticed + (not is_wording), silent + is_wording
    assert noticed > 500
    assert silent > 100


@pytest.mark.parametrize("name", ["waivers", "findings", "on_waivers", "teeth", "environment"])
def test_what_is_taken_away_is_noticed(record: dict[str, Any], name: str) -> None:
    shorter = {key: value for key, value in record.items() if key != name}
    assert is_other(facts_of(record), shorter)
