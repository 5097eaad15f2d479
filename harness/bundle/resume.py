"""Going on with a run: one that was stopped or cut, in its folder; the failed cases of a complete one, in a copy."""

from __future__ import annotations

from collections import deque
from datetime import datetime
from pathlib import Path

from harness.bundle.files import STATEMENT, files
from harness.bundle.rejudge import open_plan
from harness.bundle.seal import copy_file
from harness.bundle.verify import opened, verify_bundle
from harness.bundle.write import CLAIMS, EVIDENCE, PACK, PLAN, clear
from harness.errors import BUNDLE_INVALID, BundleFault, ConfigurationFault, Where
from harness.evidence.log import FILE as LOG
from harness.evidence.log import alone, keep_events, read_events
from harness.evidence.store import Store
from harness.exchange.resume import Past, look_back, repeating
from harness.judge.run import judge_run
from harness.pack.model import Pack
from harness.record.strict import loads
from harness.scenario.plan import Plan, plan_to_json

_SAME = {
    "timers": "the timers",
    "pools": "the pools",
    "anchors": "the authorities in the files of certificates",
    "assurance": "the assurance",
}


def repeat_run(bundle: Path, folder: Path, at: datetime) -> tuple[Plan, Pack, Past]:
    """Copy what was planned and observed in a complete run, so that its failed cases can be played again.

    Parameters:
        bundle: folder or ``.zip``; where it has a statement it must verify.
        folder: of its own for what goes on; empty, or not there yet.
        at: now.

    Raises:
        BundleFault: the bundle does not verify.
        ConfigurationFault: there is none, it is sealed or not complete, or nothing failed.
    """
    _copy_run(bundle, folder, at)
    plan, pack = reopen_run(folder, complete=True)
    events = keep_events(folder / EVIDENCE)
    fetch = Store(folder / EVIDENCE).get
    past = repeating(plan, look_back(plan, pack, events, fetch), judge_run(plan, pack, events, fetch).cases)
    if not past.repeated:
        raise ConfigurationFault("nothing failed: there is nothing to play again", where=Where(bundle))
    return plan, pack, past


def _copy_run(bundle: Path, folder: Path, at: datetime) -> None:
    with opened(bundle) as source:
        if (source / STATEMENT).exists():
            verification = verify_bundle(source, None, at)
            if verification.exit_code == BUNDLE_INVALID:
                raise BundleFault("the bundle does not verify: " + " ".join(verification.lines[-1:]))
        if not (source / EVIDENCE).is_dir():
            raise ConfigurationFault(
                "there is no evidence of a run",
                where=Where(bundle),
                remedy="If it is sealed, open it with `c2c unseal`.",
            )
        for name in files(source):
            if name in (PLAN, CLAIMS) or name.startswith((f"{PACK}/", f"{EVIDENCE}/")):
                copy_file(source, folder, name)


def reopen_run(folder: Path, *, complete: bool = False) -> tuple[Plan, Pack]:
    """Plan and pack of a run that is to go on. What was concluded from its evidence so far is taken away.

    Parameters:
        folder: of the run.
        complete: it has come to its end, and some of its cases are to be played again.

    Raises:
        ConfigurationFault: there is no run that could go on, it still goes on, or the folder holds files that are not
            the bundle's.
        BundleFault: plan, pack and evidence are damaged.
    """
    there = (folder / PLAN).is_file() and (folder / EVIDENCE / LOG).is_file()
    last = deque(read_events(folder / EVIDENCE), maxlen=1) if there else deque(maxlen=1)
    if not last:
        raise ConfigurationFault(
            "there is no run that could go on",
            where=Where(folder),
            expected=f"the folder of a run that was stopped or cut, with {PLAN} and {EVIDENCE}/{LOG}",
            remedy="Check the path; or run again, without --resume.",
        )
    ended = last[0].kind == "run-finished" and last[0].data["complete"]
    if complete and not ended:
        raise ConfigurationFault(
            "this run is not complete", where=Where(folder), remedy="Let it come to its end first: c2c run --resume."
        )
    if ended and not complete:
        raise ConfigurationFault(
            "this run is complete",
            where=Where(folder),
            remedy="Run again, or play its failed cases again with --rerun-failed.",
        )
    found = open_plan(folder, loads((folder / PLAN).read_bytes(), PLAN))
    try:
        with alone(folder / EVIDENCE):
            clear(folder)
    except OSError as problem:
        raise ConfigurationFault(
            f"the folder of the run cannot be changed: {problem.strerror}",
            where=Where(problem.filename or folder),
            remedy="Make it writable.",
        ) from None
    return found


def differences(now: Plan, then: Plan) -> list[str]:
    """In what two plans differ that decides about the system under test or the verdicts.

    Parameters:
        now: made from the target file as it is.
        then: with which the run began.
    """
    one, other = plan_to_json(now), plan_to_json(then)
    found = [] if one["sut"] == other["sut"] else ["the system itself"]
    found += [] if one.get("annexes") == other.get("annexes") else ["attestations"]
    return found + [words for name, words in _SAME.items() if one["parameters"][name] != other["parameters"][name]]
