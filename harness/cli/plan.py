"""Show what a run would play against a system, and with --explain why each other case is left out.

Nothing is sent, and no number is used up.

  c2c plan --target target.yaml --select 'start-*' --explain
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.campaign import Campaign, Wish
from harness.cli.common import add_selection, add_target
from harness.errors import CONFORMANT

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_target(parser)
    add_selection(parser)
    parser.add_argument("--explain", action="store_true", help="also show what is left out, and by which rule")


def run(options: argparse.Namespace) -> int:
    """Print the plan in playing order."""
    plan = Campaign.open(options.target, options.pack, Wish(select=tuple(options.select))).plan
    print(f"{plan.pack} {plan.pack_version}, {plan.subject.role}: {plan.baseline} {plan.environment}")
    for case in plan.cases:
        why = "control" if case.is_control else f"control: {case.control}" if case.control else ""
        print(f"  {case.id}  {' '.join(case.requirements)}" + (f"  ({why})" if why else ""))
    for excluded in plan.excluded if options.explain else ():
        print(f"  - {excluded.id}: {excluded.rule}")
    return CONFORMANT
