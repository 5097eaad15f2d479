"""Prove offline that a bundle is untouched, complete, signed and in date, and judge its evidence again.

  c2c verify out/20261123-120000 --trust operator.pub.pem

Exit 0 when it is valid, 13 with the reasons when it is not, 10 when it is valid but not in date.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from harness.bundle.verify import verify_bundle
from harness.cli.check import moment
from harness.cli.keys import add_trust, trust_of

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="the folder, or its .zip")
    add_trust(parser)
    parser.add_argument("--at", type=moment, metavar="TIME", help="it must be in date then, RFC 3339 (default: now)")


def run(options: argparse.Namespace) -> int:
    """Verify it and print what was proved."""
    verification = verify_bundle(options.bundle, trust_of(options), options.at or datetime.now(UTC))
    print("\n".join(verification.lines))
    print("valid" if verification.ok else f"NOT ACCEPTED (exit code {verification.exit_code})")
    return verification.exit_code
