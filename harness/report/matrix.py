"""The matrix: groups of requirements against the seats that the system took."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.judge.model import Verdict
from harness.report.mapping import SETTLED, STATUSES, is_unsteady


@dataclass(frozen=True)
class Cell:
    """One cell of the matrix: how the cases of one seat stand to one group of requirements.

    Parameters:
        verdict: the worst.
        good, total: passed cases of all that touch the group.
        first: the case to look at first.
        unsteady: how many of them failed, and passed when they were played again.
    """

    verdict: str
    good: int
    total: int
    first: str
    unsteady: int = 0


@dataclass(frozen=True)
class Row:
    """One row of the matrix: a group of requirements, status counts, and a cell for each seat."""

    group: str
    statuses: Sequence[tuple[str, int]]
    cells: Sequence[Cell | None]


def seats_of(record: Mapping[str, Any]) -> list[str]:
    """The seats that the system took, in the order of the cases."""
    return list(dict.fromkeys(case["sut"] for case in record["cases"]))


def groups_of(requirements: Iterable[Mapping[str, Any]]) -> list[tuple[str, list[Mapping[str, Any]]]]:
    """Requirements by group, in the order of the record."""
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for requirement in requirements:
        groups.setdefault(requirement["group"], []).append(requirement)
    return list(groups.items())


def matrix(record: Mapping[str, Any]) -> list[Row]:
    """All rows. Positive controls are not counted."""
    group_of = {each["id"]: each["group"] for each in record["requirements"]}
    found: dict[tuple[str, str], list[tuple[Verdict, str]]] = {}
    unsteady = {case["id"] for case in record["cases"] if is_unsteady(case)}
    for case in record["cases"]:
        if case["is_control"]:
            continue
        worst: dict[str, Verdict] = {}
        for name, word in case["touched"].items():
            group, verdict = group_of.get(name), Verdict(word)
            if group is not None and verdict.rank >= worst.get(group, verdict).rank:
                worst[group] = verdict
        for group, verdict in worst.items():
            found.setdefault((group, case["sut"]), []).append((verdict, case["id"]))
    seats = seats_of(record)
    return [
        Row(group, _statuses(requirements), [_cell(found.get((group, seat), []), unsteady) for seat in seats])
        for group, requirements in groups_of(record["requirements"])
    ]


def _statuses(requirements: Sequence[Mapping[str, Any]]) -> list[tuple[str, int]]:
    counts = ((status, sum(each["status"] == status for each in requirements)) for status in STATUSES)
    return [(status, count) for status, count in counts if count]


def _cell(touched: Sequence[tuple[Verdict, str]], unsteady: Container[str]) -> Cell | None:
    if not touched:
        return None
    verdict, first = max(touched, key=lambda each: (each[0].rank, each[1] in unsteady))
    good = sum(each.value in SETTLED for each, _ in touched)
    return Cell(verdict.value, good, len(touched), first, sum(name in unsteady for _, name in touched))
