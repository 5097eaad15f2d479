"""Which events belong to which attempt at a case, so that it is judged alike live and later."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from harness.evidence.model import Event
from harness.scenario.model import Case

SETTLED = ("complete", "stopped", "no-data")
"""How a case ends that a run which goes on does not play again."""

REPEATED = "run-repeated"
_BEGINS = ("run-resumed", REPEATED)
"""Events behind which no case is open that was cut off before."""


def events_by_case(cases: Iterable[str], events: Iterable[Event]) -> dict[str, tuple[Event, ...]]:
    """The events that the judge of each case looks at: its own, and those of the run from its start to its end.

    These are the events that the play kept for the case while it was open, so that a case is judged alike live and
    later; and those that order it to be played again. A case that was cut off was open until the run went on.
    """
    found: dict[str, list[Event]] = {case: [] for case in cases}
    running: dict[str, None] = {}
    for event in events:
        if event.case in found:
            if event.kind == "case-started":
                running[event.case] = None
            found[event.case].append(event)
            if event.kind == "case-finished":
                running.pop(event.case, None)
        elif event.kind in _BEGINS:
            running.clear()
            for case in found.keys() & event.data.get("cases", ()):
                found[case].append(event)
        elif event.case is None:
            for case in running:
                found[case].append(event)
    return {case: tuple(each) for case, each in found.items()}


def last_attempt(case: Case, events: Sequence[Event]) -> tuple[int, tuple[Event, ...]]:
    """The number of the last attempt at a case, 0 where there is none, and its events up to its end."""
    start = attempt = 0
    for number, event in enumerate(events):
        if event.kind == "case-started" and event.case == case.id:
            start, attempt = number, int(event.data.get("attempt", attempt + 1))
    own = [event for event in events[start:] if event.case in (case.id, None)]
    end = next((number for number, event in enumerate(own) if event.kind == "case-finished"), len(own))
    return attempt, tuple(own[: end + 1])


def cut_off(case: Case, events: Sequence[Event]) -> Iterator[tuple[int, tuple[Event, ...]]]:
    """The attempts before the last one that were cancelled or cut off: a run that goes on plays such a case anew.

    Those before a repetition stand beside the last one, see :mod:`harness.judge.again`.
    """
    repeated = max((n for n, event in enumerate(events) if event.kind == REPEATED), default=0)
    starts = [
        n + repeated
        for n, event in enumerate(events[repeated:])
        if event.kind == "case-started" and event.case == case.id
    ]
    for start, following in pairwise(starts):
        attempt, own = last_attempt(case, events[start:following])
        if not any(event.kind == "case-finished" and event.data["ended"] in SETTLED for event in own):
            yield attempt, own


def is_of(attempt: int, extra: Event) -> bool:
    """Whether a message that came beside the steps belongs to that attempt, and not to one before it."""
    return int(extra.data.get("attempt", attempt)) == attempt
