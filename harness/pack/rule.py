"""Rules and conditions over one message, by the kind that the pack names.

Numbers are compared as decimals, never as floats. A rule about a place that is not there says nothing: that
it must be there is the schema's to say.

A rule that holds for a time only is decided by a date in the message itself, so that a message is judged the same
way years later, and whoever makes the message with another clock tests the other side of the date.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal, localcontext
from functools import lru_cache
from typing import Any

from harness.message.model import Document
from harness.pack.checkdigit import SCHEMES
from harness.pack.condition import Scope, decimal, holds, wrong
from harness.pack.model import Pack, Rule
from harness.pack.violation import Breach

_PRECISION = 256
_COMPACT = re.compile(r"(\d{8})(\d{4}(?:\d{2})?)(Z|[+-].*)?", re.ASCII)

Found = Iterator[tuple[str, ...]]
"""Pointers, what is wrong there, and of a condition which demand is not met: R, N, or nothing for a test."""


def rule_violations(pack: Pack, message: str, document: Document) -> Iterator[Breach]:
    """Every place where a message breaks a rule of the pack.

    Parameters:
        pack: the pack.
        message: name of the message in it.
        document: the payload.
    """
    whole = Scope(document, pack.codelists, {})
    for rule in _rules_of(pack, message):
        if rule.decisive is not None and not _in_force(rule, rule.decisive, whole):
            continue
        parameters = rule.moved.get(message, rule.parameters)
        for scope in _scopes(whole, parameters):
            for pointer, what, *demand in _KINDS[rule.kind](scope, parameters):
                text = f"{rule.id}: {rule.text} ({what})"
                code = rule.codes.get(demand[0], rule.code) if demand else rule.code
                yield Breach(code, pointer, document.line(pointer), text, rule.requirement, rule.id)


@lru_cache(maxsize=1024)
def _rules_of(pack: Pack, message: str) -> tuple[Rule, ...]:
    return tuple(rule for rule in pack.rules.values() if message in rule.messages)


def _scopes(whole: Scope, parameters: Mapping[str, Any]) -> list[Scope]:
    """The message, or each occurrence of what the rule looks at one by one."""
    if "each" not in parameters:
        return [whole]
    return [whole._replace(place=pointer.removeprefix("/")) for pointer in whole.pointers(parameters["each"])]


def _in_force(rule: Rule, decisive: str, scope: Scope) -> bool:
    """Whether the decisive date of the message lies in the time of the rule; without a date the rule holds."""
    when = next((time for text in scope.texts(decisive) if (time := _time(text)) is not None), None)
    bounds = [_time(bound or "") for bound in (rule.since, rule.until)]
    since, until = (each if when and each and _comparable(each, when) else None for each in bounds)
    return when is None or ((since is None or since <= when) and (until is None or when < until))


def _condition(scope: Scope, parameters: Mapping[str, Any]) -> Found:
    """The first decision whose conditions hold says what must be there."""
    for decision in parameters["decide"]:
        if holds(scope, decision.get("if", {})):
            for path, demand in decision["then"].items():
                yield from wrong(scope, path, demand)
            return


def _sum(scope: Scope, parameters: Mapping[str, Any]) -> Found:
    """The parts add up to the total, or to no more than it; judged only when all of them are numbers."""
    totals, parts = scope.texts(parameters["total"]), scope.texts(parameters["parts"])
    if not totals or not parts:
        return
    numbers = [number for text in (totals[0], *parts) if (number := decimal(text)) is not None]
    if len(numbers) == 1 + len(parts):
        with localcontext(prec=_PRECISION):
            total, added = numbers[0], sum(numbers[1:], Decimal(0))
            missing = added - total if parameters.get("at_least") else abs(total - added)
            if missing > Decimal(parameters.get("tolerance", "0")):
                yield scope.pointers(parameters["total"])[0], f"the {len(parts)} parts add up to {added:f}"


def _count(scope: Scope, parameters: Mapping[str, Any]) -> Found:
    """The number says how many there are."""
    stated = scope.texts(parameters["number"])
    there = len(scope.pointers(parameters["of"]))
    if stated and (number := decimal(stated[0])) is not None and number != there:
        yield scope.pointers(parameters["number"])[0], f"there are {there}"


def _sequence(scope: Scope, parameters: Mapping[str, Any]) -> Found:
    """The numbers are 1, 2, 3 and so on."""
    for place, text in enumerate(scope.texts(parameters["path"])):
        if decimal(text) != place + 1:
            yield scope.pointers(parameters["path"])[place], f"{place + 1} should stand here"
            return


def _required_if(scope: Scope, parameters: Mapping[str, Any]) -> Found:
    """When the condition holds, the other place is there."""
    if _holds(scope, parameters) and not scope.pointers(parameters["then"]):
        yield "/" + scope.path(parameters["then"]).replace("[*]", ""), "it is missing"


def _forbidden_if(scope: Scope, parameters: Mapping[str, Any]) -> Found:
    """When the condition holds, the other place is not there."""
    if _holds(scope, parameters):
        for pointer in scope.pointers(parameters["then"]):
            yield pointer, "it must not be here"


def _holds(scope: Scope, parameters: Mapping[str, Any]) -> bool:
    if "present" in parameters:
        return bool(scope.pointers(parameters["if"])) is bool(parameters["present"])
    return str(parameters["equals"]) in scope.texts(parameters["if"])


def _order(scope: Scope, parameters: Mapping[str, Any]) -> Found:
    """No earlier time is after a later one; times of a form that is not known are not compared."""
    earlier = [time for text in scope.texts(parameters["earlier"]) if (time := _time(text))]
    for place, text in enumerate(scope.texts(parameters["later"])):
        later = _time(text)
        if later and any(_comparable(each, later) and each > later for each in earlier):
            yield scope.pointers(parameters["later"])[place], "it is before the earlier time"


def _distinct(scope: Scope, parameters: Mapping[str, Any]) -> Found:
    """No text stands twice."""
    seen: set[str] = set()
    for place, text in enumerate(scope.texts(parameters["path"])):
        if text in seen:
            yield scope.pointers(parameters["path"])[place], "it stands there twice"
        seen.add(text)


def _check_digit(scope: Scope, parameters: Mapping[str, Any]) -> Found:
    """The check digit is right."""
    right = SCHEMES[parameters["scheme"]]
    for place, text in enumerate(scope.texts(parameters["path"])):
        if not right(text):
            yield scope.pointers(parameters["path"])[place], "the check digit is wrong"


_KINDS: Mapping[str, Callable[[Scope, Mapping[str, Any]], Found]] = {
    "condition": _condition,
    "sum": _sum,
    "count": _count,
    "sequence": _sequence,
    "required-if": _required_if,
    "forbidden-if": _forbidden_if,
    "order": _order,
    "distinct": _distinct,
    "check-digit": _check_digit,
}


def _time(text: str) -> datetime | None:
    """A time in ISO 8601, or in the compact forms of UN/EDIFACT 2379 (102, 203, 204, 304)."""
    if compact := _COMPACT.fullmatch(text.strip()):
        text = "{}T{}{}".format(*compact.groups(default=""))
    try:
        return datetime.fromisoformat(text.strip())
    except ValueError:
        return None


def _comparable(one: datetime, other: datetime) -> bool:
    """Whether both times name their zone, or neither does."""
    return (one.utcoffset() is None) == (other.utcoffset() is None)
