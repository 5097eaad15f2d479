"""Text from strangers, made fit to stand in a sentence: on a terminal, in a log, in a report.

A message can carry line breaks that fake a line of a log, sequences that command a terminal, and characters that turn
the direction of what follows. They are shown by their number; letters of every script stay, with the joiners that
Persian needs.
"""

from __future__ import annotations

import re

_LONGEST = 2000
_UNFIT = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
)


def plain(text: str, most: int = _LONGEST) -> str:
    """The text in one line of printable characters.

    Parameters:
        text: anything.
        most: characters that are kept; of a longer text the beginning.
    """
    if len(text) <= most and text.isascii() and text.isprintable():
        return text
    cut = text if len(text) <= most else f"{text[:most]}... ({len(text)} characters)"
    return _UNFIT.sub(lambda found: f"\\u{ord(found[0]):04x}", cut)
