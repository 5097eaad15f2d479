"""Ways to write a text otherwise than it is: what old code pages, number formats and well-meant clean-ups do to it.

Each takes a text and gives one back. Where it has nothing to change, it gives back the same.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

Spelling = Callable[[str], str]

_TIME = re.compile(r"(\d{14})Z")


def _in_zone(hours: int, zone: str) -> Spelling:
    """The same moment, told in another zone; with an empty *zone* nobody can know that."""

    def spell(text: str) -> str:
        found = _TIME.fullmatch(text)
        if found is None:
            return text
        moment = datetime.strptime(found[1], "%Y%m%d%H%M%S") + timedelta(hours=hours)  # noqa: DTZ007 - told in UTC
        return moment.strftime("%Y%m%d%H%M%S") + zone

    return spell


def _number(change: Callable[[Decimal], Decimal]) -> Spelling:
    def spell(text: str) -> str:
        try:
            return str(change(Decimal(text)))
        except InvalidOperation:
            return text

    return spell


def _code_page(text: str) -> str:
    """Read the bytes of UTF-8 as those of a Western code page."""
    return text.encode().decode("latin-1")


def _question_marks(text: str) -> str:
    return text.encode("ascii", "replace").decode("ascii")


def _without_marks(text: str) -> str:
    """Letters without what stands above and below them."""
    return "".join(each for each in unicodedata.normalize("NFD", text) if not unicodedata.combining(each))


SPELLINGS: Mapping[str, Spelling] = {
    "upper-case": str.upper,
    "lower-case": str.lower,
    "padded": lambda text: text.ljust(len(text) + 3),
    "four-times": lambda text: text * 4,
    "first-10": lambda text: text[:10],
    "first-word": lambda text: text.partition(" ")[0],
    "code-page": _code_page,
    "question-marks": _question_marks,
    "without-marks": _without_marks,
    "decomposed": lambda text: unicodedata.normalize("NFD", text),
    "backwards": lambda text: text[::-1],
    "escaped-twice": lambda text: "".join(f"&#{ord(each)};" if ord(each) > 127 else each for each in text),
    "decimal-comma": lambda text: text.replace(".", ","),
    "thousands": _number(lambda number: number * 1000),
    "whole": _number(lambda number: number.quantize(Decimal(1), ROUND_HALF_UP)),
    "one-more": _number(lambda number: number + 1),
    "one-less": _number(lambda number: number - 1),
    "more-decimals": lambda text: f"{text}0" if "." in text else text,
    "fewer-decimals": lambda text: text.rstrip("0").rstrip(".") if "." in text else text,
    "plus-sign": lambda text: f"+{text}",
    "leading-zero": lambda text: f"0{text}",
    "no-leading-zeros": lambda text: text.lstrip("0"),
    "digits-only": lambda text: "".join(each for each in text if each.isdigit()),
    "no-zone": _in_zone(5, ""),
    "date-only": lambda text: text[:8] if _TIME.fullmatch(text) else text,
    "iso-8601": lambda text: (
        f"{text[:4]}-{text[4:6]}-{text[6:8]}T{text[8:10]}:{text[10:12]}:{text[12:14]}Z"
        if _TIME.fullmatch(text)
        else text
    ),
    "zone-east": _in_zone(5, "+05"),
    "zone-colon": _in_zone(4, "+04:00"),
    "zone-digits": _in_zone(5, "+0500"),
    "zone-west": _in_zone(-3, "-0300"),
}
"""Every spelling by name."""
