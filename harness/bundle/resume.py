"""Going on with a run that was stopped or cut, in its own folder."""

from __future__ import annotations

from collections import deque
from pathlib import Path

from harness.bundle.rejudge import open_plan
from harness.bundle.write import EVIDENCE, PLAN, clear
from harness.errors import ConfigurationFault, Where
from harness.evidence.log import FILE as LOG
from harness.evidence.log import alone, read_events
from harness.pack.model import Pack
from harness.record.strict import loads
from harness.scenario.plan import Plan, plan_to_json

_SAME = {
    "timers": "the timers",
    "pools": "the pools",
    "anchors": "the authorities in the files of certificates",
    "assurance": "the assurance",
}


def reopen_run(folder: Path) -> tuple[Plan, Pack]:
    """Plan and pack of a run that is to go on. What was concluded from its evidence so far is taken away.

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
    if last[0].kind == "run-finished" and last[0].data["complete"]:
        raise ConfigurationFault(
            "this run is complete", where=Where(folder), remedy="Run again, without --resume, into another folder."
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
