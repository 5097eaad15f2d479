"""A time limit that is moved all the time, such as with every message of a connection."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Deadline:
    """Calls once when the time is over; to set it anew costs next to nothing.

    Its timer is left where it is when the limit moves away from it: when it rings, it looks how much time is left.

    Parameters:
        over: is called when the time is over.
    """

    def __init__(self, over: Callable[[], None]) -> None:
        self._loop, self._over = asyncio.get_running_loop(), over
        self._due: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    def set(self, seconds: float) -> None:
        """The time is over in so many seconds, and not when it was to be before."""
        self._due = due = self._loop.time() + seconds
        if self._timer is None or due < self._timer.when():
            self._ring_at(due)

    def lift(self) -> None:
        """There is no limit until it is set again."""
        self._due = None

    def close(self) -> None:
        """Nothing is called any more."""
        self._due = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _ring_at(self, due: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(due, self._ring, due)

    def _ring(self, due: float) -> None:
        self._timer = None
        if self._due is not None and self._due > due:
            self._ring_at(self._due)
        elif self._due is not None:
            self._due = None
            self._over()
