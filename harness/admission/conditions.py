"""Rules about the conditions of a run: what it changed and left out, whose keys the system signed with, waivers."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time
from fnmatch import fnmatchcase
from typing import Any

from harness.admission.model import Outcome, Policy
from harness.bundle.statement import revocation_of
from harness.judge.model import Status
from harness.report.plain import waived_name

_MET = (Status.PASSED.value, Status.PASSED_WITH_WARNING.value, Status.NOT_APPLICABLE.value)
_NAMED = 20
"""Names that one outcome lists."""


def conditions(policy: Policy, plan: Mapping[str, Any]) -> Iterator[Outcome]:
    """Under which conditions the run was made."""
    if policy.depth:
        yield Outcome("depth", plan["depth"] in policy.depth, f"The depth of derivation is {plan['depth']}.")
    if policy.adopt_assumed:
        counted = "count like all others" if plan["adopt_assumed"] else "were counted apart"
        text = f"Requirements whose source is assumed {counted}."
        yield Outcome("adopt_assumed", plan["adopt_assumed"], text)
    changed = {
        name: f"{name} {_seconds(each['pack'])} -> {_seconds(each['run'])}" for name, each in plan["timers"].items()
    }
    for rule, found, allowed, none in (
        ("timers", changed, policy.timers, "Every time limit is that of the pack."),
        ("unclaimed", _named(plan["unclaimed"]), policy.unclaimed, "Every request of the role is claimed."),
        ("spared", _named(plan["spared"]), policy.spared, "No case was left out for having to be played by hand."),
    ):
        if allowed is not None:
            yield _only(rule, found, allowed, none)
        elif found:
            text = f"This policy says nothing about it, so that anything goes: {_some(found.values())}."
            yield Outcome(rule, True, text, warning=True)


def uninterrupted(said: Mapping[str, Any]) -> Outcome:
    """Whether the run went through at once."""
    texts = [
        f"{word} at {' and '.join(said[name])}"
        for name, word in (("resumed", "it was interrupted, and went on"), ("repeated", "cases were played again"))
        if said[name]
    ]
    text = f"It is not one uninterrupted run: {'; '.join(texts)}." if texts else "It is one uninterrupted run."
    return Outcome("uninterrupted", not texts, text)


def system_keys(policy: Policy, sut: Mapping[str, Any], record: Mapping[str, Any]) -> Iterator[Outcome]:
    """What is known about the keys with which the system signs."""
    if policy.signers_declared:
        declared = bool(sut["signers"])
        text = "The target file names the certificates that the system signs with."
        if not declared:
            text = (
                "The target file does not name what the system signs with: any key of its authority could have signed."
            )
        yield Outcome("signers_declared", declared, text)
    if policy.revocation:
        counts = revocation_of(record)
        good, left = counts["good"], counts["not checked"]
        text = (
            f"Of {good + left} trusted signatures of the system, {good} were held against a revocation list or an "
            f"OCSP answer."
        )
        yield Outcome("revocation", good > 0 and left == 0, text)


def annexes(policy: Policy, record: Mapping[str, Any]) -> Outcome:
    """Whether the questions that the policy names were answered beside the run, and somebody found every demand met."""
    there = {each["pack"]["id"]: each["statuses"] for each in record.get("annexes", ())}
    for name in policy.annexes:
        if name not in there:
            return Outcome("annexes", False, f"The questions of {name} were not answered beside the run.")
        unmet = [f"{status} {count}" for status, count in there[name].items() if status not in _MET and count]
        if unmet:
            text = (
                f"Not every demand of {name} was found met: {', '.join(unmet)}. A reviewer grades answers (--review)."
            )
            return Outcome("annexes", False, text)
    return Outcome("annexes", True, f"Every demand of {', '.join(policy.annexes)} was found met.")


def waivers(policy: Policy, record: Mapping[str, Any], at: datetime) -> Outcome:
    """Whether what the run stands on may be waived, and still is."""
    used = (each for each in record["waivers"] if each["state"] == "used")
    over = [waived_name(each) for each in used if ends(each) < at]
    if over:
        return Outcome("waivers", False, f"Expired since the run: {_some(over)}.")
    return _only("waivers", {name: name for name in waived_by(record)}, policy.waivers, "There are none.")


def waived_by(record: Mapping[str, Any]) -> list[str]:
    """What the waivers of a run excuse: ids of cases, of requirements, and of a requirement in a case (``C/R``)."""
    return [waived_name(each) for each in record["waivers"] if each["state"] == "used"]


def ends(waiver: Mapping[str, Any]) -> datetime:
    """The end of the last day of a waiver."""
    return datetime.combine(date.fromisoformat(waiver["expires"]), time.max, UTC)


def _only(rule: str, found: Mapping[str, str], allowed: Sequence[str], none: str) -> Outcome:
    """Whether nothing was found but what some patterns allow; *found* maps names to what is told of them."""
    refused = [text for name, text in found.items() if not any(_fits(name, pattern) for pattern in allowed)]
    if refused:
        return Outcome(rule, False, f"Not allowed by this policy: {_some(refused)}.")
    return Outcome(rule, True, f"Allowed by this policy: {_some(found.values())}." if found else none)


def _fits(name: str, pattern: str) -> bool:
    """Whether a pattern fits; of ``CASE/REQUIREMENT`` both parts must, so that it is never wider than it looks."""
    names, patterns = name.split("/"), pattern.split("/")
    return len(names) == len(patterns) and all(map(fnmatchcase, names, patterns))


def _named(names: Sequence[str]) -> dict[str, str]:
    return {name: name for name in names}


def _some(texts: Collection[str]) -> str:
    """A few of them, and how many more there are."""
    more = f" and {len(texts) - _NAMED} more" if len(texts) > _NAMED else ""
    return ", ".join(list(texts)[:_NAMED]) + more


def _seconds(value: float | None) -> str:
    return "none" if value is None else f"{value:g} s"
