"""What changed between two runs, or between two judgements of one run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal[
    "new failure", "waived failure", "fixed", "other verdict", "other reason", "other version", "other timing", "added",
    "removed", "requirement",
]  # fmt: skip
_GOOD = ("pass", "warning", "not_applicable")
_FACTOR, _SECONDS = 2.0, 0.5
"""How much longer or shorter a case takes, by factor and in seconds, when its timing is said to have changed."""


@dataclass(frozen=True)
class Change:
    """One difference.

    Parameters:
        kind: what kind of.
        id: of the case, or of the requirement.
        before, after: in a few words; empty where it is in one of the two only.
    """

    kind: Kind
    id: str
    before: str
    after: str


def compare(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[Change, ...]:
    """Compare two records: the cases first, new failures before everything else, then the requirements."""
    changes = [*_cases(old, new), *_requirements(old, new)]
    return tuple(sorted(changes, key=lambda each: each.kind != "new failure"))


def has_new_failures(changes: tuple[Change, ...]) -> bool:
    """Whether something that was in order is so no more, without a waiver."""
    return any(each.kind == "new failure" for each in changes)


def _cases(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    before, after = ({case["id"]: case for case in record["cases"]} for record in (old, new))
    waived = {name for each in new["waivers"] if each["state"] == "used" for name in each["cases"]}
    for name, case in after.items():
        if name in before:
            yield from _case(before[name], case, name in waived)
        else:
            good = case["verdict"] in _GOOD
            yield Change("added" if good or name in waived else "new failure", name, "", _words(case))
    for name, case in before.items():
        if name not in after:
            yield Change("removed", name, _words(case), "")


def _case(old: Mapping[str, Any], new: Mapping[str, Any], waived: bool) -> Iterator[Change]:
    name, was_good, is_good = new["id"], old["verdict"] in _GOOD, new["verdict"] in _GOOD
    if was_good and not is_good:
        yield Change("waived failure" if waived else "new failure", name, old["verdict"], _words(new))
    elif is_good and not was_good:
        yield Change("fixed", name, _words(old), _words(new))
    elif old["verdict"] != new["verdict"]:
        yield Change("other verdict", name, _words(old), _words(new))
    elif not is_good and old["reason"] != new["reason"]:
        yield Change("other reason", name, _words(old), _words(new))
    if old["version"] != new["version"]:
        yield Change("other version", name, str(old["version"]), str(new["version"]))
    short, long = sorted((old["seconds"], new["seconds"]))
    if long - short >= _SECONDS and long >= _FACTOR * short:
        yield Change("other timing", name, f"{old['seconds']:.3f} s", f"{new['seconds']:.3f} s")


def _requirements(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    before, after = ({each["id"]: each["status"] for each in record["requirements"]} for record in (old, new))
    for name in dict.fromkeys((*before, *after)):
        if before.get(name) != after.get(name):
            yield Change("requirement", name, before.get(name, ""), after.get(name, ""))


def _words(case: Mapping[str, Any]) -> str:
    words = case["verdict"] if case["verdict"] in _GOOD else f"{case['verdict']}: {case['reason']}"
    if before := [each["verdict"] for each in case.get("earlier", ())]:
        words += f" (played again; before: {', '.join(before)})"
    return words
