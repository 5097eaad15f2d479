"""Rules and conditions over one message, by the kind that the pack names.

Numbers are compared as decimals, never as floats. A rule about a place that is not there says nothing: that
it must be there is the schema's to say.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation, localcontext
from typing import Any

from harness.message.model import Document
from harness.pack.checkdigit import SCHEMES
from harness.pack.model import Pack
from harness.pack.violation import Breach

_LONGEST_NUMBER = 64
_COMPACT = re.compile(r"(\d{8})(\d{4}(?:\d{2})?)(Z|[+-].*)?", re.ASCII)

Found = Iterator[tuple[str, str]]
"""Pointers and what is wrong there."""


def rule_violations(pack: Pack, message: str, document: Document) -> Iterator[Breach]:
    """Every place where a message breaks a rule of the pack.

    Parameters:
        pack: the pack.
        message: name of the message in it.
        document: the payload.
    """
    for rule in pack.rules.values():
        if message in rule.messages:
            for pointer, what in _KINDS[rule.kind](document, rule.parameters):
                text = f"{rule.id}: {rule.text} ({what})"
                yield Breach(rule.code, pointer, document.line(pointer), text, rule.requirement, rule.id)


def _sum(document: Document, parameters: Mapping[str, Any]) -> Found:
    """The parts add up to the total; judged only when all of them are numbers."""
    totals, parts = document.texts(parameters["total"]), document.texts(parameters["parts"])
    if not totals or not parts:
        return
    numbers = [number for text in (totals[0], *parts) if (number := _decimal(text)) is not None]
    if len(numbers) == 1 + len(parts):
        with localcontext(prec=4 * _LONGEST_NUMBER):
            total, added = numbers[0], sum(numbers[1:], Decimal(0))
            if abs(total - added) > Decimal(parameters.get("tolerance", "0")):
                yield document.pointers(parameters["total"])[0], f"the {len(parts)} parts add up to {added:f}"


def _count(document: Document, parameters: Mapping[str, Any]) -> Found:
    """The number says how many there are."""
    stated = document.texts(parameters["number"])
    there = len(document.pointers(parameters["of"]))
    if stated and (number := _decimal(stated[0])) is not None and number != there:
        yield document.pointers(parameters["number"])[0], f"there are {there}"


def _sequence(document: Document, parameters: Mapping[str, Any]) -> Found:
    """The numbers are 1, 2, 3 and so on."""
    for place, text in enumerate(document.texts(parameters["path"])):
        if _decimal(text) != place + 1:
            yield document.pointers(parameters["path"])[place], f"{place + 1} should stand here"
            return


def _required_if(document: Document, parameters: Mapping[str, Any]) -> Found:
    """When the condition holds, the other place is there."""
    if _holds(document, parameters) and not document.pointers(parameters["then"]):
        yield "/" + parameters["then"].replace("[*]", ""), "it is missing"


def _forbidden_if(document: Document, parameters: Mapping[str, Any]) -> Found:
    """When the condition holds, the other place is not there."""
    if _holds(document, parameters):
        for pointer in document.pointers(parameters["then"]):
            yield pointer, "it must not be here"


def _holds(document: Document, parameters: Mapping[str, Any]) -> bool:
    if "present" in parameters:
        return bool(document.pointers(parameters["if"])) is bool(parameters["present"])
    return str(parameters["equals"]) in document.texts(parameters["if"])


def _order(document: Document, parameters: Mapping[str, Any]) -> Found:
    """No earlier time is after a later one; times of a form that is not known are not compared."""
    earlier = [time for text in document.texts(parameters["earlier"]) if (time := _time(text))]
    for place, text in enumerate(document.texts(parameters["later"])):
        later = _time(text)
        if later and any(_comparable(each, later) and each > later for each in earlier):
            yield document.pointers(parameters["later"])[place], "it is before the earlier time"


def _distinct(document: Document, parameters: Mapping[str, Any]) -> Found:
    """No text stands twice."""
    seen: set[str] = set()
    for place, text in enumerate(document.texts(parameters["path"])):
        if text in seen:
            yield document.pointers(parameters["path"])[place], "it stands there twice"
        seen.add(text)


def _check_digit(document: Document, parameters: Mapping[str, Any]) -> Found:
    """The check digit is right."""
    right = SCHEMES[parameters["scheme"]]
    for place, text in enumerate(document.texts(parameters["path"])):
        if not right(text):
            yield document.pointers(parameters["path"])[place], "the check digit is wrong"


_KINDS: Mapping[str, Callable[[Document, Mapping[str, Any]], Found]] = {
    "sum": _sum,
    "count": _count,
    "sequence": _sequence,
    "required-if": _required_if,
    "forbidden-if": _forbidden_if,
    "order": _order,
    "distinct": _distinct,
    "check-digit": _check_digit,
}


def _decimal(text: str) -> Decimal | None:
    """The number, or ``None`` where there is none that can be compared."""
    if len(text) > _LONGEST_NUMBER:
        return None
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number.adjusted()) <= _LONGEST_NUMBER else None


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
