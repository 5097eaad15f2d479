"""The pen of the play: writes down what happened, and keeps the events of open cases for the judge."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from harness.evidence.log import EventLog
from harness.evidence.model import Event
from harness.exchange.http import Moment


class Recorder:
    """Writes events.

    Parameters:
        log: where to; bytes go to its store.
        on_event: is told every event.
    """

    def __init__(self, log: EventLog, on_event: Callable[[Event], None] = lambda _: None) -> None:
        self._log, self.store, self._on_event = log, log.store, on_event
        self._open: dict[str, list[Event]] = {}

    def open(self, case: str) -> None:
        """Keep the events of a case, and those that belong to no case, from here on."""
        self._open[case] = []

    def close(self, case: str) -> tuple[Event, ...]:
        """What was kept, in order."""
        return tuple(self._open.pop(case))

    def write(
        self, kind: str, case: str | None = None, step: str | None = None, when: Moment | None = None, **data: Any
    ) -> Event:
        """Write down one event.

        Parameters:
            kind: see :mod:`harness.evidence.model`.
            case, step: what it belongs to.
            when: both clocks at the socket; now when left out.
            data: the rest.
        """
        at: datetime | None = when.at if when else None
        event = self._log.write(kind, case, step, at, when.mono if when else None, **data)
        told = self._open.values() if case is None else [self._open[case]] if case in self._open else []
        for events in told:
            events.append(event)
        self._on_event(event)
        return event
