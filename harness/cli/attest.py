"""Write the form in which a person answers the questions of a pack.

  c2c attest --pack PACK --form answers.yaml

Fill it in, name it in the target file (attestations: [answers.yaml]), and run. Everything in it, with the files that
it names, goes into the bundle; a person decides about each answer with `c2c review`. No answer changes the verdict
about the system.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli.list_cases import cases_for
from harness.errors import CONFORMANT, ConfigurationFault
from harness.pack.load import load_pack
from harness.scenario.model import Attest
from harness.target.attest import write_form

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--pack", required=True, metavar="PACK", help="name or folder of the pack that asks")
    parser.add_argument("--form", required=True, type=Path, metavar="FILE", help="where the form goes")


def run(options: argparse.Namespace) -> int:
    """Write the form."""
    pack = load_pack(options.pack)
    cases = [case for role in pack.roles for case in cases_for(pack, role)]
    questions = [(case, step) for case in cases for step in case.steps if isinstance(step, Attest)]
    if not questions:
        raise ConfigurationFault(f"the pack {pack.id} asks no questions", remedy="`c2c list` shows the packs.")
    write_form(options.form, pack, questions)
    print(f"{len(questions)} questions in {options.form}")
    return CONFORMANT
