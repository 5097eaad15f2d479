"""Clocks of simulated parties that are off: who would have to believe one that is too far off?"""

from __future__ import annotations

from collections.abc import Iterator

from harness.errors import ConfigurationFault
from harness.pack.model import Pack
from harness.scenario.model import Exchange, Scenario
from harness.scenario.project import ACCEPTED, exchanges, project, wrong
from harness.security.timestamp import forgives


def untimely(scenario: Scenario, pack: Pack) -> Iterator[ConfigurationFault]:
    """Every exchange in which a message is to be believed whose time stamp is beyond the tolerance of the pack.

    Looked for in the cases, where those messages stand as well that are owed and not written.
    """
    if not any(step.clocks for step in exchanges(scenario.steps)):
        return
    cases = (project(scenario, pack, seat) for seat in scenario.parties)
    played = {step.id: step for case in cases if case is not None for step in exchanges(case.steps)}
    for step in played.values():
        for party in _believed(step):
            ahead = step.clocks.get(party)
            if ahead is not None and not forgives(pack.security, ahead):
                yield ConfigurationFault(
                    f"in {step.id} of the scenario {scenario.id}, the clock of {party} is too far off to be believed",
                    where=scenario.place(step.id),
                    expected=f"a clock that is off by {pack.security.tolerance} at most, or a request that is refused "
                    "(`when: simulated`, and an `answer`)",
                    remedy="Put the clock right before this step (`clocks:`), or do not let that party speak.",
                )


def _believed(step: Exchange) -> tuple[str, ...]:
    """The parties whose message of an exchange is to be taken for fresh."""
    refused = wrong(step) and ACCEPTED not in step.expectation.expect
    return (step.receiver,) if refused else (step.sender, step.receiver)
