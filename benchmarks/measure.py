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
        return statistics.median(self.per_unit())

    @property
    def least(self) -> float:
        return min(self.per_unit())

    @property
    def most(self) -> float:
        return max(self.per_unit())

    @property
    def rate(self) -> float:
        """Units per second of wall time, median."""
        return statistics.median(sample.units / sample.wall for sample in self.samples)

    def per_unit(self) -> list[float]:
        """Processor time of one unit, for each repeat."""
        return [1e6 * sample.cpu / sample.units for sample in self.samples]


@dataclass(frozen=True)
class Compared:
    """A measurement, and another one beside it: their repeats took turns, so that both saw the same computer."""

    series: Series
    beside: Series

    @property
    def ratio(self) -> float:
        """How much more processor time than the other one: median over the turns."""
        pairs = zip(self.series.per_unit(), self.beside.per_unit(), strict=True)
        return statistics.median(ours / theirs for ours, theirs in pairs)


@dataclass(frozen=True)
class Against(Compared):
    """A measurement beside the floor of its exchanges, and beside that of its whole case where the two differ."""

    whole: Series | None = None

    @property
    def to_whole(self) -> float:
        """The ratio to the floor of the whole case."""
        return self.ratio if self.whole is None else Compared(self.series, self.whole).ratio


class Stopwatch:
    """Both clocks, from the moment it was made."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def sample(self, units: int) -> Sample:
        return Sample(units, time.process_time() - self._cpu, time.perf_counter() - self._wall)


def measure(name: str, work: Callable[[], object], *, units: int, repeats: int) -> Series:
    """Call *work* *units* times in each of *repeats* rounds, after one round that does not count."""
    return Series(name, [sample(work, units) for _ in range(repeats + 1)][1:])


def sample(work: Callable[[], object], units: int) -> Sample:
    """Call *work* *units* times, once."""
    watch = Stopwatch()
    for _ in range(units):
        work()
    return watch.sample(units)


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
