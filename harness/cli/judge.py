"""Judge a run that was cut before its end, from the evidence in its folder, and make the folder a bundle.

  c2c judge out/20261123-120000 --key signing-key.pem

Exit by the verdict, as `c2c run`. The record says that the run is not complete. Not while the run still goes on.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness.bundle.keys import load_signing_key
from harness.campaign import describe, judge_folder

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("folder", type=Path, metavar="DIR", help="the folder of the run; it must have no record yet")
    parser.add_argument("--key", type=Path, metavar="KEY", help="PEM file with the private key that signs")
    parser.add_argument("--password", type=Path, metavar="FILE", help="file with the password of an encrypted key")


def run(options: argparse.Namespace) -> int:
    """Judge it, and end with the exit code of the verdict."""
    password = options.password.read_bytes().strip() if options.password else None
    result = judge_folder(options.folder, [load_signing_key(options.key, password)] if options.key else [])
    print("\n".join(describe(result)))
    return result.exit_code
