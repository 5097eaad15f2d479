"""Memory: how the process grows while it plays exchange after exchange."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.machine import Machine, on_the_wire
from benchmarks.measure import resident

_STEPS = 20


@dataclass(frozen=True)
class Growth:
    """What the process held, step by step.

    Parameters:
        exchanges: how many had been played.
        bytes: what was resident then.
    """

    exchanges: Sequence[int]
    bytes: Sequence[int]

    @property
    def per_ten_thousand(self) -> float:
        """Slope of the straight line through the second half of the steps, in bytes for 10,000 exchanges."""
        half = len(self.exchanges) // 2
        counts, sizes = self.exchanges[half:], self.bytes[half:]
        centre, level = sum(counts) / len(counts), sum(sizes) / len(sizes)
        spread = sum((count - centre) ** 2 for count in counts)
        return 1e4 * sum((count - centre) * (size - level) for count, size in zip(counts, sizes, strict=True)) / spread


async def watch_memory(machine: Machine, exchanges: int) -> Growth | None:
    """Play so many exchanges, and look at the memory on the way; ``None`` where the system does not tell it."""
    if resident() is None:
        return None
    per_case = on_the_wire(machine.case)
    cases = max(1, exchanges // per_case // _STEPS)
    counts, sizes = [], []
    for step in range(1, _STEPS + 1):
        await machine.play(cases)
        gc.collect()
        counts.append(step * cases * per_case)
        sizes.append(resident() or 0)
    return Growth(counts, sizes)
