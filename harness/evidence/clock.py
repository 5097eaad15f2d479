"""The two clocks: the wall clock says when, the monotonic clock says how long."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

UNCERTAINTY = 0.05
"""Seconds by which our times are uncertain; a limit that is missed by less decides nothing."""


class Clock(Protocol):
    """Where time comes from. Everything that needs the time is given a clock."""

    def now(self) -> datetime:
        """Wall time, UTC, aware."""
        ...

    def mono(self) -> int:
        """Nanoseconds from an arbitrary start that never go back."""
        ...


class SystemClock:
    """The clocks of the operating system."""

    def now(self) -> datetime:
        """Wall time, UTC, aware."""
        return datetime.now(UTC)

    def mono(self) -> int:
        """Nanoseconds from an arbitrary start that never go back."""
        return time.monotonic_ns()


class FixedClock:
    """A clock that stands still until it is advanced.

    Parameters:
        at: wall time to start with, aware.
    """

    def __init__(self, at: datetime) -> None:
        if at.tzinfo is None:
            raise ValueError("the time needs a time zone")
        self._at = at.astimezone(UTC)
        self._mono = 0

    def now(self) -> datetime:
        """Wall time, UTC, aware."""
        return self._at

    def mono(self) -> int:
        """Nanoseconds since the clock was made."""
        return self._mono

    def advance(self, by: timedelta) -> None:
        """Let time pass on both clocks."""
        self._at += by
        self._mono += round(by / timedelta(microseconds=1)) * 1000


def stamp(at: datetime) -> str:
    """A time as it stands in the evidence: RFC 3339, UTC, microseconds."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
