"""Show which cases test each requirement, or why none does.

With a bundle it shows what the cases of that run say. Exit by 10 when a requirement is neither tested nor excused.

  c2c coverage --pack etir-4.3 --role customs
  c2c coverage out/20261123-120000
"""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.bundle.verify import opened
from harness.cli.list_cases import cases_for
from harness.errors import CONFORMANT, NOT_FULLY_VERIFIED
from harness.pack.data import known_packs
from harness.pack.load import load_pack
from harness.record.strict import loads
from harness.scenario.coverage import Covered, coverage, shown_codes

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from harness.pack.model import Pack

SHOWN = 3
"""Cases that are named for one requirement; `c2c list` has all."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("bundle", nargs="?", type=Path, metavar="BUNDLE", help="a bundle: show what its cases say")
    parser.add_argument("--pack", metavar="P", help="name or folder of a pack (default: all known ones)")
    parser.add_argument("--role", metavar="R", help="only the requirements of this role")


def run(options: argparse.Namespace) -> int:
    """Print the coverage."""
    if options.bundle is not None:
        with opened(options.bundle) as folder:
            return _show_record(loads((folder / "record.json").read_bytes(), "record.json"))
    holes = 0
    for name in [options.pack] if options.pack else known_packs():
        pack = load_pack(name)
        print(f"{pack.id}  {pack.title}")
        for role in [options.role] if options.role else pack.roles:
            holes += _show_role(pack, role)
    return NOT_FULLY_VERIFIED if holes else CONFORMANT


def _show_role(pack: Pack, role: str) -> int:
    cases = cases_for(pack, role)
    lines = coverage(pack, role, cases)
    tested = sum(bool(each.cases or each.checked) for each in lines)
    holes = [each for each in lines if each.hole]
    print(f"  {role}: {len(lines)} requirements, {tested} tested by {len(cases)} cases")
    for group, members in groupby(lines, key=lambda each: each.requirement.group):
        print(f"    {group}")
        for each in members:
            print(f"      {each.requirement.id}  {each.requirement.level}  {_how(each)}")
    codes = shown_codes(cases)
    print(f"    Error codes shown, each beside a positive control: {', '.join(sorted(codes)) or 'none'}")
    return len(holes)


def _how(covered: Covered) -> str:
    if covered.reason:
        return f"not tested: {covered.reason}"
    if covered.hole:
        return "NOT TESTED, and nobody says why"
    said = [f"looked for in {covered.checked} cases"] if covered.checked else []
    if covered.cases:
        more = f" and {len(covered.cases) - SHOWN} more" if len(covered.cases) > SHOWN else ""
        said.insert(0, ", ".join(covered.cases[:SHOWN]) + more)
    return "; ".join(said)


def _show_record(record: Mapping[str, Any]) -> int:
    touched = {case["id"]: case["touched"] for case in record["cases"]}
    print(f"{record['pack']['id']} {record['pack']['version']}, {record['role']}: {record['verdict']}")
    for group, members in groupby(record["requirements"], key=lambda each: each["group"]):
        print(f"  {group}")
        for each in members:
            print(
                f"    {each['id']}  {each['level']}  {each['status']}"
                + (f": {each['reason']}" if each["reason"] else "")
            )
            for name in each["cases"]:
                print(f"      {touched[name][each['id']]}  {name}")
    return CONFORMANT
