"""What is wrong with a scenario that can be read: told before anything is played."""

from __future__ import annotations

from collections.abc import Iterator

from harness.errors import ConfigurationFault
from harness.message.edit import read_edit
from harness.pack.model import Pack
from harness.pack.sample import golden
from harness.scenario.clock import untimely
from harness.scenario.contradiction import contradictions
from harness.scenario.model import Exchange, Scenario
from harness.scenario.project import exchanges


def mistakes(scenario: Scenario, pack: Pack) -> Iterator[ConfigurationFault]:
    """All of them: it contradicts the life-cycle table, nobody could believe a clock, or a defect cannot be made."""
    yield from contradictions(scenario, pack)
    yield from untimely(scenario, pack)
    yield from impossible(scenario, pack)


def impossible(scenario: Scenario, pack: Pack) -> Iterator[ConfigurationFault]:
    """Every edit of a place that the golden sample of its message does not have.

    Nothing is said about a message that gets values of its own (``with:``): they may add the place.
    """
    played = pack.on(scenario.journey)
    for step in exchanges(scenario.steps):
        for name, message in _defects(pack, step):
            edit = read_edit(name)
            if edit is None or step.values:
                continue
            try:
                edit.apply(golden(pack.format, played.messages[message].golden["accepted"]))
            except ConfigurationFault as fault:
                yield ConfigurationFault(
                    fault.what,
                    where=scenario.place(step.id),
                    expected=f"a place that the golden sample of {message} has",
                    remedy=fault.remedy,
                )


def _defects(pack: Pack, step: Exchange) -> Iterator[tuple[str, str]]:
    """The defects of an exchange, each with the name of the message that it is put into."""
    answer = pack.messages[step.message].answer
    if step.defect is not None:
        yield step.defect, step.message
    if step.answer_defect is not None and answer is not None:
        yield step.answer_defect, answer
