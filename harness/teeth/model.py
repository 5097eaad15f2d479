"""What is tried on a reference implementation, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Bite(StrEnum):
    """How a fault fared. Only a *fail* counts: a time-out, an inconclusive or a warning kills nothing."""

    KILLED = "killed"
    OTHERWISE = "killed by another requirement"
    SURVIVED = "survived"


@dataclass(frozen=True)
class Trial:
    """One campaign against a reference implementation that is not the faultless plain one.

    Parameters:
        pack: name or folder.
        role: the role that it plays.
        switch: id of the fault or the variation that is switched on.
        cases: ids of the cases to play; empty for all.
        variation: the switch is a legal variation.
        beside: other legal variations that are switched on as well.
    """

    pack: str
    role: str
    switch: str
    cases: tuple[str, ...] = ()
    variation: bool = False
    beside: tuple[str, ...] = ()


@dataclass(frozen=True)
class Observed:
    """What a trial showed.

    Parameters:
        trial: what was tried.
        verdicts: by case, in playing order.
        failed: by case, the requirements that failed there; under ``""`` those that the run as a whole broke.
        statuses: by requirement, its status.
        verdict, reason: of the run.
    """

    trial: Trial
    verdicts: Mapping[str, str]
    failed: Mapping[str, tuple[str, ...]]
    statuses: Mapping[str, str]
    verdict: str
    reason: str


def complaints(observed: Observed) -> tuple[str, ...]:
    """What a run says against a legal variation; nothing, if it is right."""
    bad = [f"{case} is {verdict}" for case, verdict in observed.verdicts.items() if verdict not in GOOD]
    broken = [f"{name} failed" for name, status in observed.statuses.items() if status == "failed"]
    return (*bad, *broken)


GOOD = ("pass", "warning", "not_applicable")
"""Verdicts of a case that are no complaint."""


@dataclass(frozen=True)
class Row:
    """One line of the kill matrix.

    Parameters:
        fault, role, title, requirement: the fault, and the demand that it breaks.
        played: number of cases that were played, without repeated controls.
        killers: cases that failed on that demand.
        others: cases that failed on other demands only, each with those.
    """

    fault: str
    role: str
    title: str
    requirement: str
    played: int
    killers: tuple[str, ...]
    others: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def bite(self) -> Bite:
        """How the fault fared."""
        return Bite.KILLED if self.killers else Bite.OTHERWISE if self.others else Bite.SURVIVED

    def to_json(self) -> dict[str, Any]:
        """The row for other programs."""
        return {
            "fault": self.fault,
            "role": self.role,
            "title": self.title,
            "requirement": self.requirement,
            "result": self.bite.value,
            "played": self.played,
            "killed_by": list(self.killers),
            "others": {case: list(names) for case, names in self.others.items()},
        }


def row_of(observed: Observed, title: str, requirement: str) -> Row:
    """The line of one trial of a fault."""
    killers = tuple(case or RUN for case, names in observed.failed.items() if requirement in names)
    others = {case or RUN: names for case, names in observed.failed.items() if requirement not in names}
    trial = observed.trial
    return Row(trial.switch, trial.role, title, requirement, len(observed.verdicts), killers, others)


RUN = "the run as a whole"
"""Stands for a case where something is broken across cases, such as a reference that is used again."""


def all_killed(rows: Sequence[Row]) -> bool:
    """Whether each fault fell to the demand that it breaks."""
    return all(row.bite is Bite.KILLED for row in rows)
