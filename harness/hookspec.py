"""Hooks: how other programs watch a test campaign. This module is their manual.

A watcher is a module or object with any of these functions, each marked with :data:`hookimpl`. It is registered for one
campaign by whoever starts it, or for all campaigns by an installed package with an entry point in the group
``c2c_harness``::

    from harness.hookspec import hookimpl

    @hookimpl
    def c2c_case_judged(case, verdict):
        print(case.id, verdict.verdict)

A function names only the parameters that it needs. All are called from the thread of the engine, one after another, so
they must be quick. Watchers change nothing: plan, evidence and verdicts are the same with and without them. The
progress line of the terminal and the pytest plug-in are watchers.

One more hook gives checks that scripts can name: ``c2c_checks``, see :mod:`harness.check.named`.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pluggy

from harness.check.named import PROJECT, hookimpl, hookspec

if TYPE_CHECKING:
    from pathlib import Path

    from harness.evidence.model import Event
    from harness.judge.model import CaseVerdict
    from harness.judge.run import RunJudgement
    from harness.scenario.model import Case
    from harness.scenario.plan import Plan

__all__ = ["hookimpl", "watchers"]


@hookspec
def c2c_planned(plan: Plan) -> None:
    """The cases are chosen; nothing has been played yet."""


@hookspec
def c2c_event(event: Event) -> None:
    """Something was observed and stands in the evidence. See :mod:`harness.evidence.model` for the kinds."""


@hookspec
def c2c_case_judged(case: Case, verdict: CaseVerdict) -> None:
    """A case was played and judged. The judgement of the run can still lower it: see its positive control."""


@hookspec
def c2c_finished(judgement: RunJudgement, bundle: Path) -> None:
    """Everything is judged, and the bundle is written."""


def watchers(*more: object) -> pluggy.PluginManager:
    """A plug-in manager with all installed watchers and *more*."""
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(sys.modules[__name__])
    manager.load_setuptools_entrypoints(PROJECT)
    for watcher in more:
        manager.register(watcher)
    return manager
