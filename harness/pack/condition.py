"""The tests of rules: what a condition asks of a place, and what it demands there.

One notation for both. A test is a text (equal to it), a list (one of them), or a mapping with one of the words below;
``first`` and ``last`` beside it look at so many characters only. Of a place that is not there only ``present`` speaks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from harness.message.model import Document
from harness.pack.checkdigit import SCHEMES
from harness.pack.model import CodeList

REQUIRED, OPTIONAL, NOT_USED = "R", "O", "N"
"""What a decision says of a place: it must be there, it may be there, it must not be there."""

DEMANDS = (REQUIRED, OPTIONAL, NOT_USED)
"""All of them: no texts that a place is compared with."""

_LONGEST_NUMBER = 64


class Scope(NamedTuple):
    """Where a rule looks: the message, or one occurrence of what repeats in it.

    Parameters:
        document: the message.
        codelists: the code lists of the pack.
        known: what was read already, shared by all scopes of a message.
        place: pointer of the occurrence, without its first slash; empty for the whole message.
    """

    document: Document
    codelists: Mapping[str, CodeList]
    known: dict[str, list[str]]
    place: str = ""

    def path(self, path: str) -> str:
        """The same path from the root element; one with a leading slash starts there already."""
        return f"{self.place}/{path}" if self.place and not path.startswith("/") else path.removeprefix("/")

    def texts(self, path: str) -> list[str]:
        """The texts at a path."""
        full = self.path(path)
        if full not in self.known:
            self.known[full] = list(self.document.texts(full))
        return self.known[full]

    def pointers(self, path: str) -> list[str]:
        """The places that a path reaches."""
        return list(self.document.pointers(self.path(path)))


def holds(scope: Scope, conditions: Mapping[str, Any]) -> bool:
    """Whether all conditions hold: of each path one text passes its test; ``any`` lists alternatives."""
    return all(
        any(holds(scope, each) for each in test) if path == "any" else _one(scope, path, test)
        for path, test in conditions.items()
    )


def _one(scope: Scope, path: str, test: Any) -> bool:
    if isinstance(test, dict) and "present" in test:
        return bool(scope.pointers(path)) is bool(test["present"])
    texts = scope.texts(path)
    if isinstance(test, dict) and "not" in test:
        inner = {**test, **(test["not"] if isinstance(test["not"], dict) else {"is": test["not"]})}
        inner.pop("not")
        return bool(texts) and not any(passes(scope, text, inner) for text in texts)
    return any(passes(scope, text, test) for text in texts)


def wrong(scope: Scope, path: str, demand: Any) -> Iterator[tuple[str, str, str]]:
    """Every place that does not meet a demand, why, and which demand it is: R, N, or nothing for a test."""
    if demand == REQUIRED:
        if not scope.pointers(path):
            yield "/" + scope.path(path).replace("[*]", ""), "it is missing", REQUIRED
    elif demand == NOT_USED:
        for pointer in scope.pointers(path):
            yield pointer, "it must not be used", NOT_USED
    elif demand != OPTIONAL:
        texts = scope.texts(path)
        if all(passes(scope, text, demand) for text in texts):
            return
        for text, pointer in zip(texts, scope.pointers(path), strict=True):
            if not passes(scope, text, demand):
                yield pointer, "its value is not right", ""


def passes(scope: Scope, text: str, test: Any) -> bool:
    """Whether one text passes a test."""
    if isinstance(test, str):
        return text == test
    if isinstance(test, list):
        return text in test
    if "first" in test:
        text = text[: test["first"]]
    if "last" in test:
        text = text[-test["last"] :]
    return all(_TESTS[word](scope, text, given, test) for word, given in test.items() if word in _TESTS)


def _same(scope: Scope, text: str, given: Any, test: Mapping[str, Any]) -> bool:
    others = scope.texts(given)
    if "first" in test:
        others = [other[: test["first"]] for other in others]
    if "last" in test:
        others = [other[-test["last"] :] for other in others]
    return not others or text in others


def _compared(compare: Callable[[Decimal, Decimal], bool]) -> Callable[[Scope, str, Any, Mapping[str, Any]], bool]:
    """Compare as numbers with a number, or with every number at a path; what is no number is not compared."""

    def test(scope: Scope, text: str, given: Any, _: Mapping[str, Any]) -> bool:
        own = decimal(text)
        literal = decimal(given)
        others = [literal] if literal is not None else [decimal(each) for each in scope.texts(given)]
        return own is None or all(other is None or compare(own, other) for other in others)

    return test


_TESTS: Mapping[str, Callable[[Scope, str, Any, Mapping[str, Any]], bool]] = {
    "is": lambda _, text, given, __: text in given if isinstance(given, list) else text == given,
    "in": lambda scope, text, given, _: text in scope.codelists[given].codes,
    "form": lambda _, text, given, __: re.fullmatch(given, text, re.ASCII) is not None,
    "not": lambda scope, text, given, _: not passes(scope, text, given),
    "same": _same,
    "least": _compared(lambda own, other: own >= other),
    "most": _compared(lambda own, other: own <= other),
    "above": _compared(lambda own, other: own > other),
    "check-digit": lambda _, text, given, __: SCHEMES[given](text),
}


def decimal(text: str) -> Decimal | None:
    """The number, or ``None`` where there is none that can be compared."""
    if len(text) > _LONGEST_NUMBER:
        return None
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number.adjusted()) <= _LONGEST_NUMBER else None
