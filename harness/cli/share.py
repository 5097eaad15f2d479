"""Write the copy of a bundle that may leave the house: masked, with the exact bytes sealed to named recipients.

  c2c share out/20261123-120000 --to operator-encryption.pem --out for-the-operator.zip

The copy verifies like the bundle, and says "sealed" where only a recipient can look. See also: c2c unseal.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from harness.bundle.seal import load_recipients
from harness.bundle.share import share_bundle
from harness.errors import CONFORMANT

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="the folder, or its .zip")
    parser.add_argument(
        "--to",
        action="append",
        required=True,
        type=Path,
        metavar="CERT",
        help="PEM file with the certificate of a recipient (RSA); repeatable",
    )
    parser.add_argument("--out", required=True, type=Path, metavar="COPY", help="new folder, or new .zip file")


def run(options: argparse.Namespace) -> int:
    """Share it."""
    now = datetime.now(UTC)
    recipients = load_recipients(options.to, now)
    share_bundle(options.bundle, options.out, recipients, now)
    print(f"shared as {options.out}; the exact bytes are sealed to:")
    print("\n".join(f"  {each.subject.rfc4514_string()}" for each in recipients))
    return CONFORMANT
