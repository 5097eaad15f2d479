"""Where what was observed departs from what was expected, word by word."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

LONGEST = 2000
"""Characters of a text that are compared; the rest stands there without marks."""

_WORDS = re.compile(r"\s+|[\w.-]+|[^\w\s]")


@dataclass(frozen=True)
class Piece:
    """A piece of a text.

    Parameters:
        text: as it stands.
        differs: the other text has nothing like it there.
    """

    text: str
    differs: bool


def difference(text: str, others: Sequence[str]) -> list[Piece]:
    """A text in pieces, with the words marked in which it departs from the closest of the others.

    Parameters:
        text: which is shown.
        others: what it is held against; without any nothing is marked.
    """
    words = _WORDS.findall(text[:LONGEST])
    matchers = [SequenceMatcher(None, words, _WORDS.findall(other[:LONGEST]), autojunk=False) for other in others]
    rest = [Piece(text[LONGEST:], False)] if len(text) > LONGEST else []
    if not matchers:
        return [Piece(text, False)]
    closest = max(matchers, key=lambda matcher: matcher.ratio())
    pieces = [
        Piece("".join(words[start:end]), kind != "equal")
        for kind, start, end, _, _ in closest.get_opcodes()
        if start < end
    ]
    return pieces + rest
