"""Cases that nobody writes: everything that the tables of a pack say, asked of one seat."""

from __future__ import annotations

from functools import lru_cache

from harness.pack.model import Pack
from harness.scenario.derive_content import content_scenarios
from harness.scenario.derive_defect import defect_scenarios
from harness.scenario.derive_lifecycle import lifecycle_scenarios
from harness.scenario.derive_told import told_scenarios
from harness.scenario.derive_variation import variation_scenarios
from harness.scenario.model import Depth, Scenario


@lru_cache(maxsize=64)
def derive(pack: Pack, seat: str, depth: Depth = "full") -> tuple[Scenario, ...]:
    """The derived scenarios in which a seat has a part, always in the same order.

    Parameters:
        pack: the profile.
        seat: party id.
        depth: how many of them, see :data:`harness.scenario.model.Depth`.
    """
    return (
        *lifecycle_scenarios(pack, seat),
        *content_scenarios(pack, seat, depth),
        *defect_scenarios(pack, seat, depth),
        *told_scenarios(pack, seat, depth),
        *variation_scenarios(pack, seat, depth),
    )
