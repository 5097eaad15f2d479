"""Judge a run that was cut before its end, from the evidence in its folder, and make the folder a bundle.

  c2c judge out/20261123-120000 --key signing-key.pem

Exit by the verdict, as `c2c run`. The record says that the run is not complete. Not while the run still goes on.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness.campaign import describe, judge_folder
from harness.cli.keys import add_key, key_of

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("folder", type=Path, metavar="DIR", help="the folder of the run; it must have no record yet")
    add_key(parser, required=False)


def run(options: argparse.Namespace) -> int:
    """Judge it, and end with the exit code of the verdict."""
    key = key_of(options)
    result = judge_folder(options.folder, [key] if key else [])
    print("\n".join(describe(result)))
    return result.exit_code
