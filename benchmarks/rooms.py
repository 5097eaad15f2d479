"""Where the processor time goes, room by room: the stack is looked at in regular steps of processor time.

A sampling profile costs next to nothing, so that shares are those of the machine as it runs; a profile that counts
calls would show what has many small calls too large.
"""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import harness

_STEP = 0.001
_HOUSE = str(Path(harness.__file__).parent)
_OUTSIDE = "asyncio, and what belongs to no room"

AVAILABLE = hasattr(signal, "setitimer")
"""Whether this system has a timer that counts processor time."""


class Profile:
    """What was seen, by module (``room/module``): the innermost frame of the house counts."""

    def __init__(self) -> None:
        self._modules: Counter[str] = Counter()

    def look(self, _signal: int, frame: FrameType | None) -> None:
        """Note where the program is."""
        while frame is not None and not frame.f_code.co_filename.startswith(_HOUSE):
            frame = frame.f_back
        module = _OUTSIDE if frame is None else frame.f_code.co_filename[len(_HOUSE) + 1 :].removesuffix(".py")
        self._modules[module.replace(os.sep, "/")] += 1

    def by_module(self) -> list[tuple[str, float]]:
        """Modules with their shares of the whole, largest first."""
        return _shares(self._modules)

    def by_room(self) -> list[tuple[str, float]]:
        """Rooms with their shares of the whole, largest first."""
        rooms: Counter[str] = Counter()
        for module, count in self._modules.items():
            rooms[module.partition("/")[0]] += count
        return _shares(rooms)


def _shares(counts: Counter[str]) -> list[tuple[str, float]]:
    whole = counts.total() or 1
    return [(place, count / whole) for place, count in counts.most_common()]


@contextmanager
def profiled() -> Iterator[Profile]:
    """Watch this process while the block runs; from the main thread only."""
    profile = Profile()
    before = signal.signal(signal.SIGPROF, profile.look)
    signal.setitimer(signal.ITIMER_PROF, _STEP, _STEP)
    try:
        yield profile
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
