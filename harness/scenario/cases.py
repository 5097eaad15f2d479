"""Every case of one seat: the written scenarios and the derived ones, projected onto it."""

from __future__ import annotations

from collections.abc import Mapping
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
        depth: how many are derived.

    Raises:
        ConfigurationFault: a scenario is wrong.
    """
    return _cases(pack, seat, tuple(facts.items()), depth)


@lru_cache(maxsize=16)
def _cases(pack: Pack, seat: str, facts: tuple[tuple[str, str], ...], depth: Depth) -> tuple[Case, ...]:
    scripts = (*load_scenarios(pack), *derive(pack, seat, depth))
    cases = (project(scenario, pack, seat, dict(facts)) for scenario in scripts)
    return tuple(case for case in cases if case is not None)
