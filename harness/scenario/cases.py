"""Every case of one seat: the written scenarios and the derived ones, projected onto it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from harness.pack.model import Pack
from harness.scenario.derive import derive
from harness.scenario.load import load_scenarios
from harness.scenario.model import Case, Depth
from harness.scenario.project import project


def cases_of(pack: Pack, seat: str, facts: Mapping[str, str], depth: Depth) -> tuple[Case, ...]:
    """The cases of a seat, always in the same order; made once for a pack.

    Parameters:
        pack, seat: the profile, and the party id.
        facts: what messages say about the system under test, in place of the pack's.
        depth: how many of them.

    Raises:
        ConfigurationFault: a scenario is wrong.
    """
    return _cases(pack, seat, tuple(facts.items()), depth)


@lru_cache(maxsize=16)
def _cases(pack: Pack, seat: str, facts: tuple[tuple[str, str], ...], depth: Depth) -> tuple[Case, ...]:
    written = (each for each in load_scenarios(pack) if depth != "quick" or each.depth == "quick")
    scripts = (*written, *derive(pack, seat, depth))
    projected = (project(scenario, pack, seat, dict(facts)) for scenario in scripts)
    cases = tuple(case for case in projected if case is not None)
    return tuple(_one_for_each_demand(cases)) if depth == "quick" else cases


def _one_for_each_demand(cases: Iterable[Case]) -> Iterator[Case]:
    """All written cases, and of each group of the derived ones the first for the same requirements."""
    shown: set[tuple[str, ...]] = set()
    for case in cases:
        demands = (case.group, *case.requirements)
        if case.derived_from is None:
            yield case
        elif demands not in shown:
            shown.add(demands)
            yield case
