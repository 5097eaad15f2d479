"""Finishing the folder of a run that was cut: judge, record, report and sign what it had observed until then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.bundle.rejudge import judge_evidence, open_plan
from harness.bundle.write import CLAIMS, EVIDENCE, PLAN, RECORD, write_bundle
from harness.errors import ConfigurationFault, Where
from harness.evidence.log import FILE, alone, read_events
from harness.judge.run import RunJudgement
from harness.record.strict import loads
from harness.record.tool import this_tool
from harness.security.statement_key import Signer


@dataclass(frozen=True)
class Finished:
    """What became of a folder.

    Parameters:
        judgement: all verdicts.
        complete: the run had come to its end.
        statement: where it is, if somebody signed.
    """

    judgement: RunJudgement
    complete: bool
    statement: Path | None


def finish_bundle(folder: Path, keys: Sequence[Signer]) -> Finished:
    """Make the folder of a run that was cut into a bundle.

    Parameters:
        folder: of the run, which must be over.
        keys: who signs; nobody leaves the bundle without a statement.

    Raises:
        ConfigurationFault: there is no evidence, there is a record already, the run still goes on, or the folder cannot
            be written.
        BundleFault: plan, pack and evidence are damaged, or do not belong together.
    """
    _check(folder)
    with alone(folder / EVIDENCE):
        plan, pack = open_plan(folder, loads((folder / PLAN).read_bytes(), PLAN))
        claims = folder / CLAIMS
        ics = loads(claims.read_bytes(), CLAIMS) if claims.is_file() else None
        judgement, record = judge_evidence(folder, plan, pack, this_tool())
        return Finished(judgement, record["complete"], write_bundle(folder, plan, pack, record, keys, ics=ics))


def _check(folder: Path) -> None:
    if (folder / RECORD).exists():
        raise ConfigurationFault(
            "this run has been judged already",
            where=Where(folder / RECORD),
            expected="the folder of a run that was cut",
            remedy="`c2c verify` judges it again, and tells whether the result is the same.",
        )
    log = folder / EVIDENCE / FILE
    if not (folder / PLAN).is_file() or not log.is_file() or next(read_events(log), None) is None:
        raise ConfigurationFault(
            "there is nothing to judge",
            where=Where(folder),
            expected=f"the folder of a run, with {PLAN} and at least one event in {EVIDENCE}/{FILE}",
            remedy="Check the path; or run again.",
        )
