"""What is wrong with a message, in words for people: titles and purposes of derived cases.

A schema validator speaks of patterns and facets, and names an element without saying where it stands. Here the place
comes first, whole, and then what is wrong with it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from harness.pack.model import CodedField, Pack
from harness.pack.trial import Trial
from harness.pack.violation import Breach, Violation

_LENGTHS = (
    (re.compile(r"exceeds the allowed maximum length of '(\d+)'"), "is longer than {} characters"),
    (re.compile(r"underruns the allowed minimum length of '(\d+)'"), "is shorter than {} characters"),
    (re.compile(r"more digits than are allowed \('(\d+)'\)"), "has more than {} digits"),
    (re.compile(r"more fractional digits than are allowed \('(\d+)'\)"), "has more than {} digits behind the point"),
)
_KINDS: Mapping[str, str] = {
    "missing": "{place} is missing",
    "unexpected": "{around} contains an element that is not known",
    "order": "{edited} and the element after it are swapped",
    "repeated": "{place} occurs more often than allowed",
    "pattern": "{place} does not match the required pattern",
    "enumeration": "{place} has none of the values that are allowed",
    "type": "{place} has a value of the wrong type",
    "attribute-missing": "the attribute {name} of {around} is missing",
    "attribute-unexpected": "{around} has an attribute that is not known",
    "attribute-value": "the attribute {name} of {around} has a value that is not allowed",
}
_COUNT = re.compile(r"\[\d+\]$")


def said(pack: Pack, trial: Trial) -> str:
    """What is wrong with the message of a trial: a clause that begins with the place."""
    place = trial.found.pointer.removeprefix("/") or "the message"
    if isinstance(trial.found, Breach):
        return _breach(pack, trial.found, place)
    if trial.found.kind == "length":
        return f"{place} {_length(trial.found)}"
    wording = _KINDS.get(trial.found.kind)
    if wording is None:
        return f"{place}: {trial.found.text.rstrip('.')}"
    around, _, name = place.rpartition("/")
    if trial.found.kind == "repeated":
        place = _COUNT.sub("", place)
    edited = trial.edit.place.removeprefix("/")
    return wording.format(place=place, around=around or "the message", name=name.removeprefix("@"), edited=edited)


def _length(found: Violation) -> str:
    for pattern, wording in _LENGTHS:
        if match := pattern.search(found.text):
            return wording.format(match[1])
    return "is too long, or too short"


def _breach(pack: Pack, found: Breach, place: str) -> str:
    if found.rule is not None:
        return f"{place} breaks a rule ({pack.rules[found.rule].text.rstrip('.')})"
    listed = code_list_of(pack, found)
    title = pack.codelists[listed.codelist].title if listed is not None else "that is demanded"
    return f"{place} has a code that is not in the list {title}"


def code_list_of(pack: Pack, found: Breach) -> CodedField | None:
    """The entry of the table whose code list a value is not in."""
    return next((each for each in pack.coded if each.code == found.code and _same(each.path, found.pointer)), None)


def _same(path: str, pointer: str) -> bool:
    return re.sub(r"\[[^\]]*\]", "", path).strip("/") == re.sub(r"\[[^\]]*\]", "", pointer).strip("/")
