"""Evidence is known again, whoever judges it and whatever is said about it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from small_run import Run

from harness.evidence.model import Event
from harness.record.identity import evidence_of

A, B, C = (f"sha256:{letter * 64}" for letter in "abc")


def event(kind: str, **data: Any) -> Event:
    return Event(0, kind, "2026-03-01T09:00:00.000000Z", 0, "c", "s", data)


def test_only_what_the_system_sent_counts_each_once_in_whatever_order() -> None:
    first = evidence_of("t", [event("received", digest=A), event("received", digest=B)])
    sent = [event(kind, digest=C) for kind in ("sent", "simulated", "extra", "unmatched", "run-finished")]
    assert evidence_of("t", [event("received", digest=B), *sent, event("received", digest=A)] * 2) == first
    assert len(first) == 1
    assert evidence_of("t", [event("received", digest=A)]) != first
    assert evidence_of("u", [event("received", digest=A), event("received", digest=B)]) != first
    assert evidence_of("t", sent) == ()


@pytest.mark.parametrize("kind", ["run-resumed", "run-repeated"])
def test_a_run_that_goes_on_keeps_the_digests_that_it_had(kind: str) -> None:
    before = [event("received", digest=A), event(kind), event("received", digest=B)]
    first, second = evidence_of("t", before)
    assert evidence_of("t", before[:1]) == (first,)
    assert evidence_of("t", [*before, event(kind), event("received", digest=C)])[:2] == (first, second)
    assert evidence_of("t", [event(kind), *before[:1], event(kind)]) == (first,)


def test_it_does_not_depend_on_who_judges_and_when(run: Run) -> None:
    (found,) = run.record()["evidence"]
    later = [each._replace(at="2026-04-01T09:00:00.000000Z", mono=each.mono + 1) for each in run.events]
    plan = replace(run.plan, parameters=replace(run.plan.parameters, assurance="witnessed", adopt_assumed=True))
    assert evidence_of(plan.parameters.token, later) == (found,)
