"""Show the packs that are known, and every case that they can play, by role.

A case is `scenario@position`, or `scenario@role` for a role with one seat. `--select` of `c2c run`
takes these ids, also as patterns:

  c2c list --pack suites/etir-4.3 --role platform
  c2c run --target target.yaml --select 'start-*@departure'
"""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli.common import add_depth
from harness.errors import CONFORMANT, ConfigurationFault
from harness.pack.data import known_packs
from harness.pack.load import load_pack
from harness.scenario.plan import Parameters, Subject, make_plan

if TYPE_CHECKING:
    import argparse

    from harness.pack.model import Pack
    from harness.scenario.model import Case, Depth


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--pack", metavar="P", help="name or folder of a pack (default: all known ones)")
    parser.add_argument("--role", metavar="R", help="only the cases for a system under test in this role")
    parser.add_argument(
        "--derived-from", metavar="FILE", help="only the cases derived from this table or schema of the pack, and why"
    )
    add_depth(parser)


def run(options: argparse.Namespace) -> int:
    """Print the tree."""
    found = False
    for name in [options.pack] if options.pack else known_packs():
        pack = load_pack(name)
        print(f"{pack.id}  {pack.title}")
        depth: Depth = "exhaustive" if options.exhaustive else "full"
        for role in [options.role] if options.role else pack.roles:
            cases = [case for case in cases_for(pack, role, depth) if _wanted(case, options.derived_from)]
            found = found or bool(cases)
            print(f"  {role}: {len(cases)} cases")
            _print_groups(cases, why=options.derived_from is not None)
    if options.derived_from is not None and not found:
        raise ConfigurationFault(
            f"no case is derived from {options.derived_from}",
            expected="a table or schema of the pack, such as lifecycle.yaml, constraints.yaml or security.yaml",
            remedy="Leave out --derived-from to see all cases.",
        )
    return CONFORMANT


def cases_for(pack: Pack, role: str, depth: Depth = "full") -> tuple[Case, ...]:
    """Every case for a role in all its positions, without the controls that are played once more at the end."""
    plan = make_plan(pack, Subject(role, procedures=tuple(pack.procedures)), Parameters(depth=depth))
    return tuple(case for case in plan.cases if not case.is_control)


def _wanted(case: Case, table: str | None) -> bool:
    return table is None or (case.derived_from is not None and Path(case.where.file).name == Path(table).name)


def _print_groups(cases: list[Case], *, why: bool) -> None:
    width = max((len(case.id) for case in cases), default=0)
    for group, members in groupby(sorted(cases, key=lambda case: (case.group, case.id)), key=lambda case: case.group):
        print(f"    {group}")
        for case in members:
            print(f"      {case.id:{width}}  {case.title}" + (f"  [{case.derived_from}]" if why else ""))
