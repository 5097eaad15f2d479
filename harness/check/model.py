"""The finding: what one check has to say about one message."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """Something a check found.

    Parameters:
        check: name of the check: ``schema``, ``codelist``, ``rule``, ``envelope``, ``signature``, ``correlation``,
            ``consistency``, ``legality``, ``answer``, ``timing``, ``reaction``, ...
        code: the pack's error code for it (``101``), or the stable word of the check (``digest-mismatch``).
        message: one plain sentence.
        severity: ``error``, ``warning`` or ``info``.
        requirement: the demand that is broken, when the pack maps the check to one.
        pointer: the place, in the path dialect; ``/`` for the whole.
        line: line in the message, where known.
    """

    check: str
    code: str
    message: str
    severity: Literal["error", "warning", "info"] = "error"
    requirement: str | None = None
    pointer: str = "/"
    line: int | None = None
