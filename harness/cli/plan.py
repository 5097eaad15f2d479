"""Show what a run would play against a system, and with --explain the rule that chose or left out each case.

Nothing is sent, and no number is used up. Target file, ICS and IXIT are enough: certificates may come later.

  c2c plan --target target.yaml --select 'start-*' --explain
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness.campaign import Campaign, Wish
from harness.cli.common import add_depth, add_selection, add_target
from harness.errors import CONFORMANT, ConfigurationFault, Where
from harness.report.sheet import counted, derive_sheet
from harness.scenario.claim import must_support
from harness.scenario.guide import COVERED
from harness.scenario.plan import selected_by
from harness.scenario.unmapped import unmapped
from harness.target.identities import without_missing
from harness.target.load import find_pack_of, load_target

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_target(parser)
    add_selection(parser)
    parser.add_argument(
        "--sheet", type=Path, metavar="FILE", help="write the run sheet for a person as this page (HTML), to print"
    )
    parser.add_argument("--explain", action="store_true", help="name the rule that selected or excluded each case")
    add_depth(parser)


def run(options: argparse.Namespace) -> int:
    """Print the plan in playing order."""
    wish = Wish(select=tuple(options.select), depth="exhaustive" if options.exhaustive else "full")
    target, missing = without_missing(load_target(options.target))
    campaign = Campaign(target, find_pack_of(target, options.pack), wish)
    plan = campaign.plan
    print(f"{plan.pack} {plan.pack_version}, {plan.subject.role}: {plan.baseline} {plan.environment}")
    for file in missing:
        print(f"  not there yet, and a run needs it: {file} (then {plan.environment} is another)")
    unclaimed = dict.fromkeys(name for each in plan.excluded for name in each.unclaimed)
    if denied := [name for name in unclaimed if must_support(campaign.pack, plan.subject.role, name)]:
        print(f"  never conformant: the ICS does not claim what the role must support: {', '.join(denied)}")
    if plan.parameters.by_hand:
        count, actions, lookups = counted(plan, campaign.pack)
        spared = sum(each.rule == COVERED for each in plan.excluded)
        print(f"  by hand: {actions} messages to send and {lookups} states to look up, on {count} movements")
        print(f"  out of reach without more actions: {spared} cases; every requirement they carry is carried by others")
    if options.sheet is not None:
        _write(options.sheet, derive_sheet(plan, campaign.pack))
    open_in = {case.id: places for case in plan.cases if (places := unmapped(case, campaign.pack))}
    if open_in:
        print(f"  not played: {len(open_in)} of {len(plan.cases)} cases: something in the pack is open (unmapped)")
    for case in plan.cases:
        why = "control" if case.is_control else f"control: {case.control}" if case.control else ""
        print(f"  {case.id}  {' '.join(case.requirements)}" + (f"  ({why})" if why else ""))
        if case.id in open_in:
            print(f"      not played, unmapped: {open_in[case.id]}")
        if options.explain:
            print(f"      {selected_by(plan, case)}; {case.derived_from or case.where}")
    for excluded in plan.excluded if options.explain else ():
        print(f"  - {excluded.id}: {excluded.rule}")
    return CONFORMANT


def _write(path: Path, page: bytes) -> None:
    try:
        path.write_bytes(page)
    except OSError as problem:
        raise ConfigurationFault(f"the run sheet cannot be written: {problem.strerror}", where=Where(path)) from None
