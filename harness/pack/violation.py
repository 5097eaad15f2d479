"""What is wrong with the content of a message, and where; and with which codes an answer may refuse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Violation:
    """A place where a message breaks its schema.

    Parameters:
        kind: kind of constraint, as in ``constraints.yaml``: ``missing``, ``unexpected``, ``order``, ``repeated``,
            ``length``, ``pattern``, ``enumeration``, ``type``, ``attribute-missing``, ``attribute-unexpected`` or
            ``attribute-value``.
        pointer: the place, relative to the payload; of what is missing, the place where it should stand.
        line: line in the message, where known.
        text: one plain sentence; it never quotes a value of the message.
    """

    kind: str
    pointer: str
    line: int | None
    text: str


@dataclass(frozen=True)
class Breach:
    """A place where a message breaks a code list or a rule.

    Parameters:
        code: the pack's error code for it.
        pointer: the place, relative to the payload.
        line: line in the message, where known.
        text: one plain sentence; it never quotes a value of the message.
        requirement: the demand it breaks, if the pack names one.
        rule: id of the rule; ``None`` for a code list.
    """

    code: str
    pointer: str
    line: int | None
    text: str
    requirement: str | None
    rule: str | None = None


@dataclass(frozen=True)
class Refusals:
    """The error codes with which an answer may refuse; whoever is told one of them knows that nothing was recorded.

    Parameters:
        answer: name of the answer.
        meanings: code to its meaning.
        told: demand on who gets the answer: it does not go on.
    """

    answer: str
    meanings: Mapping[str, str]
    told: str
