"""Events + plan + pack -> verdicts. Nothing else decides."""

from harness.judge.case import judge_case
from harness.judge.run import RunJudgement, judge_run

__all__ = ["RunJudgement", "judge_case", "judge_run"]
