"""What may stand in an element or attribute, as an XML Schema says it, and the shortest text that fits.

Only what helps to recognise a place and to fill it is read; whether a text is really right is for the validator to say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice

_DEEP = 12
_LONGEST = 512
_FAMILIES = {
    "number": "decimal integer int long short byte nonNegativeInteger positiveInteger nonPositiveInteger "
    "negativeInteger unsignedInt unsignedLong unsignedShort unsignedByte float double",
    "time": "dateTime date time gYear gYearMonth gMonth gDay gMonthDay duration",
    "flag": "boolean",
}
_FAMILY = {name: family for family, names in _FAMILIES.items() for name in names.split()}
_WRITTEN = {
    "date": "2026-01-01",
    "dateTime": "2026-01-01T00:00:00",
    "time": "00:00:00",
    "gYear": "2026",
    "gYearMonth": "2026-01",
    "gMonth": "--01",
    "gDay": "---01",
    "gMonthDay": "--01-01",
    "duration": "P1D",
    "boolean": "false",
    "base64Binary": "AA==",
    "hexBinary": "00",
    "anyURI": "urn:example",
    "negativeInteger": "-1",
    "language": "en",
}
_ESCAPED = {
    "d": "1",
    "w": "x",
    "s": " ",
    "i": "x",
    "c": "x",
    "n": "\n",
    "t": "\t",
    "r": "\r",
    "D": "x",
    "W": "-",
    "S": "x",
}
_CATEGORY = {"L": "x", "Lu": "X", "Ll": "x", "N": "1", "Nd": "1", "P": "-", "Z": " ", "IsBasicLatin": "x"}


@dataclass(frozen=True)
class Text:
    """The facets of a simple type.

    Parameters:
        base: name of the built-in type that it is made of.
        patterns: regular expressions of which one must fit.
        values: the listed values; empty where none are listed.
        least, most: length in characters.
        low: the lowest number.
        fixed: the only value, where the declaration says so.
    """

    base: str = "string"
    patterns: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    least: int = 0
    most: int | None = None
    low: str | None = None
    fixed: str | None = None

    @cached_property
    def listed(self) -> frozenset[str]:
        """The listed values; there may be tens of thousands."""
        return frozenset(self.values)

    @property
    def family(self) -> str:
        """``number``, ``time``, ``flag`` or ``text``."""
        return _FAMILY.get(self.base, "text")

    def narrowed(self, facet: str, value: str) -> Text:
        """The type with one more facet of its restriction."""
        match facet:
            case "length" if value.isdigit():
                return replace(self, least=int(value), most=int(value))
            case "minLength" if value.isdigit():
                return replace(self, least=int(value))
            case "maxLength" | "totalDigits" if value.isdigit():
                return replace(self, most=int(value))
            case "minInclusive":
                return replace(self, low=value)
            case "minExclusive":
                return replace(self, low=str(int(float(value)) + 1))
            case _:
                return self


def sample_text(text: Text) -> str:
    """A short text that fits, as far as the facets tell."""
    if text.fixed is not None:
        return text.fixed
    if text.values:
        return text.values[0]
    if text.patterns:
        return min((_from_pattern(pattern, text.least) for pattern in text.patterns), key=len)
    if text.base in _WRITTEN:
        return _WRITTEN[text.base]
    if text.family == "number":
        return text.low if text.low is not None else "1"
    return "x" * min(max(text.least, 1), _LONGEST)


def fits(text: Text, value: str) -> bool:
    """Whether a value may stand there, as far as the facets tell without a validator."""
    if text.fixed is not None and value != text.fixed:
        return False
    if text.values and value not in text.listed:
        return False
    if text.family == "number":
        return re.fullmatch(r"[-+]?[0-9]+(\.[0-9]+)?", value) is not None
    if text.family == "time" and not re.match(r"[0-9-]", value):
        return False
    if text.patterns and not any(_matches(pattern, value) for pattern in text.patterns):
        return False
    return text.least <= len(value) and (text.most is None or len(value) <= text.most)


def _matches(pattern: str, value: str) -> bool:
    """Whether it fits a pattern; one that Python does not understand excludes nothing."""
    try:
        return re.fullmatch(pattern.replace(r"\i", r"[\w:]").replace(r"\c", r"[\w:.-]"), value) is not None
    except re.error:
        return True


def _from_pattern(pattern: str, least: int) -> str:
    """The first way through a regular expression of XML Schema (part 2, appendix F)."""
    for more in range(min(least, _LONGEST) + 1):
        found = "".join(islice(_Reader(pattern, more).branches(), _LONGEST))
        if len(found) >= max(least, 1):
            return found
    return found


class _Reader:
    """Walks through one pattern; what may be repeated is taken *more* times than it must."""

    def __init__(self, pattern: str, more: int) -> None:
        self.pattern, self.more, self.at, self.depth = pattern, more, 0, 0

    def branches(self) -> Iterator[str]:
        self.depth += 1
        taken = [] if self.depth > _DEEP else list(self.branch())
        while self.peek() == "|":
            self.at += 1
            list(self.branch())
        self.depth -= 1
        yield from taken

    def branch(self) -> Iterator[str]:
        while self.peek() not in ("", "|", ")"):
            piece = self.atom()
            least, most = self.quantity()
            yield piece * min(max(least, min(self.more, most)), _LONGEST)

    def peek(self) -> str:
        return self.pattern[self.at : self.at + 1]

    def take(self) -> str:
        self.at += 1
        return self.pattern[self.at - 1 : self.at]

    def atom(self) -> str:
        match character := self.take():
            case "(":
                inner = "".join(self.branches())
                self.take()
                return inner
            case "[":
                return self.group()
            case "\\":
                return self.escape()
            case ".":
                return "x"
            case _:
                return character

    def escape(self) -> str:
        letter = self.take()
        if letter in ("p", "P") and self.peek() == "{":
            name, _, rest = self.pattern[self.at + 1 :].partition("}")
            self.at = len(self.pattern) - len(rest)
            return _CATEGORY.get(name, "x")
        return _ESCAPED.get(letter, letter)

    def group(self) -> str:
        """One character of a group; of a group of what is not meant, the first that is not in it."""
        negative = self.peek() == "^"
        self.at += negative
        listed: list[str] = []
        while self.peek() not in ("", "]"):
            character = self.take()
            if character == "-" and self.peek() == "[":
                self.take()
                self.group()
            elif character == "\\":
                listed.append(self.escape())
            elif character == "-" and listed and self.peek() not in ("]", ""):
                last = self.take()
                last = self.escape() if last == "\\" else last
                listed += [chr(code) for code in range(ord(listed[-1]) + 1, min(ord(last), ord(listed[-1]) + 200) + 1)]
            else:
                listed.append(character)
        self.take()
        if negative:
            return next((each for each in "x1A-" if each not in listed), "x")
        return next((each for each in listed if each.isalnum()), listed[0] if listed else "")

    def quantity(self) -> tuple[int, int]:
        match self.peek():
            case "?":
                self.take()
                return 0, 1
            case "*" | "+":
                return (0 if self.take() == "*" else 1), _LONGEST
            case "{":
                least, comma, most = self.pattern[self.at + 1 :].partition("}")[0].partition(",")
                self.at = self.pattern.find("}", self.at) + 1 or len(self.pattern)
                low = int(least) if least.isdigit() else 0
                return low, (int(most) if most.isdigit() else _LONGEST) if comma else low
            case _:
                return 1, 1
