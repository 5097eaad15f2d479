"""The two clocks: the wall clock says when, the monotonic clock says how long.

A run has one idea of the time. The wall clock of the computer is read once, when the run begins; from then on time only
passes. So nobody who sets that clock in the middle moves the times of messages, or makes one look stale that is not.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

from harness.host import passing

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

    def set_by(self) -> float:
        """Seconds by which the computer's own wall clock is ahead of :meth:`now`, because it was set since."""
        ...


class SystemClock:
    """The clocks of the operating system, the wall clock as it was when this was made.

    Parameters:
        wall: the wall clock of the computer, UTC, aware; anybody may set it at any time.
        passed: nanoseconds from an arbitrary start that nobody can set.
    """

    def __init__(
        self, wall: Callable[[], datetime] = lambda: datetime.now(UTC), passed: Callable[[], int] = passing
    ) -> None:
        self._wall, self._passed = wall, passed
        self._start, self._since = wall(), passed()

    def now(self) -> datetime:
        """Wall time, UTC, aware."""
        return self._start + timedelta(microseconds=(self._passed() - self._since) // 1000)

    def set_by(self) -> float:
        """Seconds by which the wall clock of the computer is ahead of :meth:`now`."""
        return (self._wall() - self.now()).total_seconds()

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

    def set_by(self) -> float:
        """Nobody sets this clock."""
        return 0.0

    def advance(self, by: timedelta) -> None:
        """Let time pass on both clocks."""
        self._at += by
        self._mono += round(by / timedelta(microseconds=1)) * 1000


def stamp(at: datetime) -> str:
    """A time as it stands in the evidence: RFC 3339, UTC, microseconds."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
