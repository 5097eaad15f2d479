"""Check digits of identifiers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from string import ascii_uppercase

_CONTAINER = re.compile(r"[A-Z]{3}[UJZ][0-9]{7}")
_GRN = re.compile(r"[0-9]{2}[A-Z]{2}[A-Z0-9]{12}[0-9](?:[A-Z][0-9]{6})?")
_MRN = re.compile(r"[0-9]{2}[A-Z]{2}[A-Z0-9]{13}[0-9]")


def _letter_values() -> dict[str, int]:
    """Values of digits and letters: A is 10, then upwards without the multiples of 11 (ISO 6346, annex A)."""
    values = [number for number in range(10, 39) if number % 11]
    return {str(digit): digit for digit in range(10)} | dict(zip(ascii_uppercase, values, strict=True))


_VALUES = _letter_values()


def _weighted(text: str) -> int:
    """Sum of the values of the characters, each times two to the power of its position from 0, modulo 11."""
    return sum(_VALUES[character] << position for position, character in enumerate(text)) % 11


def is_container_number(text: str) -> bool:
    """Whether a freight container number is well-formed and its check digit is right (ISO 6346, 3.1.3)."""
    return bool(_CONTAINER.fullmatch(text)) and _weighted(text[:10]) % 10 == int(text[10])


def is_movement_reference_number(text: str) -> bool:
    """Whether a movement reference number is well-formed and its check digit is right.

    Two digits of the year, two letters of the country, 13 characters, and a check digit after the
    algorithm of ISO 6346.
    """
    return bool(_MRN.fullmatch(text)) and _weighted(text[:17]) % 10 == int(text[17])


def is_guarantee_reference_number(text: str) -> bool:
    """Whether a guarantee reference number is well-formed and its check digit is right.

    Two digits of the year, two letters of the country, 12 characters, and a check digit after the algorithm of
    ISO 6346; of a voucher a letter and six digits follow.
    """
    return bool(_GRN.fullmatch(text)) and _weighted(text[:16]) % 10 == int(text[16])


def with_check_digits(text: str) -> str:
    """The text with a check digit after the algorithm of ISO 6346, over everything before it, for every ``*``."""
    made = ""
    for part in text.split("*")[:-1]:
        made += part
        made += str(_weighted(made) % 10)
    return made + text.rpartition("*")[2]


SCHEMES: Mapping[str, Callable[[str], bool]] = {
    "iso6346": is_container_number,
    "mrn": is_movement_reference_number,
    "grn": is_guarantee_reference_number,
}
"""Schemes by the name that packs use."""
