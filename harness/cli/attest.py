"""Write the form in which a person answers the questions of a pack, or those that a run against a system asks.

  c2c attest --pack readiness --form answers.yaml
  c2c attest --target target.yaml --form answers.yaml

Fill it in, name it in the target file (attestations: [answers.yaml]), and run. Everything in it, with the files that
it names, goes into the bundle; a person decides about each answer with `c2c review`. No answer changes the verdict
about the system.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness.campaign import Campaign, Wish
from harness.cli.list_cases import cases_for
from harness.errors import CONFORMANT, ConfigurationFault
from harness.pack.load import load_pack
from harness.scenario.model import Attest
from harness.target.attest import write_form
from harness.target.identities import without_missing
from harness.target.load import find_pack_of, load_target

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    asks = parser.add_mutually_exclusive_group(required=True)
    asks.add_argument("--pack", metavar="PACK", help="name or folder of the pack that asks")
    asks.add_argument(
        "--target", type=Path, metavar="FILE", help="only what its pack asks in a run against this system"
    )
    parser.add_argument("--form", required=True, type=Path, metavar="FILE", help="where the form goes")


def run(options: argparse.Namespace) -> int:
    """Write the form."""
    if options.target is not None:
        target, _ = without_missing(load_target(options.target))
        campaign = Campaign(target, find_pack_of(target, None), Wish())
        pack, cases = campaign.pack, campaign.plan.cases
    else:
        pack = load_pack(options.pack)
        cases = tuple(case for role in pack.roles for case in cases_for(pack, role))
    questions = [(case, step) for case in cases for step in case.steps if isinstance(step, Attest)]
    if not questions:
        who = f"the pack {pack.id} asks no questions" + (" in a run against this system" if options.target else "")
        raise ConfigurationFault(who, remedy="`c2c list` shows the packs, and `c2c plan` what a run plays.")
    write_form(options.form, pack, questions)
    print(f"{len(questions)} questions in {options.form}")
    return CONFORMANT
