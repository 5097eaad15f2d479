"""Playing trials: each in a process that is used again, with a reference implementation inside it."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

from harness.campaign import Result, Wish
from harness.demo import Show, demonstration
from harness.errors import ConfigurationFault, HarnessFault
from harness.judge.model import Status, Verdict
from harness.pack.load import load_pack
from harness.pack.model import Pack
from harness.scenario.model import Case
from harness.scenario.plan import END, Parameters, Subject, make_plan
from harness.teeth.model import Observed, Trial, complaints

AT_ONCE = 16
"""Cases in flight in one trial."""
TRIES = 4
"""How often a trial is set up."""
MOST_SECONDS = 900.0
"""A trial that takes longer has hung."""


@lru_cache(maxsize=4)
def pack_of(name: str) -> Pack:
    """A pack, read once in a process."""
    return load_pack(name)


@lru_cache(maxsize=16)
def cases_of(name: str, role: str) -> tuple[Case, ...]:
    """All cases for a role in all its positions, without controls at the end."""
    cases = make_plan(pack_of(name), Subject(role), Parameters()).cases
    return tuple(case for case in cases if not case.id.endswith(END))


def try_all(trials: Sequence[Trial], jobs: int | None = None) -> Iterator[Observed]:
    """Play trials in parallel processes; they come back as they end.

    Parameters:
        trials: what to try.
        jobs: processes; by default two for each processor, because a trial often waits.

    Raises:
        HarnessFault: a trial could not be played.
    """
    workers = min(jobs or 2 * (os.cpu_count() or 1), len(trials)) or 1
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_be_quiet) as pool:
        pending = [pool.submit(play, trial) for trial in trials]
        try:
            for done in as_completed(pending):
                yield done.result()
        finally:
            for each in pending:
                each.cancel()


def try_variations(trials: Sequence[Trial], jobs: int | None = None) -> Iterator[Observed]:
    """Play trials of legal variations, several in one campaign where no two meet at a hook point.

    What is done otherwise in several legal ways at once is legal too, so a campaign without a complaint says that about
    each of them. After a complaint each is tried alone, so that it is known whose it is.

    Parameters:
        trials: one for each variation and role.
        jobs: as for :func:`try_all`.

    Raises:
        HarnessFault: a trial could not be played.
    """
    alone: list[Trial] = []
    for observed in try_all(gathered(trials), jobs):
        each = apart(observed.trial)
        if len(each) > 1 and complaints(observed):
            alone += each
        else:
            yield from (replace(observed, trial=one) for one in each)
    if alone:
        yield from try_all(alone, jobs)


def gathered(trials: Sequence[Trial]) -> tuple[Trial, ...]:
    """The same variations in fewer trials: in one are those of one role of which no two have the same hook point."""
    found: list[dict[str, Trial]] = []
    for trial in trials:
        hook = pack_of(trial.pack).variations[trial.switch].hook
        group = next((each for each in found if hook not in each and _are_alike(trial, *each.values())), None)
        if group is None:
            found.append({hook: trial})
        else:
            group[hook] = trial
    groups = [tuple(each.values()) for each in found]
    return tuple(replace(first, beside=tuple(each.switch for each in others)) for first, *others in groups)


def apart(trial: Trial) -> tuple[Trial, ...]:
    """A trial for each variation of a trial."""
    return tuple(replace(trial, switch=switch, beside=()) for switch in (trial.switch, *trial.beside))


def _are_alike(*trials: Trial) -> bool:
    return len({(each.pack, each.role, each.cases) for each in trials}) == 1


def play(trial: Trial, *, serial: bool = False) -> Observed:
    """Play one trial in this process.

    Another process may have taken a port that was free a moment ago; then other ports are tried.

    Raises:
        HarnessFault: it did not end.
    """
    for _ in range(TRIES - 1):
        with suppress(ConfigurationFault):
            return _play(trial, serial=serial)
    return _play(trial, serial=serial)


def _play(trial: Trial, *, serial: bool) -> Observed:
    show = Show(
        trial.pack,
        trial.role,
        () if trial.variation else (trial.switch,),
        full=True,
        variations=(trial.switch, *trial.beside) if trial.variation else (),
        apart=False,
    )
    wish = Wish(select=trial.cases, fresh=True, adopt_assumed=True, at_once=1 if serial else AT_ONCE)
    with (
        TemporaryDirectory(prefix="c2c-teeth-", ignore_cleanup_errors=True) as folder,
        demonstration(show, wish, pack_of(trial.pack)) as (campaign, _),
    ):
        campaign.start(Path(folder) / "bundle")
        if not campaign.wait(MOST_SECONDS):
            campaign.stop(now=True)
            raise HarnessFault(f"the trial of {trial.switch} has not ended after {MOST_SECONDS:.0f} s")
        return observe(trial, campaign.result())


def observe(trial: Trial, result: Result) -> Observed:
    """What a campaign showed, as plain data that can leave the process."""
    judgement = result.judgement
    counted = [each for each in judgement.cases if not each.case.endswith(END)]
    failed = {
        verdict.case: names
        for verdict in counted
        if (names := tuple(name for name, each in verdict.requirements.items() if each is Verdict.FAIL))
    }
    somewhere = {name for names in failed.values() for name in names}
    whole = tuple(
        each.id for each in judgement.requirements if each.status is Status.FAILED and each.id not in somewhere
    )
    return Observed(
        trial,
        {verdict.case: verdict.verdict.value for verdict in counted},
        {**failed, **({"": whole} if whole else {})},
        {each.id: each.status.value for each in judgement.requirements},
        judgement.verdict.value,
        judgement.reason,
    )


def sorted_by(order: Iterable[str], found: Iterable[Observed]) -> list[Observed]:
    """What was observed, in the order in which the pack names the switches."""
    places = {name: number for number, name in enumerate(order)}
    return sorted(found, key=lambda each: (places[each.trial.switch], each.trial.role))


def _be_quiet() -> None:
    """A reference implementation with a fault complains much; nobody reads that here."""
    logging.getLogger("harness.reference").addHandler(logging.NullHandler())
    logging.getLogger("harness.reference").propagate = False
