"""Old evidence under a newer pack: what a corrected oracle says about what was observed then.

The cases are made from the newer pack, for the system and with the parameters of the old plan. What a pack itself says
(timers, pools) is taken from the newer one; what the target file had changed in it stays.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from harness.bundle.compare import Change, compare
from harness.bundle.rejudge import judge_evidence, open_bundle
from harness.bundle.verify import opened, read_document
from harness.bundle.write import EVIDENCE, PLAN, RECORD
from harness.errors import ConfigurationFault, Where
from harness.judge.run import RunJudgement
from harness.pack.model import Pack
from harness.record.tool import this_tool
from harness.scenario.plan import make_plan

_V = TypeVar("_V")


@dataclass(frozen=True)
class Rejudged:
    """Two judgements of one run.

    Parameters:
        old, new: the records; the new one is written nowhere.
        judgement: the new one.
        changes: what is different.
    """

    old: Mapping[str, Any]
    new: Mapping[str, Any]
    judgement: RunJudgement
    changes: tuple[Change, ...]


def rejudge_bundle(path: Path, pack: Pack) -> Rejudged:
    """Judge the evidence of a bundle by another pack.

    Parameters:
        path: folder or ``.zip``; verify it first, when it comes from others.
        pack: the newer one.

    Raises:
        ConfigurationFault: the pack does not fit the plan, or the evidence is sealed.
        BundleFault: the bundle cannot be read.
    """
    with opened(path) as folder:
        if not (folder / EVIDENCE).is_dir():
            raise ConfigurationFault(
                "there is no evidence to judge", where=Where(path), remedy="If it is sealed, open it with `c2c unseal`."
            )
        old = read_document(folder / RECORD)
        bundle = open_bundle(folder, old, read_document(folder / PLAN))
        then = bundle.plan.parameters
        parameters = replace(
            then, timers=_changed(then.timers, bundle.pack.timers), pools=_changed(then.pools, bundle.pack.pools)
        )
        annexes = [each.pack for each in bundle.plan.annexes]
        plan = make_plan(pack, bundle.plan.subject, parameters, annexes)
        judgement, new = judge_evidence(folder, plan, pack, this_tool())
        return Rejudged(old, new, judgement, compare(old, new))


def _changed(then: Mapping[str, _V], own: Mapping[str, _V]) -> dict[str, _V]:
    """What the target file had changed in a table of the pack."""
    return {name: value for name, value in then.items() if own.get(name) != value}
