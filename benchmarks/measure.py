"""Measuring: processor time of this process alone, on one core, as medians over repeats."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class Sample:
    """One repeat.

    Parameters:
        units: how often the measured thing was done.
        cpu: processor seconds of this process, all threads.
        wall: seconds.
    """

    units: int
    cpu: float
    wall: float


@dataclass(frozen=True)
class Series:
    """All repeats of one measurement; times are in microseconds for one unit."""

    name: str
    samples: Sequence[Sample]

    @property
    def cpu(self) -> float:
        return statistics.median(self._cpu())

    @property
    def least(self) -> float:
        return min(self._cpu())

    @property
    def most(self) -> float:
        return max(self._cpu())

    @property
    def rate(self) -> float:
        """Units per second of wall time, median."""
        return statistics.median(sample.units / sample.wall for sample in self.samples)

    def _cpu(self) -> list[float]:
        return [1e6 * sample.cpu / sample.units for sample in self.samples]


class Stopwatch:
    """Both clocks, from the moment it was made."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def sample(self, units: int) -> Sample:
        return Sample(units, time.process_time() - self._cpu, time.perf_counter() - self._wall)


def measure(name: str, work: Callable[[], object], *, units: int, repeats: int) -> Series:
    """Call *work* *units* times in each of *repeats* rounds, after one round that does not count."""
    samples = []
    for _ in range(repeats + 1):
        watch = Stopwatch()
        for _ in range(units):
            work()
        samples.append(watch.sample(units))
    return Series(name, samples[1:])


def cores() -> tuple[int | None, int | None]:
    """The core for what is measured and the one for its counterpart; ``None`` where a process cannot be pinned."""
    if not hasattr(os, "sched_setaffinity"):
        return None, None
    ours, *others = sorted(os.sched_getaffinity(0))
    return (ours, others[0]) if others else (None, None)


@contextmanager
def pinned(core: int | None) -> Iterator[None]:
    """Keep this process, and what it starts meanwhile, on one core."""
    if core is None:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def resident() -> int | None:
    """Bytes of memory that this process holds now; ``None`` where the system does not tell it in a file."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return None
