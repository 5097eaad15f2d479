"""References by name: a wrong one is answered with the nearest right one."""

from __future__ import annotations

import re
from collections.abc import Collection
from difflib import get_close_matches
from pathlib import Path

from harness.errors import ConfigurationFault, Where

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def did_you_mean(word: str, known: Collection[str]) -> str | None:
    """``Did you mean 'x'?`` for the nearest of the known words, or ``None`` when none is near."""
    near = get_close_matches(word, known, n=1)
    return f"Did you mean '{near[0]}'?" if near else None


def id_of(folder: Path) -> str:
    """The id of a pack that is to be written into a folder: the name of the folder.

    Raises:
        ConfigurationFault: that name can be no id.
    """
    name = folder.resolve().name
    if not _ID.fullmatch(name):
        raise ConfigurationFault(
            f"'{name}' cannot be the id of a pack",
            where=Where(folder),
            expected="a folder with a name of letters, digits, dot, dash and underscore",
            remedy="Choose another name for the folder.",
        )
    return name


def pick(word: str, known: Collection[str], what: str, where: Where) -> str:
    """Return the word if it is a known one.

    Parameters:
        word: what a file refers to.
        known: the words that exist; a table by name will do.
        what: what kind of thing it is, for the message.
        where: the place of the reference.

    Raises:
        ConfigurationFault: it is not known; the nearest known word is proposed.
    """
    if word in known:
        return word
    listed = ", ".join(sorted(set(known))[:12]) + (", ..." if len(known) > 12 else "")
    raise ConfigurationFault(
        f"there is no {what} '{word}'",
        where=where,
        expected=f"one of {listed}" if known else f"no {what}: none is defined",
        remedy=did_you_mean(word, known) or "Correct the name, or define it.",
    )
