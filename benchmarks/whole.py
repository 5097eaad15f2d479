"""A whole run of the default suite against the reference implementation, as ``c2c demo --full`` plays it.

The reference implementation is a process of its own, so that what is counted is the harness alone: set up, plan, play,
judge, record, report and sign. Nothing is kept on one core.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.measure import Sample, Series, Stopwatch
from benchmarks.world import PACK
from harness.bundle.write import EVIDENCE
from harness.campaign import Wish
from harness.demo import Show, demonstration
from harness.evidence.log import read_events


@dataclass(frozen=True)
class Whole:
    """What a whole run took.

    Parameters:
        role: the role of the reference implementation.
        verdict: of the run.
        cases: that were played, controls included.
        begun_here, begun_there: exchanges on the wire that the harness began, and that the other side began. What
            simulated parties say to each other is none, nor is an order to the other side.
        sample: both clocks; a unit is an exchange.
    """

    role: str
    verdict: str
    cases: int
    begun_here: int
    begun_there: int
    sample: Sample

    def floor(self, here: Series, there: Series) -> float:
        """Processor seconds of as many exchanges of the floor.

        Parameters:
            here, there: the floor of an exchange that this end begins, and of one that the other end begins.
        """
        return (self.begun_here * here.cpu + self.begun_there * there.cpu) / 1e6


def play_whole(role: str | None, select: Sequence[str] = ()) -> Whole:
    """Play the whole default suite of a role once.

    Parameters:
        role: ``None`` takes the one that ``c2c demo`` takes.
        select: patterns over case ids, to try the measurement with few.
    """
    with TemporaryDirectory(prefix="c2c-bench-", ignore_cleanup_errors=True) as temporary:
        out, watch = Path(temporary) / "bundle", Stopwatch()
        wish = Wish(select=tuple(select), fresh=True, adopt_assumed=True)
        with demonstration(Show(PACK, role, full=True), wish) as (campaign, _):
            campaign.start(out)
            while not campaign.wait(60):
                pass
            judgement = campaign.result().judgement
        measured = watch.sample(1)
        begun = Counter(
            event.kind
            for event in read_events(out / EVIDENCE)
            if event.kind in ("sent", "received") and event.data["role"] == "request"
        )
    here, there = begun["sent"], begun["received"]
    sample = Sample(here + there, measured.cpu, measured.wall)
    return Whole(campaign.plan.subject.role, judgement.verdict.value, len(campaign.plan.cases), here, there, sample)
