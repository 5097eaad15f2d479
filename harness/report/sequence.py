"""The sequence diagram of a case: who sent what to whom, in which order, and where it went wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.judge.model import Verdict

MOST_ROWS = 60
"""Rows of one diagram; the log of messages has all."""
_LANE, _TOP, _ROW, _MARGIN = 168, 56, 30, 88
_LONGEST = 34
_BAD = {Verdict.FAIL.value, Verdict.HARNESS_ERROR.value}
_NEUTRAL = {Verdict.PASS.value, Verdict.NOT_APPLICABLE.value}


@dataclass(frozen=True)
class Lane:
    """A party: where its line stands, and whether it is the system under test."""

    x: int
    role: str
    position: str
    is_sut: bool


@dataclass(frozen=True)
class Row:
    """A message between two lanes, or (without *to*) something that was observed at one.

    Parameters:
        y: its height.
        start, end: where the arrow begins and ends; the same for an observation.
        label: number and message, or the step.
        way: ``sent``, ``received``, ``simulated`` or ``observed``.
        verdict: of the step, where it is worth a sign; else empty.
    """

    y: int
    start: int
    end: int
    label: str
    way: str
    verdict: str

    @property
    def is_arrow(self) -> bool:
        """Whether something was sent."""
        return self.way != "observed"

    @property
    def middle(self) -> int:
        """Where the label stands."""
        return (self.start + self.end) // 2


@dataclass(frozen=True)
class Diagram:
    """A diagram, laid out. *left_out* counts the rows that are not drawn."""

    width: int
    height: int
    lanes: Sequence[Lane]
    rows: Sequence[Row]
    left_out: int


def diagram(case: Mapping[str, Any]) -> Diagram | None:
    """Lay out the diagram of a case; ``None`` when nothing was sent."""
    found = sorted(_rows(case), key=lambda row: row[0])
    parties = list(
        dict.fromkeys(
            party for _, _, message in found if message for party in (message["sender"], message["receiver"]) if party
        )
    )
    if not parties:
        return None
    x_of = {party: _MARGIN + _LANE * n for n, party in enumerate(_ordered(parties, case["sut"]))}
    rows = [
        _row(_TOP + _ROW * (n + 1), step, message, x_of, case["sut"])
        for n, (_, step, message) in enumerate(found[:MOST_ROWS])
    ]
    return Diagram(
        width=2 * _MARGIN + _LANE * (len(parties) - 1),
        height=_TOP + _ROW * (len(rows) + 1),
        lanes=[Lane(x, *_name(party), party == case["sut"]) for party, x in x_of.items()],
        rows=rows,
        left_out=len(found) - len(rows),
    )


def _rows(case: Mapping[str, Any]) -> Iterator[tuple[float, Mapping[str, Any], Mapping[str, Any] | None]]:
    """Messages by their number; an observation stands after the last message of the steps before it."""
    last = 0
    for step in case["steps"]:
        for message in step["messages"]:
            last = max(last, message["number"])
            yield message["number"], step, message
        if not step["messages"] and step["verdict"] != Verdict.NOT_APPLICABLE:
            yield last + 0.5, step, None


def _row(y: int, step: Mapping[str, Any], message: Mapping[str, Any] | None, x_of: Mapping[str, int], sut: str) -> Row:
    verdict = "" if step["verdict"] in _NEUTRAL else step["verdict"]
    if message is None:
        x = x_of.get(sut, next(iter(x_of.values())))
        return Row(y, x, x, _cut(step["observed"] or step["id"]), "observed", verdict or "pass")
    start = x_of.get(message["sender"] or "", x_of.get(sut, 0))
    end = x_of.get(message["receiver"] or "", x_of.get(sut, 0))
    label = f"{message['number']} {message['message'] or '?'}"
    on_purpose = message["defect"] or message.get("variation")
    if on_purpose:
        label += f" ({on_purpose})"
    theirs = [each for each in step["messages"] if each["direction"] == "received"]
    decided = message is (theirs or step["messages"])[-1]
    return Row(y, start, end, _cut(label), message["direction"], verdict if decided else "")


def _ordered(parties: Sequence[str], sut: str) -> list[str]:
    """In the order of appearance, with the system under test in the middle: most arrows are then short."""
    others = [party for party in parties if party != sut]
    middle = (len(others) + 1) // 2
    return [*others[:middle], *(party for party in parties if party == sut), *others[middle:]]


def _name(party: str) -> tuple[str, str]:
    role, _, position = party.partition(".")
    return _cut(role), _cut(position)


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
