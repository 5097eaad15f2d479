"""Positive controls: a refusal counts only beside the same message, accepted."""

from __future__ import annotations

from collections.abc import Sequence

from harness.scenario.derive_lifecycle import accepted_id
from harness.scenario.model import Case, Exchange
from harness.scenario.project import exchanges, mode, settles, wrong


def controls_of(cases: Sequence[Case]) -> dict[str, str]:
    """The positive control of each negative case.

    It is the derived acceptance of its message, else the first case in which the SUT plays the same part in the
    same message without a refusal.
    """
    by_id = {case.id: case for case in cases}
    positives = sorted((case for case in cases if not case.negative), key=lambda case: bool(case.journey))
    found = {}
    for case in cases:
        message = _negative_message(case)
        if message is None:
            continue
        seat = case.id.rpartition("@")[2]
        derived = f"{accepted_id(message.message)}@{seat}"
        if derived in by_id:
            found[case.id] = derived
            continue
        part = mode(message, case.sut)
        for positive in positives:
            if positive.sut == case.sut and any(
                step.message == message.message and mode(step, case.sut) == part for step in exchanges(positive.steps)
            ):
                found[case.id] = positive.id
                break
    return found


def _negative_message(case: Case) -> Exchange | None:
    if not case.negative:
        return None
    played = [step for step in exchanges(case.steps) if mode(step, case.sut) != "simulate"]
    first_wrong = next((step for step in played if wrong(step)), None)
    return first_wrong or next((step for step in played if not settles(step)), None)
